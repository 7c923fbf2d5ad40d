/** A line shorter than this part of its paragraph's longest line was ended on purpose, not wrapped. */
const SHORT_LINE = 0.6;

const LINE_BREAK = /\r\n|[\n\r\u0085\u2028]/g;
const ANY_BREAK = /[\n\r\u0085\u2028\u2029\f\v]/;
const PARAGRAPH_BREAK = /[\u2029\f\v]/;
const LIST_ITEM = /^(?:[-*\u2022\u2013\u2014\u00b7\u25aa\u25cf]|\(?\d{1,2}[.)]|\(?[a-z]\))\s/;
const LINE_OPENER = /^["'\u201c\u2018([]?[\p{Lu}\p{Lt}\p{Nd}]/u;
const UNFINISHED =
  /[,;:(\u2013\u2014/&-]$|(?<!\p{L})(?:an?|the|of|in|on|and|or|with|by|for|to|from|at|as|is|are|was|were|that|than)$/iu;

/** The line breaks of a text and what they mean for sentences. */
export class Lines {
  readonly #text: string;
  readonly #hasBreaks: boolean;
  #measured: { readonly starts: number[]; readonly longest: number[] } | undefined;

  constructor(text: string) {
    this.#text = text;
    this.#hasBreaks = ANY_BREAK.test(text);
  }

  /** Whether a gap between words holds a blank line, a form feed or a paragraph separator. */
  breaksParagraph(gapStart: number, gapEnd: number): boolean {
    if (!this.#hasBreaks) return false;
    const gap = this.#text.slice(gapStart, gapEnd);
    return PARAGRAPH_BREAK.test(gap) || (gap.match(LINE_BREAK)?.length ?? 0) > 1;
  }

  /**
   * Whether the line that ends at a gap was ended on purpose: a list item follows, or the line is too short to have
   * been wrapped and the next one starts like a sentence.
   */
  endsLine(gapStart: number, gapEnd: number): boolean {
    if (!this.#hasBreaks || !ANY_BREAK.test(this.#text.slice(gapStart, gapEnd))) return false;
    const after = this.#text.slice(gapEnd, gapEnd + 8);
    if (LIST_ITEM.test(after)) return true;
    if (!LINE_OPENER.test(after) || UNFINISHED.test(this.#text.slice(Math.max(0, gapStart - 8), gapStart)))
      return false;
    const { starts, longest } = (this.#measured ??= measure(this.#text));
    const line = lastAtMost(starts, gapStart);
    return gapStart - (starts[line] ?? 0) < SHORT_LINE * (longest[line] ?? 0);
  }
}

/** The start of every line, and the length of the longest line of its paragraph. */
function measure(text: string): { starts: number[]; longest: number[] } {
  const starts: number[] = [];
  const longest: number[] = [];
  let paragraph = 0;
  let widest = 0;
  const add = (start: number, end: number): void => {
    const length = text.slice(start, end).trimEnd().length;
    if (length === 0) {
      longest.fill(widest, paragraph);
      paragraph = starts.length + 1;
      widest = 0;
    }
    widest = Math.max(widest, length);
    starts.push(start);
    longest.push(0);
  };
  let start = 0;
  for (const match of text.matchAll(LINE_BREAK)) {
    add(start, match.index);
    start = match.index + match[0].length;
  }
  add(start, text.length);
  longest.fill(widest, paragraph);
  return { starts, longest };
}

/** Index of the last of the ascending numbers that is at most `limit`; the first number is. */
function lastAtMost(numbers: readonly number[], limit: number): number {
  let low = 0;
  let high = numbers.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((numbers[middle] ?? 0) <= limit) low = middle;
    else high = middle - 1;
  }
  return low;
}
