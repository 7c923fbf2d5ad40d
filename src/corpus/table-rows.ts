import { InputError } from '../errors.js';
import type { Source } from './format.js';
import { DEFAULT_MAX_BYTES, textPieces } from './lines.js';
import { quoted } from './mentions.js';

const PIECE = 1 << 16;

/** A row of a table. */
export interface Row {
  readonly fields: readonly string[];
  /** The fields as they are written. */
  readonly raw: readonly string[];
  /** The row as it is written, without the line break after it; what is blank has one empty field. */
  readonly text: string;
  /** The line break after it; empty at the end of the input. */
  readonly lineBreak: string;
  /** 1-based line of its beginning. */
  readonly line: number;
}

/** How the fields of a table are divided and quoted. */
export interface Dialect {
  readonly delimiter: string;
  /** Whether a field that begins with a quote and is not rightly quoted is taken as it is. */
  readonly looseQuotes: boolean;
}

/**
 * The rows of a table one after the other. A field in double quotes may hold the delimiter, line breaks, and quotes
 * written twice (RFC 4180).
 * @param dialect given the first line of the input
 * @throws InputError for a quoted field that does not end (unless quotes are loose), and a row above `maxBytes`
 */
export async function* tableRows(
  source: Source,
  dialect: (firstLine: string) => Dialect,
  maxBytes = DEFAULT_MAX_BYTES,
): AsyncGenerator<Row, void> {
  let pending = '';
  let next: string[] = [];
  let nextLength = 0;
  let scanner: RowScanner | undefined;
  let line = 1;
  for await (const text of textPieces(source)) {
    for (let at = 0; at < text.length; at += PIECE) {
      const piece = text.slice(at, at + PIECE);
      next.push(piece);
      nextLength += piece.length;
      // A long row is looked at again only when it has doubled, so that its time stays linear.
      if (nextLength < pending.length) continue;
      pending += next.join('');
      next = [];
      nextLength = 0;
      if (scanner === undefined && !/\n/.test(pending)) continue;
      scanner ??= new RowScanner(source.name, dialect(firstLine(pending)));
      let start = 0;
      for (let row = scanner.row(pending, start, line, false); row !== undefined;) {
        yield row;
        start += row.text.length + row.lineBreak.length;
        line += lineBreaks(row.text) + 1;
        row = scanner.row(pending, start, line, false);
      }
      pending = pending.slice(start);
    }
    if (pending.length + nextLength > maxBytes) {
      throw new InputError(`expected a row of at most ${maxBytes} bytes, found a longer one`, {
        file: source.name,
        line,
      });
    }
  }
  pending += next.join('');
  scanner ??= new RowScanner(source.name, dialect(firstLine(pending)));
  for (let start = 0; start < pending.length;) {
    const row = scanner.row(pending, start, line, true);
    if (row === undefined) return;
    yield row;
    start += row.text.length + row.lineBreak.length;
    line += lineBreaks(row.text) + 1;
  }
}

/** A row of fields as text, quoted where they need it. */
export function formatRow(fields: readonly string[], delimiter: string): string {
  return fields.map((field) => formatField(field, delimiter)).join(delimiter);
}

export function formatField(field: string, delimiter: string): string {
  const needsQuotes = field.includes(delimiter) || /^\ufeff|["\r\n]/.test(field);
  return needsQuotes ? `"${field.replaceAll('"', '""')}"` : field;
}

/** The fields of one row. */
export function parseRow(text: string, dialect: Dialect, file: string): Row {
  const row = new RowScanner(file, dialect).row(text, 0, 1, true);
  return row ?? { fields: [''], raw: [''], text: '', lineBreak: '', line: 1 };
}

class RowScanner {
  readonly #plain: RegExp;

  constructor(
    readonly file: string,
    readonly dialect: Dialect,
  ) {
    this.#plain = new RegExp(`[^${dialect.delimiter}\\n]*`, 'y');
  }

  /** The row that begins at `start`; undefined when the text may end inside of it, unless `isEnd`. */
  row(text: string, start: number, line: number, isEnd: boolean): Row | undefined {
    if (start >= text.length) return undefined;
    const fields: string[] = [];
    const raw: string[] = [];
    for (let at = start; ;) {
      const field = this.#quotedField(text, at, line, isEnd) ?? this.#plainField(text, at, isEnd);
      if (field === 'cut') return undefined;
      fields.push(field.value);
      raw.push(text.slice(at, field.end));
      at = field.end;
      if (text.startsWith(this.dialect.delimiter, at)) {
        at += this.dialect.delimiter.length;
      } else {
        const lineBreak = text.startsWith('\r\n', at) ? '\r\n' : text.slice(at, at + 1);
        return { fields, raw, text: text.slice(start, at), lineBreak, line };
      }
    }
  }

  #plainField(text: string, start: number, isEnd: boolean): { value: string; end: number } | 'cut' {
    this.#plain.lastIndex = start;
    this.#plain.exec(text);
    let end = this.#plain.lastIndex;
    if (end >= text.length && !isEnd) return 'cut';
    if (text.startsWith('\r\n', end - 1) && end > start) end -= 1;
    return { value: text.slice(start, end), end };
  }

  /** A field in quotes; undefined where it is not quoted. */
  #quotedField(
    text: string,
    start: number,
    line: number,
    isEnd: boolean,
  ): { value: string; end: number } | 'cut' | undefined {
    if (text.charAt(start) !== '"') return undefined;
    const { delimiter, looseQuotes } = this.dialect;
    for (let at = start + 1; ; at += 2) {
      at = text.indexOf('"', at);
      if (at < 0) {
        if (!isEnd) return 'cut';
        if (looseQuotes) return undefined;
        throw this.#failure('a closing quote', 'the end of the input', text, start, line);
      }
      const after = text.slice(at + 1, at + 3);
      if (after.length < 2 && !isEnd) return 'cut';
      if (after.startsWith('"')) continue;
      if (after === '' || after.startsWith(delimiter) || /^\r?\n/.test(after)) {
        return { value: text.slice(start + 1, at).replaceAll('""', '"'), end: at + 1 };
      }
      if (looseQuotes) return undefined;
      throw this.#failure(
        'a delimiter after the closing quote',
        quoted(text.slice(at + 1, at + 20)),
        text,
        start,
        line,
      );
    }
  }

  #failure(expected: string, found: string, text: string, start: number, line: number): InputError {
    return new InputError(
      `expected ${expected} of the field ${quoted(text.slice(start, start + 40))}, found ${found}`,
      {
        file: this.file,
        line,
      },
    );
  }
}

function firstLine(text: string): string {
  return text.slice(0, (text + '\n').indexOf('\n'));
}

function lineBreaks(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
}
