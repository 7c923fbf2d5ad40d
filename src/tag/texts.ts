import type { WordEntity } from '../scheme/index.js';
import type { WordSentence } from './encode.js';

/** Entities by sentence. */
type Found = readonly (readonly WordEntity[])[];

/** Applies a step to each text of a list of sentences by itself: to the sentences that follow one another. */
export function textByText(
  sentences: readonly WordSentence[],
  found: Found,
  step: (text: readonly WordSentence[], found: Found) => WordEntity[][],
): WordEntity[][] {
  const result: WordEntity[][] = [];
  let start = 0;
  for (let end = 1; end <= sentences.length; end++) {
    if (sentences[end]?.follows === true) continue;
    result.push(...step(sentences.slice(start, end), found.slice(start, end)));
    start = end;
  }
  return result;
}
