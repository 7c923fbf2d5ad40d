import type { Location } from '../../errors.js';
import type { Document, Entity, Passage } from '../document.js';
import { keptExtras } from '../extras.js';
import { tolerated } from '../faults.js';
import type { Format, ReadOptions, Source } from '../format.js';
import { wrongField } from '../json.js';
import { framed, type Frame, type KeptSource } from '../kept-source.js';
import { stem } from '../lines.js';
import { LossReport } from '../losses.js';
import { MentionReader, offsetWriter, sameEntities } from '../mentions.js';
import { formatField, formatRow, parseRow, tableRows, type Dialect, type Row } from '../table-rows.js';
import { unchangedTypes } from '../types.js';
import { columnsOf, entitiesColumn, looksLikeHeader, type Columns } from './csv-columns.js';
import { entitiesToJson, parseEntity } from './entity-json.js';

/**
 * A table with a header, a row a document: RFC 4180, divided by commas, or by semicolons where the header has no comma.
 * The options `textColumn` and `idColumn` name the columns; several text columns are joined by line breaks and become
 * passages. Entities are read from and written to the column `entities`, as the array of `jsonl`, with offsets in code
 * points. All other columns are kept, and rows stay as they are written but for that column.
 */
export const csv: Format = tableFormat({
  name: 'csv',
  description: 'a table with named columns, divided by commas',
  extensions: ['.csv'],
  dialect: (header) => ({ delimiter: !header.includes(',') && header.includes(';') ? ';' : ',', looseQuotes: false }),
});

/**
 * The same divided by tabs. A field that begins with a quote but is not rightly quoted is taken as it is, because not
 * all writers of tabs know quotes. https://www.iana.org/assignments/media-types/text/tab-separated-values
 */
export const tsv: Format = tableFormat({
  name: 'tsv',
  description: 'a table with named columns, divided by tabs',
  extensions: ['.tsv', '.tab'],
  dialect: () => ({ delimiter: '\t', looseQuotes: true }),
});

interface TableKind {
  readonly name: string;
  readonly description: string;
  readonly extensions: readonly string[];
  readonly dialect: (header: string) => Dialect;
}

/** What is kept of a table's row beside text and entities. */
interface KeptRow extends Columns {
  /** The fields of all columns; empty for the text, the identifier and the entities. */
  readonly fields: readonly string[];
}

function tableFormat({ name, description, extensions, dialect }: TableKind): Format {
  return {
    name,
    description,
    loses: 'passages, unless the table has a column for each',
    extensions,
    matches: (head, fileName) => {
      const [first = ''] = head.trimStart().split(/\r?\n/, 1);
      const named = extensions.some((extension) => fileName.replace(/\.gz$/i, '').toLowerCase().endsWith(extension));
      const { fields } = parseRow(first, { ...dialect(first), looseQuotes: true }, fileName);
      return named ? first !== '' : looksLikeHeader(fields);
    },

    read: (source, options) => readTable(source, options, name, dialect),

    async *write(documents, { onLoss }) {
      const losses = new LossReport(name, onLoss);
      const writer = new TableWriter(dialect, losses);
      const frame: Frame = {
        format: name,
        head: (first, kept) => writer.head(first, kept),
        separator: () => '\n',
        tail: () => '\n',
        empty: '',
        document: (document, kept) => {
          losses.details({ ...document, entities: [] }, { attributes: [], extras: ['table'] });
          return writer.row(document, kept);
        },
      };
      yield* framed(documents, frame);
    },
  };
}

async function* readTable(
  source: Source,
  options: ReadOptions,
  format: string,
  dialect: (header: string) => Dialect,
): AsyncGenerator<Document, void> {
  let header: Columns | undefined;
  let head = '';
  let between = '';
  let index = 0;
  let lastBreak = '';
  let held: { document: Document; kept: KeptSource } | undefined;
  const complete = ({ document, kept }: { document: Document; kept: KeptSource }): Document => {
    return { ...document, extras: { ...document.extras, source: kept } };
  };
  try {
    for await (const row of tableRows(source, dialect, options.maxBytes)) {
      const { text, lineBreak } = row;
      if (text.trim() === '' && row.fields.length === 1) {
        between += text + lineBreak;
      } else if (header === undefined) {
        header = columnsOf(row.fields, options, { file: source.name, line: row.line });
        head = between + text + lineBreak;
        between = '';
      } else {
        if (held !== undefined) yield complete(held);
        if (index === 0) head += between;
        const before = index === 0 ? '' : lastBreak + between;
        between = '';
        lastBreak = lineBreak;
        const kept = { format, file: source.name, index, head, before, text };
        const [columns, place] = [header, index];
        const document = tolerated(options, () => documentOf(row, columns, options, source.name, place));
        held = document === undefined ? undefined : { document, kept };
        index += 1;
      }
    }
  } catch (fault) {
    if (held !== undefined) yield complete(held);
    throw fault;
  }
  if (held !== undefined) yield complete({ ...held, kept: { ...held.kept, tail: lastBreak + between } });
}

/** The document of a row. */
function documentOf(row: Row, columns: Columns, options: ReadOptions, file: string, index: number): Document {
  const { fields } = row;
  const at = { file, line: row.line };
  if (fields.length > columns.names.length) {
    throw wrongField(`${columns.names.length} columns`, fields.length, at);
  }
  const parts = columns.texts
    .map((column) => ({ kind: (columns.names[column] ?? '').trim().toLowerCase(), text: fields[column] ?? '' }))
    .filter(({ text }) => text !== '');
  const text = parts.map((part) => part.text).join('\n');
  const passages: Passage[] = [];
  let start = 0;
  for (const part of parts) {
    passages.push({ kind: part.kind, start, end: start + part.text.length });
    start += part.text.length + 1;
  }
  const modelled = new Set([columns.id, columns.entities, ...columns.texts]);
  const kept: KeptRow = {
    ...columns,
    fields: columns.names.map((_, column) => (modelled.has(column) ? '' : (fields[column] ?? ''))),
  };
  const id = columns.id < 0 ? '' : (fields[columns.id] ?? '');
  return {
    id: id === '' ? `${stem(file)}:${index + 1}` : id,
    text,
    entities: parseEntities(columns.entities < 0 ? '' : (fields[columns.entities] ?? ''), text, options, at),
    ...(columns.texts.length > 1 ? { passages } : {}),
    extras: { table: kept },
  };
}

function parseEntities(field: string, text: string, options: ReadOptions, at: Location): Entity[] {
  if (field.trim() === '') return [];
  let value: unknown;
  try {
    value = JSON.parse(field);
  } catch {
    value = undefined;
  }
  if (!Array.isArray(value)) throw wrongField(`an array of JSON in the column "${entitiesColumn}"`, field, at);
  const { offsets: unit = 'codepoint', repairOffsets: repair, onRepair } = options;
  const reader = new MentionReader(text, at.file ?? '<table>', { unit, repair, onRepair });
  return value.map((entity: unknown) => parseEntity(entity, reader, options, at));
}

/** Writes rows under one header, which the first document decides. */
class TableWriter {
  #dialect: Dialect;
  #columns: Columns = { names: ['id', 'text', entitiesColumn], id: 0, texts: [1], entities: 2 };
  #keptHead: string | undefined;
  #isWidened = false;

  constructor(
    readonly dialect: (header: string) => Dialect,
    readonly losses: LossReport,
  ) {
    this.#dialect = dialect('');
  }

  /** The header: the file's own, with a column of entities added where it has none. */
  head(first: Document, kept: KeptSource | undefined): { text: string; isOwn: boolean } {
    const table = keptRow(first);
    if (table !== undefined) {
      this.#isWidened = table.entities < 0;
      const { names } = table;
      this.#columns = this.#isWidened ? { ...table, names: [...names, entitiesColumn], entities: names.length } : table;
    }
    const [, header = '', rest = ''] = /^([^]*?)((?:\r?\n *)*)$/.exec(kept?.head ?? '') ?? [];
    if (header === '') {
      return { text: `${formatRow(this.#columns.names, this.#dialect.delimiter)}\n`, isOwn: false };
    }
    this.#keptHead = kept?.head;
    this.#dialect = this.dialect(header);
    const widened = this.#isWidened ? this.#dialect.delimiter + entitiesColumn : '';
    return { text: `${header}${widened}${rest}`, isOwn: true };
  }

  row(document: Document, kept: KeptSource | undefined): string {
    const own = kept !== undefined && kept.head === this.#keptHead ? this.#updated(document, kept) : undefined;
    return own ?? this.#newRow(document);
  }

  /** The row as it was but for its entities; undefined when its text or identifier is another. */
  #updated(document: Document, kept: KeptSource): string | undefined {
    const table = keptRow(document);
    if (table === undefined) return undefined;
    const row = parseRow(kept.text, this.#dialect, kept.file);
    const before = documentOf(row, table, { types: unchangedTypes }, kept.file, kept.index);
    if (before.text !== document.text || before.id !== document.id) return undefined;
    if (!this.#isWidened && sameEntities(before.entities, document.entities)) return kept.text;
    const { entities } = this.#columns;
    const fields = [...row.raw, ...new Array<string>(Math.max(0, entities - row.raw.length)).fill('')];
    fields[entities] = formatField(entitiesField(document), this.#dialect.delimiter);
    return fields.join(this.#dialect.delimiter);
  }

  #newRow(document: Document): string {
    const { names, id, entities, texts } = this.#columns;
    const fields = names.map(() => '');
    const table = keptRow(document);
    const homeless = new Set<string>();
    table?.fields.forEach((value, k) => {
      const column = names.indexOf(table.names[k] ?? '');
      if (column >= 0 && column !== id && column !== entities && !texts.includes(column)) fields[column] = value;
      else if (value !== '') homeless.add(table.names[k] ?? '');
    });
    if (homeless.size > 0) this.losses.detail(document, `the columns ${[...homeless].join(', ')}`);
    if (id >= 0) fields[id] = document.id;
    else this.losses.detail(document, 'the identifier');
    this.#textFields(document).forEach((part, k) => {
      fields[texts[k] ?? 0] = part;
    });
    fields[entities] = entitiesField(document);
    return formatRow(fields, this.#dialect.delimiter);
  }

  /** The text by columns where the passages are those of the columns, otherwise all in the first. */
  #textFields(document: Document): string[] {
    const { text, passages = [] } = document;
    const kinds = this.#columns.texts.map((column) => (this.#columns.names[column] ?? '').trim().toLowerCase());
    if (passages.length <= 1 && kinds.length === 1) return [text];
    const parts = kinds.map((kind) => {
      const passage = passages.find((candidate) => candidate.kind === kind);
      return passage === undefined ? '' : text.slice(passage.start, passage.end);
    });
    if (parts.filter((part) => part !== '').join('\n') === text) return parts;
    this.losses.detail(document, 'passages, which are not the columns of the table');
    return [text];
  }
}

function entitiesField(document: Document): string {
  if (document.entities.length === 0) return '';
  return JSON.stringify(entitiesToJson(document, offsetWriter(document.text, 'codepoint')));
}

function keptRow(document: Document): KeptRow | undefined {
  const { names, fields, texts, id, entities } = keptExtras(document, 'table');
  const isStrings = (value: unknown): value is string[] =>
    Array.isArray(value) && value.every((item) => typeof item === 'string');
  const isPlaces = (value: unknown): value is number[] =>
    Array.isArray(value) && value.every((item) => typeof item === 'number');
  if (!isStrings(names) || !isStrings(fields) || !isPlaces(texts)) return undefined;
  if (typeof id !== 'number' || typeof entities !== 'number' || texts.length === 0) return undefined;
  return { names, fields, texts, id, entities };
}
