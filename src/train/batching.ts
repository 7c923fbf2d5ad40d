import { UsageError } from '../errors.js';
import { shuffle } from './random.js';

/** What a window costs. */
export interface WindowSize {
  /** Word pieces, special ones included. */
  readonly pieces: number;
  /** Words of its longest sentence: the side of the grids. */
  readonly words: number;
  readonly sentences: number;
}

/**
 * How many sentences go into one batch: at most `sentences`; with a budget, as many as fit, after padding, into `pieces`
 * encoder positions and `cells` grid cells (maxWords^2 for each). A window over the limit is a batch alone.
 */
export type BatchLimit =
  | { readonly kind: 'fixed'; readonly sentences: number }
  | { readonly kind: 'budget'; readonly pieces: number; readonly cells: number; readonly sentences?: number };

export interface BatchingConfig {
  readonly limit: BatchLimit;
  /**
   * Windows are sorted by length within random pools of this many: a larger pool wastes less on padding, a smaller
   * one mixes lengths more. 0 does not sort.
   */
  readonly poolSize: number;
}

export interface BatchPlan {
  /** Indices of the windows of each batch, in the order of training. */
  readonly batches: readonly Int32Array[];
  /** Shares of the computed positions and cells that are padding, in [0, 1). */
  readonly padding: { readonly pieces: number; readonly cells: number };
}

const BATCH_ORDER_STREAM = 1;

/** The batches of one epoch: every window once, a pure function of the arguments. */
export function planBatches(
  sizes: readonly WindowSize[],
  config: BatchingConfig,
  seed: number,
  epoch: number,
): BatchPlan {
  checkLimit(config.limit);
  const order = shuffle(seed, epoch, sizes.length);
  const poolSize = config.poolSize > 0 ? config.poolSize : sizes.length;
  const batches: Int32Array[] = [];
  for (let start = 0; start < order.length; start += poolSize) {
    const pool = [...order.subarray(start, start + poolSize)];
    if (config.poolSize > 0) pool.sort((a, b) => length(sizeAt(sizes, a)) - length(sizeAt(sizes, b)));
    batches.push(...cut(pool, sizes, config.limit));
  }
  const batchOrder = shuffle(seed, epoch, batches.length, BATCH_ORDER_STREAM);
  return {
    batches: [...batchOrder].flatMap((index) => batches[index] ?? []),
    padding: paddingOf(batches, sizes),
  };
}

/** Number of batches of all epochs 0 .. epochs-1, which the learning-rate schedule needs beforehand. */
export function countBatches(
  sizes: readonly WindowSize[],
  config: BatchingConfig,
  seed: number,
  epochs: number,
): number {
  let count = 0;
  for (let epoch = 0; epoch < epochs; epoch++) count += planBatches(sizes, config, seed, epoch).batches.length;
  return count;
}

function cut(pool: readonly number[], sizes: readonly WindowSize[], limit: BatchLimit): Int32Array[] {
  const batches: Int32Array[] = [];
  let batch: number[] = [];
  let largest = none;
  for (const index of pool) {
    const grown = together(largest, sizeAt(sizes, index));
    if (batch.length > 0 && !fits(batch.length + 1, grown, limit)) {
      batches.push(Int32Array.from(batch));
      batch = [];
      largest = sizeAt(sizes, index);
    } else {
      largest = grown;
    }
    batch.push(index);
  }
  if (batch.length > 0) batches.push(Int32Array.from(batch));
  return batches;
}

function fits(windows: number, { pieces, words, sentences }: WindowSize, limit: BatchLimit): boolean {
  if (sentences > (limit.sentences ?? Infinity)) return false;
  return limit.kind === 'fixed' || (windows * pieces <= limit.pieces && sentences * words ** 2 <= limit.cells);
}

function paddingOf(batches: readonly Int32Array[], sizes: readonly WindowSize[]): BatchPlan['padding'] {
  const used = { pieces: 0, cells: 0 };
  const computed = { pieces: 0, cells: 0 };
  for (const batch of batches) {
    let largest = none;
    for (const index of batch) {
      const size = sizeAt(sizes, index);
      largest = together(largest, size);
      used.pieces += size.pieces;
      used.cells += size.sentences * size.words ** 2;
    }
    computed.pieces += batch.length * largest.pieces;
    computed.cells += largest.sentences * largest.words ** 2;
  }
  const share = (part: number, whole: number): number => (whole === 0 ? 0 : 1 - part / whole);
  return { pieces: share(used.pieces, computed.pieces), cells: share(used.cells, computed.cells) };
}

const length = ({ pieces, words }: WindowSize): number => pieces + words;

const none: WindowSize = { pieces: 0, words: 0, sentences: 0 };

/** The padded size of windows in one batch, and the number of their sentences. */
function together(a: WindowSize, b: WindowSize): WindowSize {
  return {
    pieces: Math.max(a.pieces, b.pieces),
    words: Math.max(a.words, b.words),
    sentences: a.sentences + b.sentences,
  };
}

function sizeAt(sizes: readonly WindowSize[], index: number): WindowSize {
  return sizes[index] ?? none;
}

function checkLimit(limit: BatchLimit): void {
  const numbers = limit.kind === 'fixed' ? [limit.sentences] : [limit.pieces, limit.cells, limit.sentences ?? 1];
  for (const value of numbers) {
    if (!(Number.isInteger(value) && value > 0)) {
      throw new UsageError(`expected batch limits that are positive whole numbers, found ${value}`);
    }
  }
}
