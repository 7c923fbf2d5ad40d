import { InputError } from '../errors.js';
import { CodePointIndex } from '../text/offsets.js';
import type { Span } from '../text/span.js';
import type { Entity } from './document.js';
import type { Repair } from './format.js';

/** What an offset in a file counts: Unicode code points, UTF-16 code units, or bytes of UTF-8. */
export type OffsetUnit = 'codepoint' | 'utf16' | 'byte';

const unitNames: Record<OffsetUnit, string> = {
  codepoint: 'code points',
  utf16: 'UTF-16 code units',
  byte: 'UTF-8 bytes',
};

const SURROGATE = /[\ud800-\udfff]/;
const LINE_BREAKING = /[\t\r\n]/g;

/** The text of a mention: its fragments in order, joined by one space, as brat does. */
export function mentionText(text: string, spans: Entity['spans']): string {
  return spans.map(({ start, end }) => text.slice(start, end)).join(' ');
}

/** The same for formats of lines and tabs: tabs and line breaks inside become one space each. */
export function inlineMention(text: string, spans: Entity['spans']): string {
  return mentionText(text, spans).replace(LINE_BREAKING, ' ');
}

/** The start of the first and the end of the last fragment. */
export function hull({ spans }: Entity): Span {
  return { start: spans[0].start, end: spans[spans.length - 1]?.end ?? spans[0].end };
}

/** A string for a message: quoted, and cut when it is long. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 79)}…` : text);
}

/** Whether two readings of one text have the same mentions under the names that a file calls their types. */
export function sameMentions(a: readonly Entity[], b: readonly Entity[]): boolean {
  const keys = (entities: readonly Entity[]) => entities.map(mentionKey).sort();
  const [first, second] = [keys(a), keys(b)];
  return first.length === second.length && first.every((key, k) => key === second[k]);
}

/** Whether two lists of entities say the same, to the last attribute and in the same order. */
export function sameEntities(a: readonly Entity[], b: readonly Entity[]): boolean {
  return a.length === b.length && a.every((entity, k) => entityKey(entity) === entityKey(b[k] ?? entity));
}

/** Everything that a file says of an entity. */
export function entityKey(entity: Entity): string {
  const { id, spans, score, attributes = {} } = entity;
  const about = Object.entries(attributes).filter(([name]) => name !== 'sourceType');
  return JSON.stringify([id, fileType(entity), spans.map(({ start, end }) => [start, end]), score, about.sort()]);
}

/** What the file calls the type of a mention: its own name where reading changed it. */
export function fileType({ type, attributes }: Entity): string {
  return attributes?.['sourceType'] ?? type;
}

function mentionKey(entity: Entity): string {
  return `${entity.spans.map(({ start, end }) => `${start}-${end}`).join(',')} ${fileType(entity)}`;
}

/** Converts offsets of one text to what a file counts. No table is built for a text without astral characters. */
export function offsetWriter(text: string, unit: OffsetUnit): (utf16: number) => number {
  if (unit === 'byte') {
    const toByte = byteOffsets(text);
    return (utf16) => toByte[utf16] ?? 0;
  }
  if (unit === 'utf16' || !SURROGATE.test(text)) return (utf16) => utf16;
  const index = new CodePointIndex(text);
  return (utf16) => index.toCodePoint(utf16);
}

/** What a {@link MentionReader} does about offsets that fit their mention only in another unit. */
export interface MentionPolicy {
  readonly unit: OffsetUnit;
  readonly repair?: boolean | undefined;
  readonly onRepair?: ((repair: Repair) => void) | undefined;
  /** The offset that the file gives to the beginning of the text. Default: 0. */
  readonly origin?: number;
  /** Appended to messages: ` in document 7`. */
  readonly context?: string;
}

/** Turns the offsets of one document's mentions into spans, and checks them against the mention texts of the file. */
export class MentionReader {
  readonly #toUtf16 = new Map<OffsetUnit, (offset: number) => number | undefined>();

  constructor(
    readonly text: string,
    readonly file: string,
    readonly policy: MentionPolicy,
  ) {}

  /**
   * The spans of a mention, sorted. `mention` is the file's own text of it, compared without regard to how blank space
   * is written; `undefined` checks the range only.
   * @throws InputError when a fragment is empty or outside of the text, when fragments overlap, or when the text there
   *   is not the mention
   */
  spans(offsets: readonly (readonly [number, number])[], mention: string | undefined, line: number): Entity['spans'] {
    const { unit, repair, onRepair } = this.policy;
    const spans = this.#resolve(offsets, unit);
    if (spans !== undefined && (mention === undefined || sameMention(mentionText(this.text, spans), mention))) {
      return spans;
    }
    const other = mention === undefined ? undefined : this.fittingUnit(offsets, mention, unit);
    if (other !== undefined && repair) {
      const message = `took ${show(offsets)} as ${unitNames[other.unit]}${this.policy.context ?? ''}`;
      onRepair?.({ file: this.file, line, message });
      return other.spans;
    }
    const hint = other === undefined ? '' : ` (the offsets fit as ${unitNames[other.unit]})`;
    const expected = mention === undefined ? 'a mention' : `the mention ${quoted(mention)}`;
    const found =
      spans === undefined ? this.#rangeFault(offsets, unit) : `found ${quoted(mentionText(this.text, spans))}`;
    const message = `expected ${expected} at ${show(offsets)}, ${found}${hint}${this.policy.context ?? ''}`;
    throw new InputError(message, { file: this.file, line });
  }

  /**
   * A range that may be empty and has no mention to check: a passage.
   * @throws InputError when it is not within the text
   */
  range(from: number, to: number, line: number): Span {
    const toUtf16 = this.#converter(this.policy.unit);
    const start = toUtf16(from);
    const end = toUtf16(to);
    if (start !== undefined && end !== undefined && start <= end) return { start, end };
    throw new InputError(`expected a range within the text, found ${from}-${to}`, { file: this.file, line });
  }

  #resolve(offsets: readonly (readonly [number, number])[], unit: OffsetUnit): Entity['spans'] | undefined {
    const toUtf16 = this.#converter(unit);
    const origin = this.policy.origin ?? 0;
    const spans: Span[] = [];
    for (const [from, to] of offsets) {
      const start = toUtf16(from - origin);
      const end = toUtf16(to - origin);
      if (start === undefined || end === undefined || start >= end) return undefined;
      spans.push({ start, end });
    }
    if (spans.length > 1) {
      spans.sort((a, b) => a.start - b.start);
      if (spans.some(({ start }, k) => k > 0 && start < (spans[k - 1]?.end ?? 0))) return undefined;
    }
    const [first, ...rest] = spans;
    return first === undefined ? undefined : [first, ...rest];
  }

  /** The other unit in which offsets fit their mention. */
  fittingUnit(offsets: readonly (readonly [number, number])[], mention: string, tried = this.policy.unit) {
    for (const unit of ['codepoint', 'utf16', 'byte'] as const) {
      if (unit === tried) continue;
      const spans = this.#resolve(offsets, unit);
      if (spans !== undefined && sameMention(mentionText(this.text, spans), mention)) return { unit, spans };
    }
    return undefined;
  }

  #rangeFault(offsets: readonly (readonly [number, number])[], unit: OffsetUnit): string {
    const first = this.policy.origin ?? 0;
    const last = first + offsetWriter(this.text, unit)(this.text.length);
    if (offsets.some(([start, end]) => start > last || end > last)) return `found the end of the text at ${last}`;
    if (offsets.some(([start]) => start < first)) return `found the beginning of the text at ${first}`;
    if (offsets.some(([start, end]) => start >= end)) return 'found an empty range';
    return offsets.length > 1 ? 'found fragments that overlap' : 'found the middle of a character';
  }

  #converter(unit: OffsetUnit): (offset: number) => number | undefined {
    let convert = this.#toUtf16.get(unit);
    if (convert === undefined) {
      convert = offsetReader(this.text, unit);
      this.#toUtf16.set(unit, convert);
    }
    return convert;
  }
}

/** Converts what a file counts to UTF-16; `undefined` for offsets outside of the text or inside a character. */
function offsetReader(text: string, unit: OffsetUnit): (offset: number) => number | undefined {
  const within = (offset: number, length: number) => Number.isInteger(offset) && offset >= 0 && offset <= length;
  if (unit === 'byte') {
    const fromByte = new Map<number, number>();
    byteOffsets(text).forEach((byte, utf16) => {
      if (byte >= 0) fromByte.set(byte, utf16);
    });
    return (offset) => fromByte.get(offset);
  }
  if (!SURROGATE.test(text)) return (offset) => (within(offset, text.length) ? offset : undefined);
  if (unit === 'utf16') {
    return (offset) => (within(offset, text.length) && !insidePair(text, offset) ? offset : undefined);
  }
  const index = new CodePointIndex(text);
  return (offset) => (within(offset, index.codePointLength) ? index.toUtf16(offset) : undefined);
}

function insidePair(text: string, offset: number): boolean {
  return offset > 0 && (text.codePointAt(offset - 1) ?? 0) > 0xffff;
}

/** The UTF-8 offset of every UTF-16 offset from 0 to the length; -1 inside a surrogate pair. */
function byteOffsets(text: string): Int32Array {
  const offsets = new Int32Array(text.length + 1).fill(-1);
  let byte = 0;
  for (let k = 0; k < text.length;) {
    offsets[k] = byte;
    const code = text.codePointAt(k) ?? 0;
    byte += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    k += code > 0xffff ? 2 : 1;
  }
  offsets[text.length] = byte;
  return offsets;
}

/** Whether two texts of a mention differ in blank space only. */
export function sameMention(found: string, expected: string): boolean {
  return found === expected || squeezed(found) === squeezed(expected);
}

function squeezed(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

function show(offsets: readonly (readonly [number, number])[]): string {
  return offsets.map(([start, end]) => `${start}-${end}`).join(', ');
}
