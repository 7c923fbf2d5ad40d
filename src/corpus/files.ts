import { createReadStream } from 'node:fs';
import { access, readdir, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { InputError } from '../errors.js';
import type { ReadOptions, Source } from './format.js';

const CHUNK_BYTES = 1 << 18;

/** Who is told of what while inputs are read. */
export interface FileListener {
  /** Bytes of a file, as they are on the disk, that were read since it was last called. */
  readonly onBytes?: (bytes: number) => void;
  /** A path that cannot be read, which is then passed over. Default: an error. */
  readonly onFault?: ReadOptions['onFault'];
}

/**
 * A file as an input; gzip is recognised by its content and read through. Nothing is opened before the first chunk is
 * asked for.
 * @throws InputError (from the chunks) when the file cannot be read or its gzip data is damaged or cut off
 */
export function fileSource(path: string, listener: FileListener = {}): Source {
  return {
    name: path,
    chunks: readFileChunks(path, listener),
    sibling: async (extension, own) => {
      const bare = path.replace(/\.gz$/i, '');
      const ending = own !== undefined && bare.toLowerCase().endsWith(own) ? own : extname(bare);
      const stem = bare.slice(0, bare.length - ending.length);
      for (const candidate of [`${stem}${extension}`, `${stem}${extension}.gz`]) {
        if (candidate !== path && (await exists(candidate))) return fileSource(candidate, listener);
      }
      return undefined;
    },
  };
}

/** A stream of bytes as an input, standard input above all; gzip is read through as in files. */
export function streamSource(stream: AsyncIterable<Uint8Array>, name = '<stdin>'): Source {
  return { name, chunks: unzipped(stream, name) };
}

/**
 * The inputs that paths name, in the order given: a file is itself (a `.ann` file its brat pair), a folder its files in
 * the order of their names, not those of its folders. In a folder with `.ann` files each of them stands for its pair,
 * and a `.txt` of a pair is not read again; `X.abstracts.txt` stands for what is beside it (`X.annotations.txt`,
 * `X.predictions.txt`); hidden files are passed over.
 * @throws InputError for a path that does not exist and for a folder without files, unless `onFault` is there to be told
 */
export async function* pathSources(paths: Iterable<string>, listener: FileListener = {}): AsyncGenerator<Source, void> {
  for (const path of paths) {
    try {
      for (const file of await filesOf(path)) yield fileSource(file, listener);
    } catch (error) {
      if (listener.onFault === undefined || !(error instanceof InputError)) throw error;
      listener.onFault(error, 'input');
    }
  }
}

/** The bytes on the disk of all files that paths name; what cannot be read counts nothing. */
export async function pathBytes(paths: Iterable<string>): Promise<number> {
  let bytes = 0;
  for (const path of paths) {
    const files = await filesOf(path, false).catch(() => []);
    for (const file of files) bytes += (await stat(file).catch(() => ({ size: 0 }))).size;
  }
  return bytes;
}

/** A file itself, or the files of a folder; of files that are read together only the leading one, if not told otherwise. */
async function filesOf(path: string, leading = true): Promise<string[]> {
  const status = await stat(path).catch((error: unknown) => {
    throw readFailure(path, error);
  });
  if (!status.isDirectory()) return [path];
  const entries = await readdir(path, { withFileTypes: true });
  const names = entries.filter((entry) => !entry.isDirectory() && !entry.name.startsWith('.')).map(({ name }) => name);
  if (names.length === 0) throw new InputError('expected files in the folder, found none', { file: path });
  return (leading ? leadingNames(names) : names).sort(inNameOrder).map((name) => join(path, name));
}

/** Names of files without those that are read along with another: the text of a brat pair, the rest of a CHEMDNER set. */
export function leadingNames(names: readonly string[]): string[] {
  const present = new Set(names.map((name) => name.toLowerCase().replace(/\.gz$/, '')));
  return names.filter((name) => {
    const bare = name.toLowerCase().replace(/\.gz$/, '');
    const [, set, part] = /^(.+)\.([^.]+)\.txt$/.exec(bare) ?? [];
    const follows = part !== undefined && part !== 'abstracts' && present.has(`${set}.abstracts.txt`);
    return !follows && !(bare.endsWith('.txt') && present.has(bare.replace(/\.txt$/, '.ann')));
  });
}

/** Numbers inside names count as numbers, so that `2.txt` comes before `10.txt`, on every machine alike. */
function inNameOrder(a: string, b: string): number {
  return collator.compare(a, b) || (a < b ? -1 : 1);
}

const collator = new Intl.Collator('en', { numeric: true });

async function* readFileChunks(path: string, { onBytes }: FileListener): AsyncGenerator<Uint8Array, void> {
  const stream = createReadStream(path, { highWaterMark: CHUNK_BYTES });
  if (onBytes !== undefined) stream.on('data', (chunk) => onBytes(chunk.length));
  try {
    yield* unzipped(stream, path);
  } catch (error) {
    throw error instanceof InputError ? error : readFailure(path, error);
  } finally {
    stream.destroy();
  }
}

/** The chunks themselves, or what they unpack to when they begin with the magic number of gzip. */
async function* unzipped(chunks: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<Uint8Array, void> {
  const iterator = chunks[Symbol.asyncIterator]();
  const read: Uint8Array[] = [];
  let head: number[] = [];
  while (head.length < 2) {
    const next = await iterator.next();
    if (next.done === true) break;
    read.push(next.value);
    head = [...head, ...next.value.subarray(0, 2)];
  }
  const whole = restarted(read, iterator);
  if (head[0] !== 0x1f || head[1] !== 0x8b) {
    yield* whole;
    return;
  }
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
  pipeline(Readable.from(whole), gunzip, () => undefined);
  try {
    yield* gunzip as AsyncIterable<Uint8Array>;
  } catch (cause) {
    if (errorCode(cause)?.startsWith('Z_') !== true) throw cause;
    throw new InputError(`expected whole gzip data, found ${String(cause)}`, { file: name }, { cause });
  } finally {
    gunzip.destroy();
  }
}

async function* restarted(
  read: readonly Uint8Array[],
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  try {
    yield* read;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function readFailure(file: string, cause: unknown): InputError {
  const found: Record<string, string> = {
    ENOENT: 'nothing of that name',
    ENOTDIR: 'nothing of that name',
    EISDIR: 'a folder',
    EACCES: 'one without permission to read',
    EPERM: 'one without permission to read',
  };
  const code = errorCode(cause);
  return new InputError(`expected a readable file, found ${found[code ?? ''] ?? String(cause)}`, { file }, { cause });
}

function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}
