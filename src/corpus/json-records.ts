import { InputError } from '../errors.js';
import type { Source } from './format.js';
import { MAX_DEPTH, stringEnd } from './json.js';
import type { KeptSource } from './kept-source.js';
import { DEFAULT_MAX_BYTES, textPieces } from './lines.js';
import { quoted } from './mentions.js';

const PIECE = 1 << 16;

/** A record of a JSON file: an object that stands for a document, and its line. */
export interface JsonRecord {
  readonly source: KeptSource;
  readonly line: number;
}

export interface JsonRecordOptions {
  readonly format: string;
  /** Names of fields whose array holds the records; an object at the top without any of them is a record itself. */
  readonly lists: ReadonlySet<string>;
  /** Longest record, and longest text between records, in characters. */
  readonly maxBytes?: number | undefined;
}

/**
 * The records of a JSON file one after the other: the elements of a list inside the object or objects at the top (or in
 * an array at the top), or these objects themselves. Memory holds one record and one piece of the input. Records are
 * found by their brackets; whether what is in them is JSON is left to their reader.
 * @throws InputError for brackets that do not match, nesting deeper than `MAX_DEPTH`, text at the top, the end inside of
 *   a record, and records above `maxBytes`
 */
export async function* jsonRecords(source: Source, options: JsonRecordOptions): AsyncGenerator<JsonRecord, void> {
  const { maxBytes = DEFAULT_MAX_BYTES } = options;
  const scanner = new RecordScanner(source.name, options.format, options.lists);
  try {
    for await (const text of textPieces(source)) {
      for (let at = 0; at < text.length; at += PIECE) {
        yield* scanner.add(text.slice(at, at + PIECE));
        if (scanner.pendingLength > maxBytes) {
          throw new InputError(`expected a document of at most ${maxBytes} bytes, found a longer one`, {
            file: source.name,
            line: scanner.line,
          });
        }
      }
    }
    scanner.requireEnd();
  } catch (fault) {
    yield* scanner.held();
    throw fault;
  }
  yield* scanner.held(true);
}

interface Open {
  readonly bracket: '{' | '[';
  readonly kind: 'top' | 'list' | 'record' | 'other';
  readonly start: number;
  readonly line: number;
}

/** Follows strings and brackets through the text. Positions count from the start of the input. */
class RecordScanner {
  line = 1;
  readonly #stack: Open[] = [];
  /** The text since the last record, which begins at the position `#base`. */
  #pending = '';
  #base = 0;
  #position = 0;
  #inString = false;
  #escaped = false;
  #stringStart = 0;
  /** Where the last string on the level of the object at the top is: the name of the list, when one opens. */
  #key = { start: 0, end: 0 };
  #hasList = false;
  #head: string | undefined;
  #index = 0;
  #held: JsonRecord | undefined;

  constructor(
    readonly file: string,
    readonly format: string,
    readonly lists: ReadonlySet<string>,
  ) {}

  get pendingLength(): number {
    return this.#pending.length;
  }

  *add(piece: string): Generator<JsonRecord, void> {
    this.#pending += piece;
    for (let k = 0; k < piece.length; k += 1, this.#position += 1) {
      const code = piece.charCodeAt(k);
      if (code === 10) this.line += 1;
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (code === 92) this.#escaped = true;
        else if (code === 34) this.#endString();
      } else if (code === 123) {
        this.#open('{');
      } else if (code === 91) {
        this.#open('[');
      } else if (code === 125) {
        yield* this.#close('{');
      } else if (code === 93) {
        yield* this.#close('[');
      } else if (this.#stack.length === 0 && code > 32 && code !== 44) {
        throw this.#failure('a JSON object or array', quoted(piece.slice(k, k + 80)));
      } else if (code === 34) {
        this.#inString = true;
        this.#stringStart = this.#position;
      }
    }
  }

  requireEnd(): void {
    if (this.#stack.length > 0) throw this.#failure('the end of all JSON brackets', 'the end of the input');
  }

  /** The last record, with what followed it where it `isLast` in a whole input. */
  *held(isLast = false): Generator<JsonRecord, void> {
    if (this.#held === undefined) return;
    const { source } = this.#held;
    yield { ...this.#held, source: isLast ? { ...source, tail: this.#pending } : source };
  }

  #endString(): void {
    this.#inString = false;
    if (this.#stack.at(-1)?.kind === 'top') this.#key = { start: this.#stringStart, end: this.#position + 1 };
  }

  #open(bracket: Open['bracket']): void {
    const parent = this.#stack.at(-1);
    if (this.#stack.length > MAX_DEPTH + 4) throw this.#failure(`at most ${MAX_DEPTH} levels of nesting`, 'more');
    let kind: Open['kind'] = 'other';
    if (bracket === '{') {
      const isTop = parent === undefined || (this.#stack.length === 1 && parent.bracket === '[');
      kind = isTop ? 'top' : parent.kind === 'list' ? 'record' : 'other';
      if (isTop) this.#hasList = false;
    } else if (parent?.kind === 'top' && this.lists.has(this.#text(this.#key.start + 1, this.#key.end - 1))) {
      kind = 'list';
      this.#hasList = true;
    }
    this.#stack.push({ bracket, kind, start: this.#position, line: this.line });
  }

  *#close(bracket: Open['bracket']): Generator<JsonRecord, void> {
    const open = this.#stack.pop();
    if (open?.bracket !== bracket) {
      throw this.#failure('brackets of JSON that match', `${bracket === '{' ? '}' : ']'} out of place`);
    }
    if (open.kind !== 'record' && (open.kind !== 'top' || this.#hasList)) return;
    if (this.#held !== undefined) yield this.#held;
    const end = this.#position + 1;
    const before = this.#text(this.#base, open.start);
    const kept = { format: this.format, file: this.file, index: this.#index, head: this.#head ?? before };
    const text = this.#text(open.start, end);
    this.#held = { line: open.line, source: { ...kept, before: this.#head === undefined ? '' : before, text } };
    this.#head ??= before;
    this.#index += 1;
    this.#pending = this.#pending.slice(end - this.#base);
    this.#base = end;
  }

  #text(start: number, end: number): string {
    return this.#pending.slice(start - this.#base, end - this.#base);
  }

  #failure(expected: string, found: string): InputError {
    return new InputError(`expected ${expected}, found ${found}`, { file: this.file, line: this.line });
  }
}

/** The places of the brackets that a text leaves open. */
export function openBrackets(text: string): number[] {
  const open: number[] = [];
  for (let k = 0; k < text.length; k += 1) {
    const character = text.charAt(k);
    if (character === '"') k = stringEnd(text, k);
    else if (character === '{' || character === '[') open.push(k);
    else if (character === '}' || character === ']') open.pop();
  }
  return open;
}

/** The brackets that close what a text leaves open. */
export function closingBrackets(text: string): string {
  return openBrackets(text)
    .reverse()
    .map((place) => (text.charAt(place) === '{' ? '}' : ']'))
    .join('');
}
