import { InputError } from '../../errors.js';
import type { Entity } from '../document.js';
import type { ReadOptions } from '../format.js';
import { isObject, items, without, wrongField, type JsonObject } from '../json.js';
import { fileType, hull, mentionText, MentionReader, offsetWriter, quoted } from '../mentions.js';
import { defaultTypes, mappedType } from '../types.js';
import type { BiocLayout, BiocUnit } from './bioc-layout.js';
import { untyped } from './iob-tags.js';

/** Infons that name a concept, in the order in which they are asked. */
const conceptKeys = ['identifier', 'Identifier', 'MESH', 'MeSH', 'NCBI GENE', 'NCBI_Gene', 'NCBI Gene', 'OMIM'];

/** Attributes that are not written as infons of their name. */
const ownAttributes: ReadonlySet<string> = new Set(['concept', 'sourceType', 'mention', 'infons', 'fields']);

type Offsets = [number, number][];

export interface BiocPlace {
  readonly file: string;
  /** The line of a part of the document, for messages. */
  readonly line: (part: JsonObject) => number;
}

/** Turns annotations of one document into entities. */
export class AnnotationReader {
  readonly #units = new Map<BiocUnit | undefined, MentionReader>();

  constructor(
    readonly layout: BiocLayout,
    readonly place: BiocPlace,
    readonly options: ReadOptions,
    readonly context: string,
    /** Told of a mention that is kept although its text is not quite what is at its place. */
    readonly onNearMiss: ReadOptions['onRepair'],
  ) {}

  /**
   * The entity of an annotation, `undefined` where it has no location or only empty ones.
   * @param unit what contained it, or undefined for an annotation of the document
   * @throws InputError when a field is of the wrong kind or the mention is not at its place
   */
  entity(annotation: JsonObject, unit: BiocUnit | undefined): Entity | undefined {
    const line = this.place.line(annotation);
    const at = { file: this.place.file, line };
    const { id, text, locations, infons = {} } = annotation;
    if (!isObject(infons)) throw wrongField('an object "infons"', infons, at);
    if (text !== undefined && text !== null && typeof text !== 'string') throw wrongField('a string "text"', text, at);
    const offsets = items(locations).map((location): [number, number] => {
      const { offset, length } = isObject(location) ? location : {};
      if (!isCount(offset) || !isCount(length)) throw wrongField('"offset" and "length" of a location', location, at);
      return [offset, offset + length];
    });
    if (offsets.every(([start, end]) => start === end)) return undefined;
    const mention = text === null || text === '' ? undefined : text;
    const spans = this.#spans(offsets, mention, unit, line);
    const attributes: Record<string, string> = {};
    const found = readInfons(infons, attributes);
    const { type, sourceType } = mappedType(found.type ?? untyped, this.options.types ?? defaultTypes);
    if (sourceType !== undefined) attributes['sourceType'] = sourceType;
    if (mention !== undefined && mentionText(this.layout.text, spans) !== mention) attributes['mention'] = mention;
    const fields = without(annotation, 'id', 'infons', 'text', 'locations');
    if (Object.keys(fields).length > 0) attributes['fields'] = JSON.stringify(fields);
    return {
      ...(typeof id === 'string' || typeof id === 'number' ? { id: String(id) } : {}),
      type,
      spans,
      ...(found.score === undefined ? {} : { score: found.score }),
      ...(Object.keys(attributes).length > 0 ? { attributes } : {}),
    };
  }

  #spans(offsets: Offsets, mention: string | undefined, unit: BiocUnit | undefined, line: number): Entity['spans'] {
    if (unit === undefined) return this.#across(offsets, mention, line);
    try {
      return this.#within(unit, offsets, mention, line);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      try {
        return this.#across(offsets, mention, line);
      } catch {
        const spans = this.#nearMiss(unit, offsets, mention, line);
        if (spans === undefined) throw error;
        return spans;
      }
    }
  }

  /** Spans inside of one unit, whose offsets are relative to the unit's own. */
  #within(unit: BiocUnit, offsets: Offsets, mention: string | undefined, line: number): Entity['spans'] {
    const { text } = this.layout;
    const reader = this.#reader(unit, text.slice(unit.start, unit.end), unit.offset);
    return moved(checked(reader, offsets, mention, line), unit.start);
  }

  /** Places a character or two beside the mention, as even published corpora have: they stay, and are reported. */
  #nearMiss(unit: BiocUnit, offsets: Offsets, mention: string | undefined, line: number): Entity['spans'] | undefined {
    const { text } = this.layout;
    const reader = this.#reader(unit, text.slice(unit.start, unit.end), unit.offset);
    const spans = spansOnly(reader, offsets, line);
    if (spans === undefined || mention === undefined || reader.fittingUnit(offsets, mention) !== undefined) {
      return undefined;
    }
    const found = mentionText(reader.text, spans);
    if (!nearlySame(ink(found), ink(mention), 2 * spans.length)) return undefined;
    const message = `kept ${quoted(found)} at its place, although it is written ${quoted(mention)}${this.context}`;
    this.onNearMiss?.({ file: this.place.file, line, message });
    return moved(spans, unit.start);
  }

  /** Spans anywhere in the document: each offset is relative to the last unit that does not begin after it. */
  #across(offsets: Offsets, mention: string | undefined, line: number): Entity['spans'] {
    const { text, units } = this.layout;
    const count = offsetWriter(text, this.options.offsets ?? 'codepoint');
    const global = (offset: number) => {
      const unit = units.findLast((candidate) => candidate.offset <= offset);
      return unit === undefined ? offset : count(unit.start) + offset - unit.offset;
    };
    const reader = this.#reader(undefined, text, 0);
    return checked(
      reader,
      offsets.map(([start, end]) => [global(start), global(end)]),
      mention,
      line,
    );
  }

  #reader(unit: BiocUnit | undefined, text: string, origin: number): MentionReader {
    let reader = this.#units.get(unit);
    if (reader === undefined) {
      const { offsets = 'codepoint', repairOffsets: repair, onRepair } = this.options;
      const policy = { unit: offsets, repair, onRepair, origin, context: this.context };
      reader = new MentionReader(text, this.place.file, policy);
      this.#units.set(unit, reader);
    }
    return reader;
  }
}

/** An entity as an annotation; `offset` converts places in the document's text to offsets of the file. */
export function annotationOf(text: string, entity: Entity, id: string, offset: (utf16: number) => number): JsonObject {
  const { spans, attributes = {}, score } = entity;
  const { concept, mention } = attributes;
  const infons: JsonObject = { type: fileType(entity) };
  const stated = conceptKeys.some((key) => attributes[key] === concept);
  if (concept !== undefined && !stated) infons['identifier'] = concept;
  for (const [name, value] of Object.entries(attributes)) if (!ownAttributes.has(name)) infons[name] = value;
  Object.assign(infons, parsedAttribute(attributes['infons']));
  if (score !== undefined) infons['score'] = String(score);
  const locations = spans.map((span) => {
    const start = offset(span.start);
    return { offset: start, length: offset(span.end) - start };
  });
  return { id, infons, text: mention ?? mentionText(text, spans), locations, ...parsedAttribute(attributes['fields']) };
}

/** The type, score and attributes that infons say; what is no string is kept as JSON in the attribute `infons`. */
function readInfons(infons: JsonObject, attributes: Record<string, string>): { type?: string; score?: number } {
  const others: JsonObject = {};
  const found: { type?: string; score?: number } = {};
  for (const [key, value] of Object.entries(infons)) {
    if (key === 'type' && typeof value === 'string' && value !== '') found.type = value;
    else if (key === 'score' && isScore(value)) found.score = Number(value);
    else if (key === 'identifier' && typeof value === 'string') attributes['concept'] = value;
    else if (typeof value === 'string' && !ownAttributes.has(key)) attributes[key] = value;
    else others[key] = value;
  }
  const concept = conceptKeys.map((key) => attributes[key]).find((value) => value !== undefined);
  if (concept !== undefined && attributes['concept'] === undefined) attributes['concept'] = concept;
  if (Object.keys(others).length > 0) attributes['infons'] = JSON.stringify(others);
  return found;
}

/** Only what is written back as it was. */
function isScore(value: unknown): value is string {
  return typeof value === 'string' && String(Number(value)) === value && Number(value) >= 0 && Number(value) <= 1;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function parsedAttribute(json: string | undefined): JsonObject {
  if (json === undefined) return {};
  try {
    const value: unknown = JSON.parse(json);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

/** Spans whose mention may also be written as the whole from the first part to the last, or joined otherwise than by a space. */
function checked(reader: MentionReader, offsets: Offsets, mention: string | undefined, line: number): Entity['spans'] {
  if (offsets.length > 1 && mention !== undefined) {
    const spans = spansOnly(reader, offsets, line);
    if (spans !== undefined) {
      const { start, end } = hull({ type: '', spans });
      const written = ink(mention);
      if (written === ink(mentionText(reader.text, spans)) || written === ink(reader.text.slice(start, end)))
        return spans;
    }
  }
  return reader.spans(offsets, mention, line);
}

function spansOnly(reader: MentionReader, offsets: Offsets, line: number): Entity['spans'] | undefined {
  try {
    return reader.spans(offsets, undefined, line);
  } catch {
    return undefined;
  }
}

/** Whether one text is the other without at most `most` characters. */
function nearlySame(a: string, b: string, most: number): boolean {
  const [short, long] = a.length <= b.length ? [a, b] : [b, a];
  let found = 0;
  for (const character of long) if (short.startsWith(character, found)) found += character.length;
  return long.length - short.length <= most && short.length > most && found === short.length;
}

function ink(text: string): string {
  return text.replace(/[\s.…]+/g, '');
}

function moved([first, ...rest]: Entity['spans'], by: number): Entity['spans'] {
  const move = ({ start, end }: { start: number; end: number }) => ({ start: start + by, end: end + by });
  return [move(first), ...rest.map(move)];
}
