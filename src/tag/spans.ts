import type { Span } from '../text/index.js';

/** Characters of an entity's words: one span for each run of neighbouring words. */
export function spansOfWords(indices: readonly number[], words: readonly Span[]): Span[] {
  const spans: { start: number; end: number }[] = [];
  let previous = -2;
  for (const index of indices) {
    const word = words[index];
    if (word === undefined) continue;
    const last = spans.at(-1);
    if (last !== undefined && index === previous + 1) last.end = word.end;
    else spans.push({ ...word });
    previous = index;
  }
  return spans;
}

/** The words that spans touch, by number. */
export function wordsOfSpans(spans: readonly Span[], words: readonly Span[]): number[] {
  return [...words.keys()].filter((k) => {
    const word = words[k];
    return word !== undefined && spans.some(({ start, end }) => word.start < end && word.end > start);
  });
}
