import { comparePositions, type LabelLayout, type WordEntity } from './entity.js';
import { flatten } from './flatten.js';
import { NNW, NONE, THW } from './grid.js';
import { PathFinder } from './paths.js';

/**
 * Where one sentence's cells lie in a padded batch of class probabilities [..., N, N, heads, classes], which sum to 1
 * over the classes.
 */
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

/** The labelled cells of one sentence, where a model gives only those whose label is not None; each at most once. */
export interface SparseGrid {
  /** (row * rowStride + column) * heads + head of each cell. */
  readonly cells: ArrayLike<number>;
  readonly labels: ArrayLike<number>;
  /** Probability of each label. */
  readonly probabilities: ArrayLike<number>;
  readonly words: number;
  readonly rowStride: number;
  readonly heads: number;
}

export interface DecodeOptions {
  /** Resolve overlaps by score (`flatten`); false where absent. */
  readonly flat?: boolean;
  /** Paths followed for one THW cell; 64 where absent. */
  readonly maxPaths?: number;
  /** Entities of one sentence before overlaps are resolved; 4096 where absent. */
  readonly maxEntities?: number;
}

/**
 * The entities of a grid: for every THW cell (tail, head), each path of NNW cells from head to tail is an entity with
 * the words of the path. Flat, nested, overlapping and discontinuous entities come out alike, in the order of their
 * words. The label of a cell is its most probable class (the first of equals); NNW on or below the diagonal and THW
 * above it mean nothing and are passed over.
 *
 * The score of an entity is the geometric mean of the probabilities of its cells, one THW and words - 1 NNW: in
 * [0, 1], comparable between entities of different lengths, and low where a single cell is in doubt.
 *
 * A scrambled grid has exponentially many paths. The most probable THW cells are followed first, from each word the
 * most probable NNW first, up to `maxPaths` for a cell and `maxEntities` in all; paths that cannot reach the tail
 * are never entered, so the work is bounded by those numbers and the labelled cells.
 */
export function decodeGrid(view: GridView, layout: LabelLayout, options: DecodeOptions = {}): WordEntity[] {
  const { probabilities, offset, words, rowStride, heads, classes } = view;
  const end = offset + ((words - 1) * rowStride + words) * heads * classes;
  if (words > rowStride || end > probabilities.length) {
    throw new RangeError(`expected ${end} probabilities in rows of at least ${words}, found ${probabilities.length}`);
  }
  const grid = new LabelledCells(layout, heads);
  for (let row = 0; row < words; row++) {
    let cell = offset + row * rowStride * heads * classes;
    for (let column = 0; column < words; column++) {
      for (let head = 0; head < heads; head++, cell += classes) {
        let best = probabilities[cell] ?? 0;
        // Nearly every cell is None by more than a half: no other class can be as probable.
        if (best > 0.5) continue;
        let label = NONE;
        for (let k = 1; k < classes; k++) {
          const probability = probabilities[cell + k] ?? 0;
          if (probability > best) {
            label = k;
            best = probability;
          }
        }
        if (label !== NONE) grid.add(row, column, head, label, best);
      }
    }
  }
  return grid.entities(options);
}

/** The entities of cells that are labelled already; otherwise as `decodeGrid`. */
export function decodeCells(sparse: SparseGrid, layout: LabelLayout, options: DecodeOptions = {}): WordEntity[] {
  const { cells, labels, probabilities, words, rowStride, heads } = sparse;
  const grid = new LabelledCells(layout, heads);
  for (let k = 0; k < cells.length; k++) {
    const cell = cells[k] ?? 0;
    const label = labels[k] ?? NONE;
    const pair = Math.floor(cell / heads);
    const [row, column] = [Math.floor(pair / rowStride), pair % rowStride];
    if (label === NONE || row >= words || column >= words) continue;
    grid.add(row, column, cell % heads, label, probabilities[k] ?? 0);
  }
  return grid.entities(options);
}

interface Boundary {
  readonly head: number;
  readonly tail: number;
  readonly type: number;
  readonly probability: number;
  readonly steps: PathFinder;
}

/** The NNW and THW cells of one sentence, over all heads of its layout. */
class LabelledCells {
  readonly #layout: LabelLayout;
  readonly #steps: readonly PathFinder[];
  readonly #boundaries: Boundary[] = [];

  constructor(layout: LabelLayout, heads: number) {
    this.#layout = layout;
    this.#steps = Array.from({ length: heads }, () => new PathFinder());
  }

  add(row: number, column: number, layoutHead: number, label: number, probability: number): void {
    const steps = this.#steps[layoutHead];
    if (steps === undefined) return;
    if (label === NNW) {
      if (column > row) steps.add(row, column, probability);
    } else if (column <= row) {
      const type = this.#layout === 'typed' ? layoutHead : label - THW;
      this.#boundaries.push({ head: column, tail: row, type, probability, steps });
    }
  }

  entities({ flat = false, maxPaths = 64, maxEntities = 4096 }: DecodeOptions): WordEntity[] {
    const found: WordEntity[] = [];
    this.#boundaries.sort((a, b) => b.probability - a.probability);
    for (const { head, tail, type, probability, steps } of this.#boundaries) {
      const most = Math.min(maxPaths, maxEntities - found.length);
      if (most <= 0) break;
      for (const { words, logProduct } of steps.paths(head, tail, most)) {
        const score = Math.min(1, Math.exp((logProduct + Math.log(probability)) / words.length));
        found.push({ type, words, score });
      }
    }
    return flat ? flatten(found) : found.sort(comparePositions);
  }
}
