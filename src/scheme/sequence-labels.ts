import type { LabelLayout, WordEntity } from './entity.js';

export type SequenceScheme = 'BIO' | 'BIOES';

const positions = { BIO: ['B', 'I'], BIOES: ['B', 'I', 'E', 'S'] } as const;
type Position = 'B' | 'I' | 'E' | 'S';

/** Labels of one type: B, I or B, I, E, S; label 0 is O and type t has 1 + t times as many onwards. */
function labelOf(scheme: SequenceScheme, position: Position, type: number): number {
  const kinds: readonly Position[] = positions[scheme];
  return 1 + kinds.length * type + kinds.indexOf(position);
}

function positionAt(scheme: SequenceScheme, k: number, length: number): Position {
  if (scheme === 'BIO') return k === 0 ? 'B' : 'I';
  if (length === 1) return 'S';
  return k === 0 ? 'B' : k === length - 1 ? 'E' : 'I';
}

/**
 * Labels of a sentence's words, written into `target` [words, heads] (zero before). Continuous, non-overlapping
 * entities only: of a discontinuous one the words between its first and last are included, and of two that overlap the
 * later one wins, which is what the scheme can say.
 */
export function sequenceLabels(
  entities: readonly WordEntity[],
  scheme: SequenceScheme,
  layout: LabelLayout,
  heads: number,
  target: Int32Array,
): void {
  for (const { type, words } of entities) {
    const [first, last] = [words[0], words.at(-1)];
    if (first === undefined || last === undefined) continue;
    const head = layout === 'typed' ? type : 0;
    const length = last - first + 1;
    for (let k = 0; k < length; k++) {
      const position = positionAt(scheme, k, length);
      target[(first + k) * heads + head] = labelOf(scheme, position, layout === 'typed' ? 0 : type);
    }
  }
}

/** Where one sentence's words lie in a padded batch of class probabilities [..., N, heads, classes]. */
export interface SequenceView {
  readonly probabilities: Float32Array;
  readonly offset: number;
  readonly words: number;
  readonly heads: number;
  readonly classes: number;
}

/**
 * Entities of the most probable labels. A sequence that breaks the scheme is read as conlleval reads it: an I or E
 * after O or after another type begins an entity. The score of an entity is the geometric mean of its words'.
 */
export function decodeSequence(view: SequenceView, scheme: SequenceScheme, layout: LabelLayout): WordEntity[] {
  const { probabilities, offset, words, heads, classes } = view;
  const kinds: readonly Position[] = positions[scheme];
  const found: WordEntity[] = [];
  for (let head = 0; head < heads; head++) {
    let open: { type: number; words: number[]; logProduct: number } | undefined;
    const close = (): void => {
      if (open === undefined) return;
      found.push({ type: open.type, words: open.words, score: Math.exp(open.logProduct / open.words.length) });
      open = undefined;
    };
    for (let word = 0; word < words; word++) {
      const start = offset + (word * heads + head) * classes;
      let label = 0;
      for (let k = 1; k < classes; k++) {
        if ((probabilities[start + k] ?? 0) > (probabilities[start + label] ?? 0)) label = k;
      }
      if (label === 0) {
        close();
        continue;
      }
      const type = layout === 'typed' ? head : Math.floor((label - 1) / kinds.length);
      const position = kinds[(label - 1) % kinds.length];
      const logProbability = Math.log(probabilities[start + label] ?? 0);
      if (open?.type !== type || position === 'B' || position === 'S') close();
      open ??= { type, words: [], logProduct: 0 };
      open.words.push(word);
      open.logProduct += logProbability;
      if (position === 'E' || position === 'S') close();
    }
    close();
  }
  return found;
}
