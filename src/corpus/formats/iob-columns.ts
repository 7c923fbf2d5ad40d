import { withoutReturn } from '../lines.js';
import { looksLikeHeader } from './csv-columns.js';
import { isTag } from './iob-tags.js';

/** The word of a line that begins a document. */
export const DOCUMENT_START = '-DOCSTART-';

/** Lines at the beginning of an input that decide whether a table of tabs is one of words and tags. */
const FIRST_ROWS = 50;
/** Rows divided by spaces, in a file whose name says nothing, below which they may as well be short lines of prose. */
const PROSE_ROWS = 3;

/** The columns of a line: divided by tabs where it has any, otherwise by spaces. */
export function iobColumns(line: string): string[] {
  return line.includes('\t') ? line.split('\t') : line.trimEnd().split(/ +/);
}

/**
 * Whether the beginning of an input looks like words and tags. The name decides where it can (`.conll`, `.iob`), so that
 * reading names a malformed line; of tables (`.tsv`) half of the first rows have to be of words and tags. Elsewhere all
 * lines have to be, in one number of columns and with an `O` among the tags: `vitamin B` is a short line of prose.
 */
export function looksLikeIob(head: string, fileName: string): boolean {
  const name = fileName.replace(/\.gz$/i, '').toLowerCase();
  if (/\.(?:iob2?|conll|bio)$/.test(name)) return true;
  const lines = wholeLines(head);
  if (lines[0]?.startsWith(DOCUMENT_START) === true) return true;
  const rows = lines.filter((line) => !line.startsWith(DOCUMENT_START));
  if (name.endsWith('.tsv')) {
    const first = rows.slice(0, FIRST_ROWS);
    return !looksLikeHeader(iobColumns(first[0] ?? '')) && 2 * first.filter(isRow).length >= Math.max(1, first.length);
  }
  return (
    rows.every(isRow) &&
    areConsistent(
      rows.map(iobColumns),
      rows.every((line) => line.includes('\t')),
    )
  );
}

/** The lines that are not blank, without the last one where it may be cut and there are others. */
function wholeLines(head: string): string[] {
  const lines = head.split('\n').map(withoutReturn);
  const whole = lines.slice(0, -1).filter((line) => line.trim() !== '');
  return whole.length > 0 ? whole : lines.filter((line) => line.trim() !== '');
}

function isRow(line: string): boolean {
  const columns = iobColumns(line);
  const [word = ''] = columns;
  return columns.length >= 2 && columns.length <= 4 && word.trim() !== '' && isTag(columns.at(-1) ?? '');
}

/** Rows of one width with an `O` among their tags; divided by spaces, also some rows and a tag with a type. */
function areConsistent(rows: readonly (readonly string[])[], tabbed: boolean): boolean {
  const tags = rows.map((columns) => columns.at(-1) ?? '');
  const isTyped = rows.length >= PROSE_ROWS && tags.some((tag) => /^[BSU]-./.test(tag));
  return tags.includes('O') && new Set(rows.map(({ length }) => length)).size === 1 && (tabbed || isTyped);
}
