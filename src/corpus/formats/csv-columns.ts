import { InputError, type Location } from '../../errors.js';
import type { ReadOptions } from '../format.js';

/** What the columns of a table hold, by their places. */
export interface Columns {
  readonly names: readonly string[];
  /** -1 where the rows have no identifier. */
  readonly id: number;
  readonly texts: readonly number[];
  /** -1 where there are no entities yet. */
  readonly entities: number;
}

/** The column that this library writes entities into. */
export const entitiesColumn = 'entities';

/** Names of columns that are the text, the first set that is there; several are title and body. */
const usualTexts = [
  ['text'],
  ['title', 'abstract'],
  ['articletitle', 'abstracttext'],
  ['abstract'],
  ['sentence'],
  ['content'],
  ['body'],
  ['title'],
];
const usualIds = ['id', 'pmid', 'doc_id', 'docid', 'document_id', 'pmcid'];

/**
 * Which columns of a header hold what; names are compared without regard to case.
 * @throws InputError when a column that was asked for, or any for the text, is not there
 */
export function columnsOf(names: readonly string[], options: ReadOptions, at: Location): Columns {
  const lower = names.map((name) => name.trim().toLowerCase());
  const place = (name: string): number => {
    const exact = names.indexOf(name);
    return exact >= 0 ? exact : lower.indexOf(name.trim().toLowerCase());
  };
  const required = (name: string): number => {
    const found = place(name);
    if (found < 0) throw new InputError(`expected a column ${name}, found ${names.join(', ')}`, at);
    return found;
  };
  const { textColumn, idColumn } = options;
  const asked = textColumn === undefined ? undefined : [textColumn].flat();
  const usual = usualTexts.find((set) => set.every((name) => lower.includes(name)));
  const texts = asked?.map(required) ?? usual?.map(place) ?? (names.length === 1 ? [0] : []);
  if (texts.length === 0) {
    throw new InputError(`expected a column "text", or --text-column with another, found ${names.join(', ')}`, at);
  }
  const id = idColumn === undefined ? place(usualIds.find((name) => lower.includes(name)) ?? '') : required(idColumn);
  return { names, texts, id: texts.includes(id) ? -1 : id, entities: lower.indexOf(entitiesColumn) };
}

/** Whether a first line looks like a header with a text: some columns, one of a usual name, no prose. */
export function looksLikeHeader(fields: readonly string[]): boolean {
  const lower = fields.map((field) => field.toLowerCase());
  return (
    fields.length > 1 &&
    fields.every((field) => /^\w[\w ,.()/#-]{0,40}$/.test(field)) &&
    ['text', 'abstract', 'sentence'].some((name) => lower.includes(name))
  );
}
