import type { Location } from '../../errors.js';
import type { Document, Entity } from '../document.js';
import type { ReadOptions } from '../format.js';
import { isObject, wrongField, type JsonObject } from '../json.js';
import { hull, mentionText, type MentionReader } from '../mentions.js';
import { defaultTypes, mappedType } from '../types.js';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const entityFields = new Set(['id', 'type', 'start', 'end', 'text', 'score', 'spans', 'attributes']);

/**
 * The entities of a document as JSON objects; those without an identifier get a free one (`T1`, ...).
 * @param offset converts UTF-16 offsets to the unit of the output
 */
export function entitiesToJson({ text, entities }: Document, offset: (utf16: number) => number): JsonObject[] {
  const used = new Set(entities.map((entity) => entity.id));
  let serial = 0;
  const freeId = (): string => {
    do serial += 1;
    while (used.has(`T${serial}`));
    return `T${serial}`;
  };
  return entities.map((entity) => {
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
}

/**
 * An entity from its JSON object.
 * @throws InputError when a field is missing or of the wrong kind, or when the mention is not at its place
 */
export function parseEntity(value: unknown, mentions: MentionReader, options: ReadOptions, at: Location): Entity {
  if (!isObject(value)) throw wrongField('an object in "entities"', value, at);
  const { id, type: name, start, end, text, score, spans } = value;
  if (typeof name !== 'string' || name === '') throw wrongField('a string "type" of an entity', name, at);
  if (text !== undefined && typeof text !== 'string') throw wrongField('a string "text" of an entity', text, at);
  if (score !== undefined && (typeof score !== 'number' || score < 0 || score > 1)) {
    throw wrongField('a "score" between 0 and 1', score, at);
  }
  const fragments = spans === undefined ? [[start, end]] : spans;
  if (!Array.isArray(fragments) || fragments.length === 0 || !fragments.every(isPair)) {
    throw wrongField('numbers "start" and "end", or "spans" of pairs of numbers,', spans ?? [start, end], at);
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

function isPair(value: unknown): value is [number, number] {
  return Array.isArray(value) && value.length === 2 && value.every((offset) => typeof offset === 'number');
}
