import type { InputError } from '../../errors.js';
import type { Document } from '../document.js';
import { tolerated } from '../faults.js';
import type { Format, ReadOptions } from '../format.js';
import {
  edited,
  isObject,
  items,
  jsonNodes,
  parseObject,
  topFields,
  without,
  wrongField,
  type Edit,
  type JsonNode,
  type JsonObject,
} from '../json.js';
import { closingBrackets, jsonRecords, openBrackets } from '../json-records.js';
import { framed, type Frame, type KeptSource } from '../kept-source.js';
import { keptExtras } from '../extras.js';
import { stem } from '../lines.js';
import { LossReport } from '../losses.js';
import { unchangedTypes } from '../types.js';
import { readBioc, type BiocReading } from './bioc.js';
import { updateBioc } from './bioc-update.js';
import { newBioc, parts, reportExtras } from './bioc-write.js';

const lists: ReadonlySet<string> = new Set(['documents', 'PubTator3']);

/**
 * BioC in JSON: a collection (`{"source", "date", "key", "infons", "documents": [...]}`), several of them one after the
 * other or in an array as PMC gives them, the export of PubTator 3 (`{"PubTator3": [...]}`), or documents alone, in an
 * array or one a line. See `readBioc`. Offsets count code points.
 * https://github.com/bionlplab/bioc and https://www.ncbi.nlm.nih.gov/research/pubtator3/api
 */
export const biocJson: Format = {
  name: 'bioc-json',
  description: 'BioC in JSON: collections, and the export of PubTator 3',
  loses: 'relations about mentions that were removed',
  extensions: ['.bioc.json', '.json'],
  matches: (head) => {
    const fields = topFields(head);
    const isCollection = fields.has('documents') && ['source', 'key', 'bioctype'].some((name) => fields.has(name));
    return fields.has('PubTator3') || isCollection || (fields.has('passages') && !fields.has('text'));
  },

  async *read(source, options) {
    const prefix = stem(source.name);
    let collection: JsonObject | undefined;
    for await (const { source: kept, line } of jsonRecords(source, {
      format: 'bioc-json',
      lists,
      maxBytes: options.maxBytes,
    })) {
      collection ??= collectionOf(kept);
      const known = collection;
      const reading = tolerated(options, () => readRecord(kept, options, known, line, `${prefix}:${kept.index + 1}`));
      if (reading !== undefined) yield withSource(reading, kept);
    }
  },

  async *write(documents, { onLoss }) {
    const losses = new LossReport('bioc-json', onLoss);
    const frame: Frame = {
      format: 'bioc-json',
      head: (first, kept) => ({ text: kept?.head ?? newHead(first), isOwn: true }),
      separator: (head) => (closingBrackets(head) === '' ? '\n' : ',\n'),
      tail: (head) => `${closingBrackets(head)}\n`,
      empty: '{"source":"","date":"","key":"","infons":{},"documents":[]}\n',
      document: (document, kept) => {
        reportExtras(document, losses);
        return (kept === undefined ? undefined : updated(document, kept, losses)) ?? newRecord(document, losses);
      },
    };
    yield* framed(documents, frame);
  },
};

/** The document with its source, unless offsets in it were not what they should be. */
function withSource({ document, repaired }: BiocReading, source: KeptSource): Document {
  return repaired ? document : { ...document, extras: { ...document.extras, source } };
}

function readRecord(
  kept: KeptSource,
  options: ReadOptions,
  collection: JsonObject,
  line: number,
  fallbackId: string,
): BiocReading & { readonly bioc: JsonObject } {
  const at = { file: kept.file, line };
  const bioc = parseObject(kept.text, at);
  if (!Array.isArray(bioc['passages'])) throw noPassages(bioc['passages'], at);
  return { bioc, ...readBioc(bioc, collection, options, { file: kept.file, line: () => line, fallbackId }) };
}

function noPassages(found: unknown, at: { file: string; line: number }): InputError {
  return wrongField('an array "passages"', found, at);
}

/** What the head of a file says of its collection. */
function collectionOf({ head, file }: KeptSource): JsonObject {
  const start = openBrackets(head).find((place) => head.charAt(place) === '{');
  if (start === undefined) return {};
  return without(parseObject(head.slice(start) + closingBrackets(head.slice(start)), { file }), ...lists);
}

function newHead(first: Document): string {
  const { collection } = keptExtras(first, 'bioc');
  const fields = { source: '', date: '', key: '', infons: {}, ...(isObject(collection) ? collection : {}) };
  return `${JSON.stringify({ ...fields, documents: [] }).slice(0, -2)}\n`;
}

function newRecord(document: Document, losses: LossReport): string {
  return JSON.stringify(newBioc(document, losses));
}

/** The record as it was, with other annotations where they changed. */
function updated(document: Document, kept: KeptSource, losses: LossReport): string | undefined {
  const reading = readRecord(kept, { types: unchangedTypes }, {}, 1, document.id);
  const update = updateBioc(document, reading.bioc, reading, losses);
  if (update === undefined) return undefined;
  const { changes, goneRelations } = update;
  if (changes.size === 0 && goneRelations.size === 0) return kept.text;
  const nodes = new Map<JsonObject, JsonNode>();
  index(reading.bioc, jsonNodes(kept.text), nodes);
  const edits: Edit[] = [];
  for (const part of parts(reading.bioc)) {
    const node = nodes.get(part);
    const change = changes.get(part);
    if (change !== undefined && node !== undefined) {
      const { removed, replaced, added } = change;
      const next = items(part['annotations'])
        .filter((annotation) => !isObject(annotation) || !removed.has(annotation))
        .map((annotation) => (isObject(annotation) ? (replaced.get(annotation) ?? annotation) : annotation));
      edits.push(arrayEdit(kept.text, node, 'annotations', part, [...next, ...added], nodes));
    }
    const relations = items(part['relations']);
    const left = relations.filter((relation) => !isObject(relation) || !goneRelations.has(relation));
    if (left.length < relations.length && node !== undefined) {
      edits.push(arrayEdit(kept.text, node, 'relations', part, left, nodes));
    }
  }
  return edited(kept.text, edits);
}

/** An array with other elements, those that were there as they are written. */
function arrayEdit(
  text: string,
  container: JsonNode,
  field: string,
  part: JsonObject,
  next: readonly unknown[],
  nodes: ReadonlyMap<JsonObject, JsonNode>,
): Edit {
  const array = container.members?.get(field);
  const [first, second] = array?.elements ?? [];
  const written = next.map((element) => {
    const node = isObject(element) ? nodes.get(element) : undefined;
    return node === undefined ? JSON.stringify(element) : text.slice(node.start, node.end);
  });
  if (array === undefined || !Array.isArray(part[field])) {
    const comma = Object.keys(part).length > 0 ? ', ' : '';
    const value = `"${field}": [${written.join(', ')}]`;
    return array === undefined
      ? { start: container.end - 1, end: container.end - 1, text: `${comma}${value}` }
      : { ...array, text: `[${written.join(', ')}]` };
  }
  const last = array.elements?.at(-1);
  const lead = first === undefined ? '' : text.slice(array.start + 1, first.start);
  const trail = last === undefined ? '' : text.slice(last.end, array.end - 1);
  const separator =
    first !== undefined && second !== undefined ? text.slice(first.end, second.start) : `,${lead === '' ? ' ' : lead}`;
  return {
    start: array.start,
    end: array.end,
    text: written.length === 0 ? '[]' : `[${lead}${written.join(separator)}${trail}]`,
  };
}

/** The places of all objects of a value. */
function index(value: unknown, node: JsonNode | undefined, nodes: Map<JsonObject, JsonNode>): void {
  if (node === undefined) return;
  if (isObject(value)) {
    nodes.set(value, node);
    for (const [name, field] of Object.entries(value)) index(field, node.members?.get(name), nodes);
  } else {
    items(value).forEach((item, k) => {
      index(item, node.elements?.[k], nodes);
    });
  }
}
