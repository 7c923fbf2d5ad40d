import type { LabelLayout, WordEntity } from './entity.js';
import { NNW, NONE, THW } from './grid-labels.js';

/** Where one sentence's cells lie in a padded batch of class probabilities [..., N, N, heads, classes]. */
export interface GridView {
  readonly probabilities: Float32Array;
  /** Index of the first class of cell (0, 0). */
  readonly offset: number;
  /** Words of the sentence. */
  readonly words: number;
  /** Cells of a row, padding included. */
  readonly rowStride: number;
  readonly heads: number;
  readonly classes: number;
}

/** At most this many entities for one tail-head cell, and for one sentence: scrambled grids have exponentially many paths. */
const MAX_PATHS = 64;
const MAX_ENTITIES = 4096;

interface Step {
  readonly to: number;
  readonly probability: number;
}

interface Boundary {
  readonly head: number;
  readonly tail: number;
  readonly type: number;
  readonly probability: number;
}

/**
 * The entities of a grid: for every THW cell (tail, head), each path of NNW cells from head to tail is an entity with
 * the words of the path. Flat, nested, overlapping and discontinuous entities come out alike. The label of a cell is
 * its most probable class; the score of an entity is the geometric mean of the probabilities of its cells.
 *
 * Ambiguous by construction: entities of one head that share words and cross (a b d and a c d, with b c also linked)
 * give the paths between them as well.
 */
export function decodeGrid(view: GridView, layout: LabelLayout): WordEntity[] {
  const found: WordEntity[] = [];
  for (let head = 0; head < view.heads; head++) {
    const { steps, boundaries } = labelledCells(view, head, layout);
    for (const boundary of boundaries) {
      if (found.length >= MAX_ENTITIES) return found;
      collectPaths(boundary, steps, found);
    }
  }
  return found;
}

function labelledCells(
  { probabilities, offset, words, rowStride, heads, classes }: GridView,
  head: number,
  layout: LabelLayout,
): { steps: ReadonlyMap<number, readonly Step[]>; boundaries: readonly Boundary[] } {
  const steps = new Map<number, Step[]>();
  const boundaries: Boundary[] = [];
  for (let row = 0; row < words; row++) {
    for (let column = 0; column < words; column++) {
      const cell = offset + ((row * rowStride + column) * heads + head) * classes;
      let label = NONE;
      let probability = probabilities[cell] ?? 0;
      for (let k = 1; k < classes; k++) {
        const p = probabilities[cell + k] ?? 0;
        if (p > probability) {
          label = k;
          probability = p;
        }
      }
      if (label === NONE) continue;
      if (label === NNW) {
        if (column <= row) continue;
        const known = steps.get(row);
        if (known === undefined) steps.set(row, [{ to: column, probability }]);
        else known.push({ to: column, probability });
      } else if (column <= row) {
        boundaries.push({ head: column, tail: row, type: layout === 'typed' ? head : label - THW, probability });
      }
    }
  }
  return { steps, boundaries };
}

function collectPaths(boundary: Boundary, steps: ReadonlyMap<number, readonly Step[]>, found: WordEntity[]): void {
  const { head, tail, type, probability } = boundary;
  const path = [head];
  let count = 0;
  const visit = (word: number, logProduct: number): void => {
    if (count >= MAX_PATHS) return;
    if (word === tail) {
      count++;
      found.push({ type, words: [...path], score: Math.exp(logProduct / path.length) });
      return;
    }
    for (const { to, probability: p } of steps.get(word) ?? []) {
      if (to > tail) continue;
      path.push(to);
      visit(to, logProduct + Math.log(p));
      path.pop();
    }
  };
  visit(head, Math.log(probability));
}

/** Entities without overlaps: the higher score wins, then the longer, then the earlier. */
export function flatten(entities: readonly WordEntity[]): WordEntity[] {
  const ranked = [...entities].sort(
    (a, b) =>
      (b.score ?? 1) - (a.score ?? 1) || b.words.length - a.words.length || (a.words[0] ?? 0) - (b.words[0] ?? 0),
  );
  const taken = new Set<number>();
  return ranked.filter(({ words }) => {
    if (words.some((word) => taken.has(word))) return false;
    for (const word of words) taken.add(word);
    return true;
  });
}
