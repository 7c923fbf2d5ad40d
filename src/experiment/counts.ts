import { z } from 'zod';
import { scoreOf, sumCounts, type Counts, type Score } from '../score/index.js';

const digits = z.string().regex(/^[0-9a-z]*$/);

/**
 * Counts of every test document, small enough to be committed: one base-36 digit a document. `z` means 35 and that the
 * next digit counts on: `z2` is 37.
 */
export const documentCountsSchema = z.strictObject({
  /** What is counted as one: a document, or a sentence where the corpus comes as sentences. */
  unit: z.enum(['document', 'sentence']),
  gold: digits,
  predicted: digits,
  correct: digits,
});

export type DocumentCounts = z.infer<typeof documentCountsSchema>;

export function encodeCounts(unit: DocumentCounts['unit'], documents: readonly Counts[]): DocumentCounts {
  const encode = (field: keyof Counts): string => documents.map((counts) => digitsOf(counts[field])).join('');
  return { unit, gold: encode('gold'), predicted: encode('predicted'), correct: encode('correct') };
}

/** @throws RangeError when the three strings do not count the same number of documents */
export function decodeCounts({ gold, predicted, correct }: DocumentCounts): Counts[] {
  const [a, b, c] = [gold, predicted, correct].map(numbersOf);
  if (a === undefined || a.length !== b?.length || a.length !== c?.length) {
    throw new RangeError(`expected counts of the same documents, found ${a?.length}, ${b?.length} and ${c?.length}`);
  }
  return a.map((count, k) => ({ gold: count, predicted: b[k] ?? 0, correct: c[k] ?? 0 }));
}

/** The score over all documents. */
export function totalScore(counts: DocumentCounts): Score {
  return scoreOf(sumCounts(decodeCounts(counts)));
}

function digitsOf(count: number): string {
  return 'z'.repeat(Math.floor(count / 35)) + (count % 35).toString(36);
}

function numbersOf(text: string): number[] {
  const numbers: number[] = [];
  let carried = 0;
  for (const digit of text) {
    const value = parseInt(digit, 36);
    carried += value;
    if (value === 35) continue;
    numbers.push(carried);
    carried = 0;
  }
  return numbers;
}
