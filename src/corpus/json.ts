import { InputError, type Location } from '../errors.js';
import { quoted } from './mentions.js';

export type JsonObject = Record<string, unknown>;

/** The deepest nesting accepted: far more than any format needs, far less than the stack holds. */
export const MAX_DEPTH = 256;

const QUOTE = 34;
const BACKSLASH = 92;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The elements of an array, or nothing where a value is none. */
export function items(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** A copy of an object without some fields. */
export function without(object: JsonObject, ...fields: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !fields.includes(name)));
}

/** What an error says of a field that is not what it should be. */
export function wrongField(expected: string, found: unknown, at: Location): InputError {
  return new InputError(
    `expected ${expected}, found ${found === undefined ? 'none' : quoted(JSON.stringify(found))}`,
    at,
  );
}

/**
 * The object that a text is.
 * @throws InputError for what is not JSON, not an object, or nested deeper than `MAX_DEPTH`
 */
export function parseObject(text: string, at: Location): JsonObject {
  let value: unknown;
  requireShallow(text, at);
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new InputError(`expected a JSON object, found ${quoted(text.trim())}`, at, { cause });
  }
  if (!isObject(value)) throw wrongField('a JSON object', value, at);
  return value;
}

function requireShallow(text: string, at: Location): void {
  let depth = 0;
  for (let k = 0; k < text.length; k += 1) {
    const code = text.charCodeAt(k);
    if (code === QUOTE) k = stringEnd(text, k);
    else if (code === 91 || code === 123) depth += 1;
    else if (code === 93 || code === 125) depth -= 1;
    if (depth > MAX_DEPTH) throw new InputError(`expected at most ${MAX_DEPTH} levels of nesting, found more`, at);
  }
}

/** The position of the quote that ends the string beginning at `start`; the length of the text where there is none. */
export function stringEnd(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes += 1;
    if (slashes % 2 === 0) return end;
  }
  return text.length;
}

/** A value in a JSON text: where it is, and its parts. */
export interface JsonNode {
  readonly start: number;
  readonly end: number;
  /** Of an object; the last of equal names counts, as for `JSON.parse`. */
  readonly members?: ReadonlyMap<string, JsonNode>;
  /** Of an array. */
  readonly elements?: readonly JsonNode[];
}

/** The places of all values in a text that is valid JSON. */
export function jsonNodes(text: string): JsonNode {
  let at = 0;
  const blank = /[\s]*/y;
  const scalar = /[^\s,\]}]+/y;
  const skip = (pattern: RegExp, from: number): number => {
    pattern.lastIndex = from;
    pattern.exec(text);
    return Math.max(pattern.lastIndex, from);
  };
  const value = (): JsonNode => {
    at = skip(blank, at);
    const start = at;
    const opening = text.charAt(at);
    if (opening === '{' || opening === '[') return container(start, opening === '{');
    at = opening === '"' ? stringEnd(text, at) + 1 : skip(scalar, at);
    return { start, end: at };
  };
  const container = (start: number, isObjectNode: boolean): JsonNode => {
    const members = new Map<string, JsonNode>();
    const elements: JsonNode[] = [];
    at = skip(blank, at + 1);
    while (at < text.length && text.charAt(at) !== '}' && text.charAt(at) !== ']') {
      if (isObjectNode) {
        const key = value();
        at = skip(blank, at) + 1;
        members.set(String(JSON.parse(text.slice(key.start, key.end))), value());
      } else {
        elements.push(value());
      }
      at = skip(blank, at);
      if (text.charAt(at) === ',') at = skip(blank, at + 1);
    }
    at += 1;
    return isObjectNode ? { start, end: at, members } : { start, end: at, elements };
  };
  return value();
}

/**
 * The names of the fields of the object that a text begins with, or of the first object of its array, as far as the text
 * goes; none where it begins otherwise.
 */
export function topFields(text: string): ReadonlySet<string> {
  const names = new Set<string>();
  const [start = ''] = /^\s*(?:\[\s*)?\{/.exec(text) ?? [];
  if (start === '') return names;
  for (let k = start.length, depth = 0; k < text.length && depth >= 0; k += 1) {
    const character = text.charAt(k);
    if (character === '"') {
      const end = stringEnd(text, k);
      if (depth === 0 && /^"\s*:/.test(text.slice(end, end + 20))) names.add(text.slice(k + 1, end));
      k = end;
    } else if (character === '{' || character === '[') {
      depth += 1;
    } else if (character === '}' || character === ']') {
      depth -= 1;
    }
  }
  return names;
}

/** A replacement of `[start, end)` of a text. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** A text with replacements that do not overlap, in any order. */
export function edited(text: string, edits: readonly Edit[]): string {
  const parts: string[] = [];
  let at = 0;
  for (const { start, end, text: replacement } of [...edits].sort((a, b) => a.start - b.start || a.end - b.end)) {
    parts.push(text.slice(at, start), replacement);
    at = end;
  }
  parts.push(text.slice(at));
  return parts.join('');
}
