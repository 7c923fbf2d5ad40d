import type { Location } from '../../errors.js';
import type { Document, Passage } from '../document.js';
import { tolerated } from '../faults.js';
import type { Format, ReadOptions } from '../format.js';
import { isObject, parseObject, topFields, wrongField, type JsonObject } from '../json.js';
import { lineBatches, stem } from '../lines.js';
import { MentionReader, offsetWriter, type OffsetUnit } from '../mentions.js';
import { entitiesToJson, parseEntity } from './entity-json.js';

const documentFields = ['id', 'text', 'entities', 'offsets', 'passages', 'extras'];

/**
 * One JSON object a line:
 * `{"id", "text", "entities": [{"id", "type", "start", "end", "text", "score", "spans"?, "attributes"?}], "offsets",
 * "passages"?, "extras"?}`. `start` and `end` are the hull of the mention; a discontinuous one has its fragments in
 * `spans` and their texts joined by a space in `text`. `offsets` names the unit, `codepoint` (the default when it is
 * absent) or `utf16`. Other fields are kept. Blank lines are skipped.
 */
export const jsonl: Format = {
  name: 'jsonl',
  description: 'one JSON document a line',
  loses: 'sentence and word boundaries of a tokenised source, the layout of XML, JSON and tables',
  extensions: ['.jsonl', '.ndjson', '.json'],
  matches: (head) => {
    const [first = ''] = head.trimStart().split('\n', 1);
    return first.startsWith('{') && topFields(first).has('text');
  },

  async *read(source, options) {
    for await (const batch of lineBatches(source, options.maxBytes)) {
      let line = batch.first;
      for (const content of batch.lines) {
        const at = { file: source.name, line };
        const document =
          content.trim() === '' ? undefined : tolerated(options, () => parseDocument(content, options, at));
        if (document !== undefined) yield document;
        line += 1;
      }
    }
  },

  async *write(documents, { offsets = 'codepoint' }) {
    for await (const document of documents) yield { text: `${documentToJson(document, offsets)}\n` };
  },
};

/** One document as a line of JSON, without the line break. */
export function documentToJson(document: Document, unit: 'codepoint' | 'utf16' = 'codepoint'): string {
  const { id, text, passages, extras } = document;
  const offset = offsetWriter(text, unit);
  const { jsonl: fields, ...others } = withoutSource(extras);
  return JSON.stringify({
    id,
    text,
    entities: entitiesToJson(document, offset),
    offsets: unit,
    passages: passages?.map(({ kind, start, end }) => ({ kind, start: offset(start), end: offset(end) })),
    extras: Object.keys(others).length > 0 ? others : undefined,
    ...(isObject(fields) ? fields : {}),
  });
}

/**
 * The document in a line of JSON.
 * @throws InputError when the line is not JSON or a field is missing or of the wrong kind
 */
export function parseDocument(line: string, options: ReadOptions = {}, at: Location = {}): Document {
  const fields = parseObject(line, at);
  const { id, text, entities = [], offsets, passages, extras } = fields;
  if (typeof text !== 'string') throw wrongField('a string "text"', text, at);
  if (id !== undefined && typeof id !== 'string' && typeof id !== 'number') throw wrongField('a string "id"', id, at);
  if (!Array.isArray(entities)) throw wrongField('an array "entities"', entities, at);
  const unit = offsets === undefined ? (options.offsets ?? 'codepoint') : offsetUnit(offsets, at);
  const mentions = new MentionReader(text, at.file ?? '<jsonl>', {
    unit,
    repair: options.repairOffsets,
    onRepair: options.onRepair,
  });
  const rest = Object.entries(fields).filter(([name]) => !documentFields.includes(name));
  const kept = {
    ...(isObject(extras) ? withoutSource(extras) : {}),
    ...(rest.length > 0 ? { jsonl: Object.fromEntries(rest) } : {}),
  };
  return {
    id: id === undefined ? `${stem(at.file ?? 'jsonl')}:${at.line ?? 1}` : String(id),
    text,
    entities: entities.map((entity: unknown) => parseEntity(entity, mentions, options, at)),
    ...(passages === undefined ? {} : { passages: parsePassages(passages, mentions, at) }),
    ...(Object.keys(kept).length > 0 ? { extras: kept } : {}),
  };
}

/** Extras but for the exact characters of another format, which would repeat the text. */
function withoutSource(extras: Document['extras'] = {}): JsonObject {
  return Object.fromEntries(Object.entries(extras).filter(([name]) => name !== 'source'));
}

function parsePassages(value: unknown, mentions: MentionReader, at: Location): Passage[] {
  if (!Array.isArray(value)) throw wrongField('an array "passages"', value, at);
  return value.map((passage: unknown) => {
    const { kind, start, end } = isObject(passage) ? passage : {};
    if (typeof kind !== 'string' || typeof start !== 'number' || typeof end !== 'number') {
      throw wrongField('"kind", "start" and "end" of a passage', passage, at);
    }
    return { kind, ...mentions.range(start, end, at.line ?? 1) };
  });
}

function offsetUnit(value: unknown, at: Location): OffsetUnit {
  if (value === 'codepoint' || value === 'utf16' || value === 'byte') return value;
  throw wrongField('"offsets" to be "codepoint" or "utf16"', value, at);
}
