import { isBlank } from './blank.js';
import { splitSentences } from './sentences.js';
import type { Span } from './span.js';

/** A short form and the long form that the text explains it by, both as places in the text. */
export interface Abbreviation {
  readonly short: Span;
  readonly long: Span;
}

/** The longest short form, in code units. */
const MAX_SHORT = 10;
const ALPHANUMERIC = /[\p{L}\p{N}]/u;
const LETTER = /\p{L}/u;
const CAPITAL = /\p{Lu}/u;

/**
 * The abbreviations that a text explains in brackets, `long form (short form)` or `short form (long form)`, in the order
 * of the brackets. The characters of the short form are looked for in the long form from right to left, and the first of
 * them has to begin a word. Linear in the length of the text.
 * Schwartz and Hearst, A simple algorithm for identifying abbreviation definitions in biomedical text, PSB 2003.
 */
export function findAbbreviations(text: string): Abbreviation[] {
  return splitSentences(text).flatMap((sentence) =>
    bracketPairs(text, sentence).flatMap(({ start, end }) => {
      if (!isBlank(text.charCodeAt(start - 1))) return [];
      const inside = trimmed(text, { start: start + 1, end: firstPart(text, { start: start + 1, end: end - 1 }) });
      const before = trimmed(text, { start: sentence.start, end: start });
      return definition(text, inside, before) ?? definition(text, lastWord(text, before), inside, true) ?? [];
    }),
  );
}

/** The pair of a short form and of the long form that ends, or for an explanation in brackets is, a region. */
function definition(text: string, short: Span, region: Span, inBrackets = false): Abbreviation | undefined {
  const form = text.slice(short.start, short.end);
  if (!isShortForm(form) || (inBrackets && !CAPITAL.test(form))) return undefined;
  const size = [...form].filter((character) => ALPHANUMERIC.test(character)).length;
  const most = Math.min(size + 5, size * 2);
  const start = longFormStart(text, form, { start: lastWords(text, region, most), end: region.end });
  if (start === undefined) return undefined;
  const long = { start, end: region.end };
  const words = text.slice(long.start, long.end).split(/[\s-]+/).length;
  return words <= most && isLongForm(text.slice(long.start, long.end), form) ? { short, long } : undefined;
}

function isShortForm(form: string): boolean {
  const isSized = form.length >= 2 && form.length <= MAX_SHORT && form.split(/\s+/).length <= 2;
  return isSized && ALPHANUMERIC.test(form.charAt(0)) && LETTER.test(form);
}

/** A long form is longer than the short one, and does not have it as a word. */
function isLongForm(form: string, short: string): boolean {
  return form.length > short.length && !form.includes(`${short} `) && !form.endsWith(short);
}

/** Where the shortest long form begins that ends with a region and has the characters of the short one in order. */
function longFormStart(text: string, short: string, region: Span): number | undefined {
  let at = region.end - 1;
  for (let k = short.length - 1; k >= 0; k--) {
    const character = short.charAt(k).toLowerCase();
    if (!ALPHANUMERIC.test(character)) continue;
    const found = (): boolean =>
      text.charAt(at).toLowerCase() === character &&
      (k > 0 || at === region.start || !ALPHANUMERIC.test(text.charAt(at - 1)));
    while (at >= region.start && !found()) at--;
    if (at < region.start) return undefined;
    at--;
  }
  const first = at + 1;
  let start = first;
  while (start > region.start && !isBlank(text.charCodeAt(start - 1))) start--;
  while (start < first && !ALPHANUMERIC.test(text.charAt(start))) start++;
  return start;
}

/** The round brackets of a sentence that have a partner, as spans with them, in the order of the closing ones. */
function bracketPairs(text: string, { start, end }: Span): Span[] {
  const open: number[] = [];
  const pairs: Span[] = [];
  for (let at = start; at < end; at++) {
    const character = text.charAt(at);
    if (character === '(') open.push(at);
    if (character !== ')') continue;
    const partner = open.pop();
    if (partner !== undefined) pairs.push({ start: partner, end: at + 1 });
  }
  return pairs;
}

/** The end of what comes before a comma or semicolon: `(ARDS, or shock lung)`. */
function firstPart(text: string, { start, end }: Span): number {
  const cut = text.slice(start, end).search(/[,;]\s/);
  return cut < 0 ? end : start + cut;
}

function trimmed(text: string, { start, end }: Span): Span {
  let [from, to] = [start, end];
  while (from < to && isBlank(text.charCodeAt(from))) from++;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--;
  return { start: from, end: to };
}

function lastWord(text: string, region: Span): Span {
  return { start: lastWords(text, region, 1), end: region.end };
}

/** Where the last words of a region begin, words being what blanks divide. */
function lastWords(text: string, { start, end }: Span, count: number): number {
  let at = end;
  for (let words = 0; words < count && at > start; words++) {
    while (at > start && isBlank(text.charCodeAt(at - 1))) at--;
    while (at > start && !isBlank(text.charCodeAt(at - 1))) at--;
  }
  return at;
}
