import { allowedTransitions, entitiesOfLabels, labelsPerType, type SequenceScheme } from './bio.js';
import { comparePositions, type LabelLayout, type WordEntity } from './entity.js';
import { likeliestPath, weightsOf, type ChainWeights } from './viterbi.js';

/** Where one sentence's words lie in a padded batch of label scores [..., N, heads, classes]. */
export interface CrfView {
  readonly emissions: Float32Array;
  /** Index of the first class of the first word. */
  readonly offset: number;
  readonly words: number;
  readonly heads: number;
  readonly classes: number;
}

/** Scores of the transitions of each head. */
export interface CrfTransitions {
  /** [heads, classes] */
  readonly start: Float32Array;
  /** [heads, classes, classes], row: the label before */
  readonly transitions: Float32Array;
  /** [heads, classes] */
  readonly end: Float32Array;
}

/**
 * Entities of the likeliest label sequence that the scheme allows (Viterbi) of a conditional random field, one for each
 * head, in the order of their words. The score of an entity is its probability: the share of exactly this mention,
 * begun and ended where it is, in all label sequences that the scheme allows (forward-backward).
 */
export function decodeCrf(
  view: CrfView,
  transitions: CrfTransitions,
  scheme: SequenceScheme,
  layout: LabelLayout,
): WordEntity[] {
  const { emissions, offset, words, heads, classes } = view;
  const end = offset + words * heads * classes;
  if (end > emissions.length) throw new RangeError(`expected ${end} scores of labels, found ${emissions.length}`);
  const allowed = weightsOf(allowedTransitions(scheme, (classes - 1) / labelsPerType(scheme)));
  const found: WordEntity[] = [];
  for (let head = 0; head < heads; head++) {
    const score = (word: number, label: number) => emissions[offset + (word * heads + head) * classes + label] ?? 0;
    const weights = headWeights(allowed, transitions, head);
    const labels = likeliestPath(score, words, weights);
    const entities = entitiesOfLabels(labels, scheme);
    if (entities.length === 0) continue;
    const chain = new Chain(score, words, weights);
    for (const { type, words: inside } of entities) {
      const path = inside.map((word) => labels[word] ?? 0);
      const probability = chain.probability(inside[0] ?? 0, path, (label) => allowed.first[label] === 0);
      found.push({ type: layout === 'typed' ? head : type, words: inside, score: probability });
    }
  }
  return found.sort(comparePositions);
}

function headWeights(allowed: ChainWeights, { start, transitions, end }: CrfTransitions, head: number): ChainWeights {
  const add = (weights: Float64Array, scores: Float32Array) =>
    weights.map((weight, k) => weight + (scores[head * weights.length + k] ?? 0));
  return { first: add(allowed.first, start), next: add(allowed.next, transitions), last: add(allowed.last, end) };
}

/** Sums over all label sequences of a sentence: log-sums of those up to each word and label, and from there on. */
class Chain {
  readonly #labels: number;
  readonly #forward: Float64Array;
  readonly #backward: Float64Array;
  readonly #total: number;

  constructor(
    private readonly score: (word: number, label: number) => number,
    private readonly words: number,
    private readonly weights: ChainWeights,
  ) {
    const { first, last } = weights;
    const labels = first.length;
    this.#labels = labels;
    this.#forward = new Float64Array(words * labels);
    this.#backward = new Float64Array(words * labels);
    for (let word = 0; word < words; word++) {
      for (let label = 0; label < labels; label++) {
        const before =
          word === 0
            ? (first[label] ?? 0)
            : this.#logSum((k) => this.#at(this.#forward, word - 1, k) + this.#step(k, label));
        this.#forward[word * labels + label] = before + score(word, label);
      }
    }
    for (let word = words - 1; word >= 0; word--) {
      for (let label = 0; label < labels; label++) {
        this.#backward[word * labels + label] = word === words - 1 ? (last[label] ?? 0) : this.#after(word, label);
      }
    }
    this.#total = this.#logSum((k) => this.#at(this.#forward, words - 1, k) + (last[k] ?? 0));
  }

  /**
   * Probability of the labels `path` at the words from `from` on, followed by the end of the sentence or by a label
   * that may follow.
   */
  probability(from: number, path: readonly number[], follows: (label: number) => boolean): number {
    const [head = 0, ...rest] = path;
    const to = from + rest.length;
    let sum = this.#at(this.#forward, from, head);
    let before = head;
    for (const [k, label] of rest.entries()) {
      sum += this.#step(before, label) + this.score(from + 1 + k, label);
      before = label;
    }
    const after = to === this.words - 1 ? (this.weights.last[before] ?? 0) : this.#after(to, before, follows);
    return Math.min(1, Math.exp(sum + after - this.#total));
  }

  /** Log-sum over what may come after a label at a word. */
  #after(word: number, label: number, follows: (next: number) => boolean = () => true): number {
    return this.#logSum((k) =>
      follows(k) ? this.#step(label, k) + this.score(word + 1, k) + this.#at(this.#backward, word + 1, k) : -Infinity,
    );
  }

  #step(before: number, label: number): number {
    return this.weights.next[before * this.#labels + label] ?? 0;
  }

  #at(sums: Float64Array, word: number, label: number): number {
    return sums[word * this.#labels + label] ?? 0;
  }

  #logSum(term: (label: number) => number): number {
    let largest = -Infinity;
    for (let k = 0; k < this.#labels; k++) largest = Math.max(largest, term(k));
    if (largest === -Infinity) return largest;
    let sum = 0;
    for (let k = 0; k < this.#labels; k++) sum += Math.exp(term(k) - largest);
    return largest + Math.log(sum);
  }
}
