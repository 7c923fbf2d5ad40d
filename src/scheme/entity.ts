/** An entity of one sentence in word indices. */
export interface WordEntity {
  /** Index in the list of types. */
  readonly type: number;
  /** Strictly ascending word indices; a gap makes the entity discontinuous. */
  readonly words: readonly number[];
  /** Confidence in [0, 1] of a predicted entity. */
  readonly score?: number;
}

/** `joint`: one label space over all types; `typed`: one small label space for each type. */
export type LabelLayout = 'joint' | 'typed';

/** The first and last word of an entity. */
export interface Bounds {
  readonly first: number;
  readonly last: number;
}

/**
 * The bounds of an entity of a sentence of `length` words.
 * @throws RangeError when its words are none, not strictly ascending or outside the sentence, or its type is not one
 */
export function boundsOf({ type, words }: WordEntity, length: number): Bounds {
  const [first, last] = [words[0], words.at(-1)];
  if (first === undefined || last === undefined) throw new RangeError('expected an entity of words, found none');
  let previous = -1;
  for (const word of words) {
    if (!Number.isInteger(word) || word <= previous || word >= length) {
      throw new RangeError(`expected ascending word indices from 0 to ${length - 1}, found ${words.join(', ')}`);
    }
    previous = word;
  }
  if (!Number.isInteger(type) || type < 0) throw new RangeError(`expected the index of a type, found ${type}`);
  return { first, last };
}

/** Order of entities in a sentence: by first word, last word, type, and then by the words between. */
export function comparePositions(a: WordEntity, b: WordEntity): number {
  return (
    (a.words[0] ?? 0) - (b.words[0] ?? 0) ||
    (a.words.at(-1) ?? 0) - (b.words.at(-1) ?? 0) ||
    a.type - b.type ||
    compareWords(a.words, b.words)
  );
}

function compareWords(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((word, k) => word !== b[k]);
  return at < 0 ? a.length - b.length : (a[at] ?? 0) - (b[at] ?? a.length);
}
