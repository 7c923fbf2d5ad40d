import { allowedTransitions, entitiesOfLabels, labelsPerType, type SequenceScheme } from './bio.js';
import { comparePositions, type LabelLayout, type WordEntity } from './entity.js';
import { largest, likeliestLabels } from './viterbi.js';

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
  const allowed = constrained ? allowedTransitions(scheme, (classes - 1) / labelsPerType(scheme)) : undefined;
  const found: WordEntity[] = [];
  for (let head = 0; head < heads; head++) {
    const at = (word: number, label: number) => probabilities[offset + (word * heads + head) * classes + label] ?? 0;
    const labels =
      allowed === undefined
        ? Int32Array.from({ length: words }, (_, word) => largest(classes, (label) => at(word, label)))
        : likeliestLabels(at, words, allowed);
    for (const entity of entitiesOfLabels(labels, scheme)) {
      const logs = entity.words.map((word) => Math.log(at(word, labels[word] ?? 0)));
      const score = Math.min(1, Math.exp(logs.reduce((a, b) => a + b, 0) / logs.length));
      found.push({ type: layout === 'typed' ? head : entity.type, words: entity.words, score });
    }
  }
  return found.sort(comparePositions);
}
