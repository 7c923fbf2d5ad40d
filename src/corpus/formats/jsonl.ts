import { InputError, type Location } from '../../errors.js';
import type { Document, Entity, Passage } from '../document.js';
import type { Format, ReadOptions } from '../format.js';
import { lineBatches, stem } from '../lines.js';
import { hull, mentionText, MentionReader, offsetWriter, quoted, type OffsetUnit } from '../mentions.js';
import { defaultTypes, mappedType } from '../types.js';

type JsonObject = Record<string, unknown>;
type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const documentFields = ['id', 'text', 'entities', 'offsets', 'passages', 'extras'];
const entityFields = new Set(['id', 'type', 'start', 'end', 'text', 'score', 'spans', 'attributes']);

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
  loses: 'sentence and word boundaries of a tokenised source',
  extensions: ['.jsonl', '.ndjson', '.json'],
  matches: (head) => {
    const [first = ''] = head.trimStart().split('\n', 1);
    return (
      first.startsWith('{') &&
      /"text"\s*:\s*"/.test(first) &&
      !/"passages"\s*:\s*\[\s*\{\s*"(?:infons|offset)"/.test(first)
    );
  },

  async *read(source, options) {
    for await (const batch of lineBatches(source, options.maxBytes)) {
      let line = batch.first;
      for (const content of batch.lines) {
        if (content.trim() !== '') yield parseDocument(content, options, { file: source.name, line });
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
  const { id, text, passages, extras = {} } = document;
  const offset = offsetWriter(text, unit);
  const used = new Set(document.entities.map((entity) => entity.id));
  let serial = 0;
  const freeId = (): string => {
    do serial += 1;
    while (used.has(`T${serial}`));
    return `T${serial}`;
  };
  const entities = document.entities.map((entity) => {
    const { start, end } = hull(entity);
    return {
      id: entity.id ?? freeId(),
      type: entity.type,
      start: offset(start),
      end: offset(end),
      text: mentionText(text, entity.spans),
      score: entity.score,
      spans: entity.spans.length > 1 ? entity.spans.map((span) => [offset(span.start), offset(span.end)]) : undefined,
      attributes: entity.attributes,
    };
  });
  const { jsonl: fields, ...others } = extras;
  return JSON.stringify({
    id,
    text,
    entities,
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
  if (typeof text !== 'string') throw wrong('a string "text"', text, at);
  if (id !== undefined && typeof id !== 'string' && typeof id !== 'number') throw wrong('a string "id"', id, at);
  if (!Array.isArray(entities)) throw wrong('an array "entities"', entities, at);
  const unit = offsets === undefined ? (options.offsets ?? 'codepoint') : offsetUnit(offsets, at);
  const mentions = new MentionReader(text, at.file ?? '<jsonl>', {
    unit,
    repair: options.repairOffsets,
    onRepair: options.onRepair,
  });
  const rest = Object.entries(fields).filter(([name]) => !documentFields.includes(name));
  const kept = {
    ...(isObject(extras) ? extras : {}),
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

function parseEntity(value: unknown, mentions: MentionReader, options: ReadOptions, at: Location): Entity {
  if (!isObject(value)) throw wrong('an object in "entities"', value, at);
  const { id, type: name, start, end, text, score, spans } = value;
  if (typeof name !== 'string' || name === '') throw wrong('a string "type" of an entity', name, at);
  if (text !== undefined && typeof text !== 'string') throw wrong('a string "text" of an entity', text, at);
  if (score !== undefined && (typeof score !== 'number' || score < 0 || score > 1)) {
    throw wrong('a "score" between 0 and 1', score, at);
  }
  const fragments = spans === undefined ? [[start, end]] : spans;
  if (!Array.isArray(fragments) || fragments.length === 0 || !fragments.every(isPair)) {
    throw wrong('numbers "start" and "end", or "spans" of pairs of numbers,', spans ?? [start, end], at);
  }
  const { type, sourceType } = mappedType(name, options.types ?? defaultTypes);
  const entity: Mutable<Entity> = { type, spans: mentions.spans(fragments, text, at.line ?? 1) };
  if (id !== undefined) entity.id = String(id);
  if (score !== undefined) entity.score = score;
  const attributes = keptAttributes(value, sourceType);
  if (attributes !== undefined) entity.attributes = attributes;
  return entity;
}

/** The attributes of an entity and its unknown fields, as strings. */
function keptAttributes(entity: JsonObject, sourceType: string | undefined): Entity['attributes'] {
  const { attributes } = entity;
  const given = isObject(attributes) ? Object.entries(attributes) : [];
  const unknown = Object.keys(entity).filter((name) => !entityFields.has(name));
  if (given.length === 0 && unknown.length === 0 && sourceType === undefined) return undefined;
  const kept: Record<string, string> = {};
  for (const [name, field] of given) kept[name] = asString(field);
  for (const name of unknown) kept[name] = asString(entity[name]);
  if (sourceType !== undefined) kept['sourceType'] = sourceType;
  return kept;
}

function asString(field: unknown): string {
  return typeof field === 'string' ? field : JSON.stringify(field);
}

function parsePassages(value: unknown, mentions: MentionReader, at: Location): Passage[] {
  if (!Array.isArray(value)) throw wrong('an array "passages"', value, at);
  return value.map((passage: unknown) => {
    const { kind, start, end } = isObject(passage) ? passage : {};
    if (typeof kind !== 'string' || typeof start !== 'number' || typeof end !== 'number') {
      throw wrong('"kind", "start" and "end" of a passage', passage, at);
    }
    return { kind, ...mentions.range(start, end, at.line ?? 1) };
  });
}

function parseObject(line: string, at: Location): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new InputError(`expected a JSON object, found ${quoted(line.trim())}`, at, { cause });
  }
  if (!isObject(value)) throw wrong('a JSON object', value, at);
  return value;
}

function offsetUnit(value: unknown, at: Location): OffsetUnit {
  if (value === 'codepoint' || value === 'utf16' || value === 'byte') return value;
  throw wrong('"offsets" to be "codepoint" or "utf16"', value, at);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isPair(value: unknown): value is [number, number] {
  return Array.isArray(value) && value.length === 2 && value.every((offset) => typeof offset === 'number');
}

function wrong(expected: string, found: unknown, at: Location): InputError {
  return new InputError(
    `expected ${expected}, found ${found === undefined ? 'none' : quoted(JSON.stringify(found))}`,
    at,
  );
}
