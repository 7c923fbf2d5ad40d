import { InputError } from '../errors.js';
import type { Source } from './format.js';

const NEWLINE = 10;
const HEAD_BYTES = 8192;
export const DEFAULT_MAX_BYTES = 128 * 1024 * 1024;

/** Consecutive lines of an input, without their `\n`; a `\r` before it is still there. */
export interface LineBatch {
  /** 1-based number of the first of them. */
  readonly first: number;
  readonly lines: readonly string[];
  /** Whether the last of them ended in a line break; only the very last line of an input may not. */
  readonly terminated: boolean;
}

/**
 * The lines of an input in batches, as they arrive. A byte order mark at the start is dropped.
 * @throws InputError for invalid UTF-8 (with its line), binary content, UTF-16, and a line above `maxBytes`
 */
export async function* lineBatches(source: Source, maxBytes = DEFAULT_MAX_BYTES): AsyncGenerator<LineBatch, void> {
  const position = { line: 1 };
  for await (const piece of decodedPieces(source, maxBytes, position)) {
    const lines = piece.split('\n');
    const terminated = piece.endsWith('\n');
    if (terminated) lines.pop();
    yield { first: position.line, lines, terminated };
    position.line += lines.length;
  }
}

/**
 * The whole of an input as one string, exactly as it is but for a byte order mark at the start.
 * @throws InputError as {@link lineBatches}; `maxBytes` limits the whole
 */
export async function wholeText(source: Source, maxBytes = DEFAULT_MAX_BYTES): Promise<string> {
  const position = { line: 1 };
  const pieces: string[] = [];
  let size = 0;
  for await (const piece of decodedPieces(source, maxBytes, position)) {
    size += piece.length;
    if (size > maxBytes) throw tooLong(source.name, maxBytes, 'text');
    pieces.push(piece);
    for (let at = piece.indexOf('\n'); at >= 0; at = piece.indexOf('\n', at + 1)) position.line += 1;
  }
  return pieces.join('');
}

/**
 * Text in pieces that end in a line break, but for the last: cutting at `\n` never cuts a UTF-8 sequence.
 * `position.line` is the first line of the next piece, kept by the caller, for messages.
 */
async function* decodedPieces(
  source: Source,
  maxBytes: number,
  position: { readonly line: number },
): AsyncGenerator<string, void> {
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const decode = (bytes: Uint8Array): string => {
    try {
      return utf8.decode(bytes);
    } catch (cause) {
      const line = position.line + validLines(utf8, bytes);
      throw new InputError('expected UTF-8, found bytes that are not', { file: source.name, line }, { cause });
    }
  };
  let started = false;
  const withoutMark = (piece: string): string => {
    const bare = !started && piece.charCodeAt(0) === 0xfeff ? piece.slice(1) : piece;
    started = true;
    return bare;
  };
  const pending: Uint8Array[] = [];
  let pendingText = '';
  let pendingSize = 0;
  let headRead = 0;
  for await (const chunk of source.chunks) {
    const cut = typeof chunk === 'string' ? chunk.lastIndexOf('\n') + 1 : chunk.lastIndexOf(NEWLINE) + 1;
    if (typeof chunk === 'string') {
      if (cut > 0) yield withoutMark(pendingText + chunk.slice(0, cut));
      pendingText = cut > 0 ? chunk.slice(cut) : pendingText + chunk;
    } else {
      if (headRead < HEAD_BYTES) rejectBinary(chunk.subarray(0, HEAD_BYTES - headRead), headRead === 0, source.name);
      headRead += chunk.length;
      if (cut > 0) {
        pending.push(chunk.subarray(0, cut));
        yield withoutMark(decode(concatenated(pending)));
        pending.length = 0;
      }
      if (cut < chunk.length) pending.push(chunk.subarray(cut));
    }
    pendingSize = chunk.length - cut + (cut > 0 ? 0 : pendingSize);
    if (pendingSize > maxBytes) throw tooLong(source.name, maxBytes, 'line');
  }
  if (pending.length > 0) yield withoutMark(decode(concatenated(pending)));
  if (pendingText !== '') yield withoutMark(pendingText);
}

/**
 * Text in pieces as they arrive, cut anywhere but inside a character: for formats that are not made of lines. A byte
 * order mark at the start is dropped.
 * @throws InputError for invalid UTF-8 (with its line), binary content and UTF-16
 */
export async function* textPieces(source: Source): AsyncGenerator<string, void> {
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let line = 1;
  let headRead = 0;
  let cut: Uint8Array = new Uint8Array(0);
  let started = false;
  const decode = (bytes: Uint8Array): string => {
    try {
      return utf8.decode(bytes);
    } catch (cause) {
      const at = line + validLines(utf8, bytes);
      throw new InputError('expected UTF-8, found bytes that are not', { file: source.name, line: at }, { cause });
    }
  };
  for await (const chunk of source.chunks) {
    let piece: string;
    if (typeof chunk === 'string') {
      piece = chunk;
    } else {
      if (headRead < HEAD_BYTES) rejectBinary(chunk.subarray(0, HEAD_BYTES - headRead), headRead === 0, source.name);
      headRead += chunk.length;
      const bytes = cut.length > 0 ? concatenated([cut, chunk]) : chunk;
      const whole = wholeCharacters(bytes);
      piece = decode(bytes.subarray(0, whole));
      cut = bytes.slice(whole);
    }
    if (piece === '') continue;
    for (let at = piece.indexOf('\n'); at >= 0; at = piece.indexOf('\n', at + 1)) line += 1;
    const bare = !started && piece.charCodeAt(0) === 0xfeff ? piece.slice(1) : piece;
    started = true;
    if (bare !== '') yield bare;
  }
  if (cut.length > 0) yield decode(cut);
}

/** The length of `bytes` without a sequence that its end cuts off. */
function wholeCharacters(bytes: Uint8Array): number {
  const { length } = bytes;
  for (let back = 1; back <= Math.min(3, length); back += 1) {
    const byte = bytes[length - back] ?? 0;
    if (byte < 0x80) return length;
    if (byte >= 0xc0) return (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) > back ? length - back : length;
  }
  return length;
}

/** How many lines at the start of `bytes` decode. */
function validLines(utf8: InstanceType<typeof TextDecoder>, bytes: Uint8Array): number {
  let lines = 0;
  for (let start = 0; ; lines += 1) {
    const end = bytes.indexOf(NEWLINE, start) + 1;
    try {
      utf8.decode(bytes.subarray(start, end > 0 ? end : bytes.length));
    } catch {
      return lines;
    }
    if (end === 0) return lines;
    start = end;
  }
}

function rejectBinary(head: Uint8Array, atStart: boolean, file: string): void {
  const [a, b] = atStart ? head : [];
  if ((a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff)) {
    throw new InputError('expected UTF-8 text, found UTF-16', { file });
  }
  if (head.includes(0)) throw new InputError('expected UTF-8 text, found a binary file', { file });
}

function concatenated(parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only;
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

function tooLong(file: string, maxBytes: number, what: string): InputError {
  return new InputError(`expected a ${what} of at most ${maxBytes} bytes, found a longer one`, { file });
}

/** A file name without folders and extensions: the stem that document identifiers are made from. */
export function stem(name: string): string {
  const base = name.slice(Math.max(name.lastIndexOf('/'), name.lastIndexOf('\\')) + 1);
  const bare = base.replace(/\.gz$/i, '').replace(/(?<=.)\.[^.]*$/, '');
  return bare === '' || bare === '<stdin>' ? 'stdin' : bare;
}

/** A line without the `\r` of a CRLF line break. */
export function withoutReturn(line: string): string {
  return line.charCodeAt(line.length - 1) === 13 ? line.slice(0, -1) : line;
}
