import type { Document, Sentence } from './document.js';
import { documentSentences } from './sentences.js';

/** Texts that must not be trained on: the test split of a corpus. */
export interface HeldOut {
  readonly name: string;
  readonly documents: Iterable<Document>;
}

/** A sentence of a training document that is also in a held-out text. */
export interface Overlap {
  /** Index of the training document, and of the sentence in it. */
  readonly document: number;
  readonly sentence: number;
  readonly heldOut: string;
  /** `exact`: the same characters but for case and blanks; `near`: at least `nearShare` of its word 6-grams. */
  readonly kind: 'exact' | 'near';
  /** Of the sentence's word 6-grams, how many one held-out sentence has, in [0, 1]; 1 for an exact match. */
  readonly share: number;
}

/** When a sentence counts as one that is held out. */
export interface OverlapOptions {
  /** From this share of common word 6-grams a sentence counts as near; above 1 switches it off. Default: 0.5. */
  readonly nearShare?: number;
  /** Sentences with fewer characters (without blanks) are formulas like `METHODS.`, counted apart. Default: 20. */
  readonly minLength?: number;
}

/** What of training documents is in one held-out corpus. Counts are of training sentences. */
export interface OverlapCount {
  readonly heldOut: string;
  /** Exact matches, all of them. */
  readonly exact: number;
  /** Exact matches of `minLength` characters and more. */
  readonly long: number;
  /** Sentences of kind `near`. */
  readonly near: number;
  /**
   * Runs of two and more consecutive training sentences that follow each other in the held-out corpus too, formulas left
   * out: the same document is in both.
   */
  readonly runs: number;
}

/** What of training documents is held out, and what is left of them. */
export interface OverlapReport {
  /** Of all training documents. */
  readonly sentences: number;
  readonly counts: readonly OverlapCount[];
  readonly kept: readonly Document[];
  /** Training documents left out: all with an overlap. */
  readonly dropped: readonly Document[];
  readonly overlaps: readonly Overlap[];
}

const GRAM = 6;
const FEWEST_GRAMS = 5;

/** A sentence as it is compared: lower case, without blanks. */
export function sentenceKey(text: string): string {
  return text.toLowerCase().replace(/\s+/g, '');
}

/**
 * Divides training documents into those to keep and those that held-out corpora contain, wholly or in a sentence. A
 * document is left out whole; in corpora of sentences each sentence is a document.
 */
export function dropOverlap(
  training: readonly Document[],
  heldOut: readonly HeldOut[],
  { nearShare = 0.5, minLength = 20 }: OverlapOptions = {},
): OverlapReport {
  const sentences = training.flatMap((document, index) =>
    documentSentences(document).map((sentence, k) => ({ document: index, sentence: k, ...forms(document, sentence) })),
  );
  const overlaps: Overlap[] = [];
  const counts = heldOut.map(({ name, documents }): OverlapCount => {
    const index = new HeldOutIndex(documents);
    const count = { heldOut: name, exact: 0, long: 0, near: 0, runs: 0 };
    let runEnds: ReadonlySet<number> = new Set();
    let runLength = 0;
    for (const { document, sentence, key, words } of sentences) {
      const places = index.exact(key);
      const isLong = places.length > 0 && key.length >= minLength;
      const share = places.length > 0 ? 1 : nearShare > 1 ? 0 : index.nearest(words);
      if (share >= Math.min(nearShare, 1)) {
        const kind = places.length > 0 ? 'exact' : 'near';
        count[kind] += 1;
        if (isLong) count.long += 1;
        overlaps.push({ document, sentence, heldOut: name, kind, share });
      }
      const following = isLong ? places.filter((place) => runEnds.has(place - 1)) : [];
      runLength = following.length > 0 ? runLength + 1 : isLong ? 1 : 0;
      if (runLength === 2) count.runs += 1;
      runEnds = new Set(isLong ? places : []);
    }
    return count;
  });
  const shared = new Set(overlaps.map(({ document }) => document));
  return {
    sentences: sentences.length,
    counts,
    kept: training.filter((_, k) => !shared.has(k)),
    dropped: training.filter((_, k) => shared.has(k)),
    overlaps,
  };
}

/** The sentences of a held-out corpus by their keys and by their word 6-grams. */
class HeldOutIndex {
  readonly #places = new Map<string, number[]>();
  readonly #grams = new Map<string, number[]>();

  constructor(documents: Iterable<Document>) {
    let place = 0;
    for (const document of documents) {
      for (const sentence of documentSentences(document)) {
        const { key, words } = forms(document, sentence);
        append(this.#places, key, place);
        for (const gram of grams(words)) append(this.#grams, gram, place);
        place += 1;
      }
    }
  }

  exact(key: string): readonly number[] {
    return this.#places.get(key) ?? [];
  }

  /** The largest share of the 6-grams of a sentence that one held-out sentence has; 0 for a sentence too short to say. */
  nearest(words: readonly string[]): number {
    const own = grams(words);
    if (own.size < FEWEST_GRAMS) return 0;
    const common = new Map<number, number>();
    for (const gram of own) {
      for (const place of this.#grams.get(gram) ?? []) common.set(place, (common.get(place) ?? 0) + 1);
    }
    return Math.max(0, ...common.values()) / own.size;
  }
}

function forms({ text }: Document, { words }: Sentence): { key: string; words: string[] } {
  const lower = words.map(({ start, end }) => text.slice(start, end).toLowerCase());
  return { key: sentenceKey(lower.join('')), words: lower };
}

function grams(words: readonly string[]): Set<string> {
  const found = new Set<string>();
  for (let k = 0; k + GRAM <= words.length; k += 1) found.add(words.slice(k, k + GRAM).join(' '));
  return found;
}

function append(map: Map<string, number[]>, key: string, place: number): void {
  const places = map.get(key);
  if (places === undefined) map.set(key, [place]);
  else if (places.at(-1) !== place) places.push(place);
}
