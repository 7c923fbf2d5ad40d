import { randomBytes } from 'node:crypto';
import {
  access,
  constants,
  mkdir,
  open,
  readdir,
  realpath,
  rename,
  stat,
  unlink,
  type FileHandle,
} from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { InputError } from '../errors.js';
import type { Piece } from './format.js';

const BUFFER_CHARACTERS = 1 << 20;

/**
 * Writes pieces to a file, or into a folder (made when absent) when they name files. Each file is written beside its
 * place under another name and renamed when it is complete: a failure leaves what was there as it was. A file that
 * several pieces name one after the other holds them all. Names ending in `.gz` are compressed. What is no regular file
 * (`/dev/stdout`, a pipe) is written directly.
 * @throws InputError when the output exists and may not be written, is a folder where a file is needed or the other way
 *   round, or lies in a folder that does not exist or may not be written
 */
export async function writePieces(target: string, pieces: AsyncIterable<Piece>): Promise<void> {
  const iterator = pieces[Symbol.asyncIterator]();
  let output: AtomicFile | undefined;
  let current: string | undefined;
  let folder: boolean | undefined;
  try {
    const kind = await kindOf(target);
    if (kind !== 'folder') await requireWritable(target);
    if (kind !== 'other') await removeStale(kind === 'folder' ? target : dirname(target));
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
      const { file, text } = next.value;
      if (output === undefined || file !== current) {
        await output?.commit(false);
        output = undefined;
        folder ??= file !== undefined;
        if (folder) await requireFolder(target);
        output = await AtomicFile.create(file === undefined ? target : join(target, file));
        current = file;
      }
      await output.write(text);
    }
    if (output === undefined && folder === undefined && (await kindOf(target)) !== 'folder') {
      output = await AtomicFile.create(target);
    }
    await output?.commit(folder !== true);
  } catch (error) {
    await output?.abandon();
    await iterator.return?.();
    throw error;
  }
}

/** A file that appears under its name only when it is complete. */
export class AtomicFile {
  readonly #path: string;
  readonly #temporary: string | undefined;
  readonly #handle: FileHandle;
  readonly #buffer: string[] = [];
  #buffered = 0;

  private constructor(path: string, temporary: string | undefined, handle: FileHandle) {
    this.#path = path;
    this.#temporary = temporary;
    this.#handle = handle;
  }

  /** @throws InputError when `path` cannot be written, before anything is */
  static async create(path: string): Promise<AtomicFile> {
    await requireWritable(path);
    try {
      const kind = await kindOf(path);
      if (kind === 'other') return new AtomicFile(path, undefined, await open(path, 'w'));
      const place = kind === 'file' ? await realpath(path) : path;
      const mode = kind === 'file' ? (await stat(place)).mode & 0o777 : 0o666;
      const unique = `${host}.${process.pid}.${randomBytes(4).toString('hex')}`;
      const temporary = join(dirname(place), `.${basename(place).slice(0, 200)}.${unique}.tmp`);
      return new AtomicFile(place, temporary, await open(temporary, 'wx', mode));
    } catch (cause) {
      throw writeFailure(path, cause);
    }
  }

  /** Adds text, which is kept in memory until there is enough to be worth a write. */
  async write(text: string): Promise<void> {
    this.#buffer.push(text);
    this.#buffered += text.length;
    if (this.#buffered >= BUFFER_CHARACTERS) await this.#flush();
  }

  /** Gives the file its name; `durable` waits until its content is on the disk. */
  async commit(durable = true): Promise<void> {
    try {
      await this.#flush();
      if (durable && this.#temporary !== undefined) await this.#handle.sync();
      await this.#handle.close();
      if (this.#temporary !== undefined) await rename(this.#temporary, this.#path);
    } catch (cause) {
      throw writeFailure(this.#path, cause);
    }
  }

  /** Removes what was written so far; what stood under the name before still does. */
  async abandon(): Promise<void> {
    await this.#handle.close().catch(() => undefined);
    if (this.#temporary !== undefined) await unlink(this.#temporary).catch(() => undefined);
  }

  async #flush(): Promise<void> {
    if (this.#buffered === 0) return;
    const text = this.#buffer.join('');
    this.#buffer.length = 0;
    this.#buffered = 0;
    // A gzip file may consist of several members: compressing each buffer alone keeps memory bounded.
    const bytes = this.#path.endsWith('.gz') ? gzipSync(text) : Buffer.from(text);
    try {
      await this.#handle.writeFile(bytes);
    } catch (cause) {
      throw writeFailure(this.#path, cause);
    }
  }
}

const host = hostname().replaceAll(/[^A-Za-z0-9]/g, '-');

/** Removes what processes of this machine that were killed while they wrote into a folder have left there. */
async function removeStale(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const [, machine, process] = /^\..+\.([A-Za-z0-9-]+)\.(\d+)\.[0-9a-f]{8}\.tmp$/.exec(name) ?? [];
    if (machine === host && !isRunning(Number(process))) await unlink(join(folder, name)).catch(() => undefined);
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

async function kindOf(path: string): Promise<'file' | 'folder' | 'other' | 'absent'> {
  try {
    const status = await stat(path);
    return status.isFile() ? 'file' : status.isDirectory() ? 'folder' : 'other';
  } catch {
    return 'absent';
  }
}

async function requireWritable(path: string): Promise<void> {
  const kind = await kindOf(path);
  if (kind === 'folder') throw new InputError('expected a file to write, found a folder', { file: path });
  if (kind === 'absent' && (await kindOf(dirname(path))) !== 'folder') {
    throw new InputError('expected a folder to write the file in, found none', { file: path });
  }
  // The mode is asked too, because to the superuser every file is writable.
  const readOnly = kind === 'file' && ((await stat(path)).mode & 0o222) === 0;
  const denied =
    kind !== 'absent' &&
    (await access(path, constants.W_OK).then(
      () => false,
      () => true,
    ));
  if (readOnly || denied)
    throw new InputError('expected a file that may be written, found a read-only one', { file: path });
}

async function requireFolder(path: string): Promise<void> {
  const kind = await kindOf(path);
  if (kind === 'file' || kind === 'other')
    throw new InputError('expected a folder to write to, found a file', { file: path });
  try {
    await mkdir(path, { recursive: true });
  } catch (cause) {
    throw writeFailure(path, cause);
  }
}

function writeFailure(file: string, cause: unknown): Error {
  if (cause instanceof InputError) return cause;
  const found: Record<string, string> = {
    ENOSPC: 'a full disk',
    EACCES: 'no permission to write',
    EPERM: 'no permission to write',
    EROFS: 'a read-only file system',
    ENOTDIR: 'a file where a folder should be',
  };
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  return new InputError(`expected to write the file, found ${found[code] ?? String(cause)}`, { file }, { cause });
}
