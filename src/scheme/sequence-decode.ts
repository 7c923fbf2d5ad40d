import { allowedTransitions, entitiesOfLabels, labelsPerType, type SequenceScheme, type Transitions } from './bio.js';
import { comparePositions, type LabelLayout, type WordEntity } from './entity.js';

/** Where one sentence's words lie in a padded batch of class probabilities [..., N, heads, classes]. */
export interface SequenceView {
  readonly probabilities: Float32Array;
  /** Index of the first class of the first word. */
  readonly offset: number;
  readonly words: number;
  readonly heads: number;
  readonly classes: number;
}

export interface SequenceOptions {
  /**
   * Take the most probable sequence of labels that the scheme allows (Viterbi), instead of the most probable label of
   * every word; false where absent.
   */
  readonly constrained?: boolean;
}

/**
 * Entities of the labels of a sentence, in the order of their words; what breaks the scheme is read as
 * `entitiesOfLabels` does. The score of an entity is the geometric mean of its words' label probabilities.
 */
export function decodeSequence(
  view: SequenceView,
  scheme: SequenceScheme,
  layout: LabelLayout,
  { constrained = false }: SequenceOptions = {},
): WordEntity[] {
  const { probabilities, offset, words, heads, classes } = view;
  const end = offset + words * heads * classes;
  if (end > probabilities.length) {
    throw new RangeError(`expected ${end} probabilities, found ${probabilities.length}`);
  }
  const found: WordEntity[] = [];
  for (let head = 0; head < heads; head++) {
    const at = (word: number, label: number) => probabilities[offset + (word * heads + head) * classes + label] ?? 0;
    const labels = constrained
      ? likeliestLabels(at, words, allowedTransitions(scheme, (classes - 1) / labelsPerType(scheme)))
      : Int32Array.from({ length: words }, (_, word) => likeliest(classes, (label) => at(word, label)));
    for (const entity of entitiesOfLabels(labels, scheme)) {
      const logs = entity.words.map((word) => Math.log(at(word, labels[word] ?? 0)));
      const score = Math.min(1, Math.exp(logs.reduce((a, b) => a + b, 0) / logs.length));
      found.push({ type: layout === 'typed' ? head : entity.type, words: entity.words, score });
    }
  }
  return found.sort(comparePositions);
}

/**
 * The allowed sequence of labels with the greatest product of probabilities (Viterbi 1967); of equal ones that with
 * the lower labels at the end. Among sequences of probability 0 the choice is an allowed one.
 *
 * @param probability of a label at a word
 * @returns labels [words]
 */
export function likeliestLabels(
  probability: (word: number, label: number) => number,
  words: number,
  { first, next, last }: Transitions,
): Int32Array {
  const labels = first.length;
  const path = new Int32Array(words);
  if (words === 0) return path;
  const before = new Int32Array(words * labels);
  const log = (word: number, label: number) => Math.log(Math.max(probability(word, label), Number.MIN_VALUE));
  let scores = Float64Array.from(first, (allowed, label) => (allowed === 1 ? log(0, label) : -Infinity));
  for (let word = 1; word < words; word++) {
    const reached = new Float64Array(labels);
    for (let label = 0; label < labels; label++) {
      const from = likeliest(labels, (k) => (next[k * labels + label] === 1 ? (scores[k] ?? 0) : -Infinity));
      before[word * labels + label] = from;
      const allowed = next[from * labels + label] === 1;
      reached[label] = allowed ? (scores[from] ?? 0) + log(word, label) : -Infinity;
    }
    scores = reached;
  }
  let label = likeliest(labels, (k) => (last[k] === 1 ? (scores[k] ?? 0) : -Infinity));
  for (let word = words - 1; word >= 0; word--) {
    path[word] = label;
    label = before[word * labels + label] ?? 0;
  }
  return path;
}

/** The first number below `count` with the greatest value. */
function likeliest(count: number, value: (k: number) => number): number {
  let best = 0;
  for (let k = 1; k < count; k++) if (value(k) > value(best)) best = k;
  return best;
}
