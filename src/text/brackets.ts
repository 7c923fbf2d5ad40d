import type { Span } from './span.js';

const CLOSER_OF: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };
const BRACKET = /[()[\]{}]/g;
/** How many open brackets a closing one may skip to find its partner; the skipped ones stay unclosed. */
const MAX_SKIPPED = 4;

/**
 * The outermost bracketed ranges (brackets included) of at most `maxLength` code units, in order and disjoint.
 * Brackets without a partner (`1)`, an emoticon) bracket nothing. Linear in the length of the text.
 */
export function bracketedRanges(text: string, maxLength: number): Span[] {
  const open: { readonly closer: string; readonly at: number }[] = [];
  const ranges: Span[] = [];
  for (const match of text.matchAll(BRACKET)) {
    const closer = CLOSER_OF[match[0]];
    if (closer !== undefined) {
      open.push({ closer, at: match.index });
      continue;
    }
    const start = popPartner(open, match[0]);
    if (start === undefined || match.index - start >= maxLength) continue;
    while (ranges.length > 0 && (ranges.at(-1)?.start ?? 0) > start) ranges.pop();
    ranges.push({ start, end: match.index + 1 });
  }
  return ranges;
}

function popPartner(open: { readonly closer: string; readonly at: number }[], bracket: string): number | undefined {
  const lowest = Math.max(0, open.length - 1 - MAX_SKIPPED);
  for (let k = open.length - 1; k >= lowest; k--) {
    const candidate = open[k];
    if (candidate?.closer === bracket) {
      open.length = k;
      return candidate.at;
    }
  }
  return undefined;
}
