import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rm, stat, truncate, type FileHandle } from 'node:fs/promises';
import { isAbsolute, relative, resolve } from 'node:path';
import type { Document, Entity } from '../../corpus/index.js';
import { InputError } from '../../errors.js';
import { attempt, fileError } from '../../weights/index.js';

/** How every journal begins. */
const START = '{"journal":';

/** Whose work a journal is: the model and the settings that decide what is found. */
export type Identity = Readonly<Record<string, unknown>>;

interface Entry {
  readonly documents: readonly { readonly digest: string; readonly entities: readonly Entity[] }[];
}

/**
 * The entities that a run has found so far, a line for each group of documents, in a file beside the output: what is
 * left of a run that was killed. A resumed run reads its documents again and takes from here what was found in them, for
 * as long as they are the same documents in the same groups.
 */
export class Journal {
  readonly path: string;
  /** How many documents' entities were taken from an earlier run. */
  recovered = 0;
  #earlier: AsyncIterator<Line> | undefined;
  /** The bytes of the file that are this run's or were taken over. */
  #bytes = 0;
  #handle: FileHandle | undefined;

  private constructor(
    readonly output: string,
    readonly identity: Identity,
  ) {
    this.path = `${resolve(output)}.tagging`;
  }

  /**
   * The journal beside an output. Nothing is written before the first `append`.
   * @param resume whether to take over what an earlier run with the same model and settings has left
   * @throws InputError when something else has the journal's name, which stays as it is
   */
  static async open(output: string, identity: Identity, resume: boolean): Promise<Journal> {
    const journal = new Journal(output, identity);
    const isThere = await holdsJournal(journal.path, isAbsolute(output) ? journal.path : relative('', journal.path));
    if (!resume || !isThere) return journal;
    const lines = wholeLines(journal.path);
    const first = await lines.next();
    if (first.done === true || first.value.text !== journal.#head()) return journal;
    journal.#bytes = first.value.end;
    journal.#earlier = lines;
    return journal;
  }

  /** The entities that an earlier run has found in these documents, where it had the same next. */
  async known(documents: readonly Document[]): Promise<readonly (readonly Entity[])[] | undefined> {
    const next = await this.#earlier?.next();
    if (next === undefined || next.done === true) {
      this.#earlier = undefined;
      return undefined;
    }
    const entry = parseEntry(next.value.text);
    const isSame =
      entry?.documents.length === documents.length &&
      documents.every((document, k) => entry.documents[k]?.digest === digestOf(document));
    if (!isSame) {
      await this.#earlier?.return?.();
      this.#earlier = undefined;
      return undefined;
    }
    this.#bytes = next.value.end;
    this.recovered += documents.length;
    return entry.documents.map(({ entities }) => entities);
  }

  /**
   * Adds what was found in the next documents; what an earlier run had found beyond is dropped.
   * @throws InputError that names the output when there is no place or no permission to write beside it
   */
  async append(documents: readonly Document[], entities: readonly (readonly Entity[])[]): Promise<void> {
    const entry: Entry = {
      documents: documents.map((document, k) => ({ digest: digestOf(document), entities: entities[k] ?? [] })),
    };
    const isNew = this.#handle === undefined;
    this.#handle ??= await attempt(this.output, 'write', this.#begin());
    const head = isNew && this.#bytes === 0 ? `${this.#head()}\n` : '';
    const bytes = Buffer.from(`${head}${JSON.stringify(entry)}\n`);
    await attempt(this.output, 'write', this.#handle.writeFile(bytes));
    this.#bytes += bytes.length;
  }

  /** Whether a run that ends now has left what another can go on from. */
  get isResumable(): boolean {
    return this.#bytes > 0;
  }

  /** Ends the run; `isDone` removes the file. */
  async close(isDone: boolean): Promise<void> {
    await this.#earlier?.return?.();
    await this.#handle?.close();
    this.#handle = undefined;
    if (isDone) await attempt(this.path, 'remove', rm(this.path, { force: true }));
  }

  async #begin(): Promise<FileHandle> {
    if (this.#bytes === 0) return open(this.path, 'w');
    await truncate(this.path, this.#bytes);
    return open(this.path, 'a');
  }

  #head(): string {
    return JSON.stringify({ journal: 1, ...this.identity });
  }
}

interface Line {
  readonly text: string;
  /** The byte after its line break. */
  readonly end: number;
}

/** The lines of a file that have a line break; what a killed process has left of another is passed over. */
async function* wholeLines(path: string): AsyncGenerator<Line, void> {
  let pending: Uint8Array[] = [];
  let position = 0;
  for await (const chunk of chunks(path)) {
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      pending.push(chunk.subarray(start, end));
      start = end + 1;
      yield { text: Buffer.concat(pending).toString('utf8'), end: position + start };
      pending = [];
    }
    if (start < chunk.length) pending.push(chunk.subarray(start));
    position += chunk.length;
  }
}

function parseEntry(line: string): Entry | undefined {
  try {
    return JSON.parse(line) as Entry;
  } catch {
    return undefined;
  }
}

function digestOf({ id, text, passages, sentences, continues }: Document): string {
  return createHash('sha256')
    .update(JSON.stringify([id, text, passages ?? null, sentences ?? null, continues ?? false]))
    .digest('base64');
}

async function* chunks(path: string): AsyncGenerator<Uint8Array, void> {
  try {
    yield* createReadStream(path) as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw fileError(error, path, 'read');
  }
}

/**
 * Whether there is a journal, of whatever run: one that was cut off, even at its first byte, is one too.
 * @param name for error messages
 * @throws InputError when there is something else
 */
async function holdsJournal(path: string, name: string): Promise<boolean> {
  const status = await stat(path).catch(() => undefined);
  if (status === undefined) return false;
  const refusal = (found: string): InputError =>
    new InputError(`expected the journal of an earlier run or nothing, found ${found}`, { file: name });
  if (!status.isFile()) throw refusal(status.isDirectory() ? 'a folder' : 'no regular file');
  const handle = await attempt(name, 'read', open(path, 'r'));
  try {
    const { bytesRead, buffer } = await attempt(name, 'read', handle.read(Buffer.alloc(START.length)));
    if (!START.startsWith(buffer.toString('latin1', 0, bytesRead))) throw refusal('another file');
  } finally {
    await handle.close();
  }
  return true;
}
