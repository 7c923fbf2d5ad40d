import { splitSentences, splitWords, type Span } from '../text/index.js';
import type { Document, Sentence } from './document.js';

/**
 * The sentences of a document with their words: the source's own when it came with them, otherwise split here, with no
 * sentence across the edge of a passage. Every character that is not blank is in a word.
 */
export function documentSentences(document: Document): readonly Sentence[] {
  if (document.sentences !== undefined) return document.sentences;
  const { text } = document;
  return regions(document).flatMap((region) =>
    splitSentences(text, region).map((sentence) => ({ words: splitWords(text, sentence) })),
  );
}

/** Numbers the sentence that a place in the text belongs to: the last that starts there or before, or else the first. */
export function sentenceNumbers(sentences: readonly Sentence[]): (place: number) => number {
  const starts = sentences.map(({ words }) => words[0]?.start ?? Infinity);
  return (place) =>
    Math.max(
      0,
      starts.findLastIndex((start) => start <= place),
    );
}

/** The text cut at the edges of its passages. */
function regions({ text, passages = [] }: Document): Span[] {
  const edges = new Set([0, text.length, ...passages.flatMap(({ start, end }) => [start, end])]);
  const sorted = [...edges].sort((a, b) => a - b);
  return sorted.slice(1).map((end, k) => ({ start: sorted[k] ?? 0, end }));
}
