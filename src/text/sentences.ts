import { SECTION_LABELS } from './sentence-words.js';
import { isBlank } from './blank.js';
import { bracketedRanges } from './brackets.js';
import { Lines } from './lines.js';
import { endsBeforeGap } from './sentence-end.js';
import type { Span } from './span.js';

/** Brackets up to this many code units are kept whole; a longer pair is taken for prose or a stray. */
const MAX_BRACKETED = 300;

const LABEL = `(?:${SECTION_LABELS.join('|')})`;
/** `METHODS:`, `PATIENTS AND METHODS:`; not inside a title in capitals. */
const LABEL_START = new RegExp(
  `(?<![^\\s.!?)])(?<![A-Z]{2}[,;:\u2019']? )${LABEL}(?:(?: (?:AND|OR|&) |, ?|/)${LABEL}){0,3}:`,
  'g',
);
const FULL_WIDTH_END = /[\u3002\uff01\uff1f\uff61][\u300d\u300f\u201d\u2019\uff09)\]]*\p{M}*/gu;

/**
 * Splits biomedical text into sentences: trimmed, ordered, disjoint spans that cover every character that is not blank.
 * A blank line always separates; a single line break does where the line clearly ends (a full stop, a line much shorter
 * than its paragraph, a list item or section label next). Abbreviations, initials, decimals and brackets stay whole.
 * Linear in the length of the text.
 *
 * @param within The part of `text` to split, the whole by default; the spans returned are offsets into `text` itself.
 */
export function splitSentences(text: string, within?: Span): Span[] {
  const offset = within?.start ?? 0;
  const part = within === undefined ? text : text.slice(within.start, within.end);
  const forced = new Cursor(forcedStarts(part));
  const brackets = new Cursor(bracketedRanges(part, MAX_BRACKETED).flatMap(({ start, end }) => [start, end]));
  const lines = new Lines(part);
  const sentences: Span[] = [];

  let word = skipBlanks(part, 0);
  let start = word;
  const endAt = (end: number, next: number): void => {
    sentences.push({ start: offset + start, end: offset + end });
    start = next;
  };
  while (word < part.length) {
    const gapStart = skipVisible(part, word);
    for (let cut = forced.next(word); cut < gapStart; cut = forced.next(cut)) endAt(cut, cut);
    const gapEnd = skipBlanks(part, gapStart);
    const bracketed = brackets.countUpTo(gapStart) % 2 === 1;
    if (
      gapEnd === part.length ||
      forced.has(gapEnd) ||
      lines.breaksParagraph(gapStart, gapEnd) ||
      (!bracketed && (endsBeforeGap(part, start, gapStart, gapEnd) || lines.endsLine(gapStart, gapEnd)))
    ) {
      endAt(gapStart, gapEnd);
    }
    word = gapEnd;
  }
  return sentences;
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (at < text.length && isBlank(text.charCodeAt(at))) at++;
  return at;
}

function skipVisible(text: string, from: number): number {
  let at = from;
  while (at < text.length && !isBlank(text.charCodeAt(at))) at++;
  return at;
}

/** Where a sentence starts whatever stands before: at a section label, and after a full-width full stop. */
function forcedStarts(text: string): number[] {
  const starts = Array.from(text.matchAll(LABEL_START), (match) => match.index);
  for (const match of text.matchAll(FULL_WIDTH_END)) starts.push(match.index + match[0].length);
  return starts.sort((a, b) => a - b);
}

/** Ascending numbers, asked about in ascending order. */
class Cursor {
  readonly #numbers: readonly number[];
  #passed = 0;

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
  }

  /** How many of the numbers are at most `limit`. */
  countUpTo(limit: number): number {
    while ((this.#numbers[this.#passed] ?? Infinity) <= limit) this.#passed++;
    return this.#passed;
  }

  /** The first of the numbers above `limit`, or infinity. */
  next(limit: number): number {
    return this.#numbers[this.countUpTo(limit)] ?? Infinity;
  }

  has(number: number): boolean {
    return this.#numbers[this.countUpTo(number) - 1] === number;
  }
}
