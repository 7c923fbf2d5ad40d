import type { Transitions } from './bio.js';

/** What the labels of neighbouring words add to the score of a label sequence; -Infinity: they may not be. */
export interface ChainWeights {
  /** [labels] */
  readonly first: Float64Array;
  /** [labels, labels], row: the label before */
  readonly next: Float64Array;
  /** [labels] */
  readonly last: Float64Array;
}

/** 0 where a transition is allowed, -Infinity where it is forbidden. */
export function weightsOf({ first, next, last }: Transitions): ChainWeights {
  const weights = (allowed: Uint8Array) => Float64Array.from(allowed, (yes) => (yes === 1 ? 0 : -Infinity));
  return { first: weights(first), next: weights(next), last: weights(last) };
}

/**
 * The label sequence with the greatest sum of scores and weights (Viterbi 1967); of equal ones that with the lower
 * labels at the end.
 *
 * @param score of a label at a word, finite
 * @returns labels [words]
 */
export function likeliestPath(
  score: (word: number, label: number) => number,
  words: number,
  { first, next, last }: ChainWeights,
): Int32Array {
  const labels = first.length;
  const path = new Int32Array(words);
  if (words === 0) return path;
  const before = new Int32Array(words * labels);
  let scores = first.map((weight, label) => weight + score(0, label));
  for (let word = 1; word < words; word++) {
    const reached = new Float64Array(labels);
    for (let label = 0; label < labels; label++) {
      const through = (k: number): number => (scores[k] ?? 0) + (next[k * labels + label] ?? 0);
      const from = largest(labels, through);
      before[word * labels + label] = from;
      reached[label] = through(from) + score(word, label);
    }
    scores = reached;
  }
  let label = largest(labels, (k) => (scores[k] ?? 0) + (last[k] ?? 0));
  for (let word = words - 1; word >= 0; word--) {
    path[word] = label;
    label = before[word * labels + label] ?? 0;
  }
  return path;
}

/**
 * The allowed sequence of labels with the greatest product of probabilities; of equal ones that with the lower labels
 * at the end. Among sequences of probability 0 the choice is an allowed one.
 *
 * @param probability of a label at a word
 * @returns labels [words]
 */
export function likeliestLabels(
  probability: (word: number, label: number) => number,
  words: number,
  allowed: Transitions,
): Int32Array {
  const log = (word: number, label: number) => Math.log(Math.max(probability(word, label), Number.MIN_VALUE));
  return likeliestPath(log, words, weightsOf(allowed));
}

/** The first number below `count` with the greatest value. */
export function largest(count: number, value: (k: number) => number): number {
  let best = 0;
  for (let k = 1; k < count; k++) if (value(k) > value(best)) best = k;
  return best;
}
