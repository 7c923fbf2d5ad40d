import type { Location } from '../../errors.js';
import type { Span } from '../../text/span.js';
import { isObject, items, wrongField, type JsonObject } from '../json.js';
import { offsetWriter, type OffsetUnit } from '../mentions.js';

/** A part of a document with a text of its own: a passage, or a sentence of a passage that has only sentences. */
export interface BiocUnit extends Span {
  readonly container: JsonObject;
  /** What the file calls the offset of its first character; `start` and `end` are places in the document's text. */
  readonly offset: number;
}

export interface BiocPassage {
  readonly passage: JsonObject;
  readonly span: Span;
  /** Absent where its sentences make its text. */
  readonly unit?: BiocUnit;
  /** A sentence has a unit where the passage has no text of its own. */
  readonly sentences: readonly { readonly sentence: JsonObject; readonly unit?: BiocUnit }[];
}

/** The text of a BioC document and the places of its parts. */
export interface BiocLayout {
  readonly text: string;
  readonly passages: readonly BiocPassage[];
  readonly units: readonly BiocUnit[];
}

const LARGEST_GAP = 100;

/**
 * Lays the passages of a document out so that BioC's offsets count the characters of one text: between two passages
 * stands a line break, and spaces before it where the offsets leave more room. Offsets that do not add up, or leave
 * more than `LARGEST_GAP` characters, leave the line break alone.
 * @param unit what the offsets count
 * @throws InputError when a passage, a text or an offset is of the wrong kind
 */
export function layOut(bioc: JsonObject, unit: OffsetUnit, at: Location): BiocLayout {
  const parts: string[] = [];
  const units: BiocUnit[] = [];
  let length = 0;
  let next: number | undefined;
  const append = (text: string): Span => {
    const start = length;
    parts.push(text);
    length += text.length;
    return { start, end: length };
  };
  const addUnit = (container: JsonObject, text: string, offset: number): BiocUnit => {
    const added = { container, offset, ...append(text) };
    units.push(added);
    next = offset + offsetWriter(text, unit)(text.length);
    return added;
  };
  const gap = (offset: number | undefined, filled: (size: number) => string): string => {
    const size = offset === undefined || next === undefined ? 1 : offset - next;
    return filled(size >= 0 && size <= LARGEST_GAP ? size : 1);
  };
  const passages = objects(bioc, 'passages', at).map((passage): BiocPassage => {
    const offset = offsetOf(passage, at);
    const sentences = objects(passage, 'sentences', at);
    if (next !== undefined) append(gap(offset, (size) => (size === 0 ? '' : `${' '.repeat(size - 1)}\n`)));
    const text = textOf(passage, at);
    const first = offset ?? (next === undefined ? 0 : next + 1);
    if (text !== undefined || !sentences.some((sentence) => textOf(sentence, at) !== undefined)) {
      const own = addUnit(passage, text ?? '', first);
      return { passage, span: own, unit: own, sentences: sentences.map((sentence) => ({ sentence })) };
    }
    const { start } = append('');
    next = first;
    const laid = sentences.map((sentence, k) => {
      const place = offsetOf(sentence, at) ?? (next ?? first) + (k === 0 ? 0 : 1);
      append(gap(place, (size) => ' '.repeat(size)));
      return { sentence, unit: addUnit(sentence, textOf(sentence, at) ?? '', place) };
    });
    return { passage, span: { start, end: length }, sentences: laid };
  });
  return { text: parts.join(''), passages, units };
}

function objects(container: JsonObject, field: string, at: Location): JsonObject[] {
  return items(container[field]).map((item) => {
    if (!isObject(item)) throw wrongField(`objects in "${field}"`, item, at);
    return item;
  });
}

function textOf({ text }: JsonObject, at: Location): string | undefined {
  if (text === undefined || text === null) return undefined;
  if (typeof text !== 'string') throw wrongField('a string "text"', text, at);
  return text;
}

function offsetOf({ offset }: JsonObject, at: Location): number | undefined {
  if (offset === undefined || offset === null) return undefined;
  if (typeof offset !== 'number' || !Number.isSafeInteger(offset) || offset < 0) {
    throw wrongField('a whole number "offset"', offset, at);
  }
  return offset;
}
