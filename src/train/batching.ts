import { UsageError } from '../errors.js';
import { shuffle } from './random.js';

/** What a sentence costs: word pieces for the encoder (special pieces included), words for the grid. */
export interface SentenceSize {
  readonly pieces: number;
  readonly words: number;
}

/**
 * How many sentences go into one batch: always `sentences`; or as many as fit, after padding, into `pieces` encoder
 * positions and `cells` grid cells (maxWords^2 each), and at most `sentences`. A sentence over a budget is a batch alone.
 */
export type BatchLimit =
  | { readonly kind: 'fixed'; readonly sentences: number }
  | { readonly kind: 'budget'; readonly pieces: number; readonly cells: number; readonly sentences?: number };

export interface BatchingConfig {
  readonly limit: BatchLimit;
  /**
   * Sentences are sorted by length within random pools of this many: a larger pool wastes less on padding, a smaller
   * one mixes lengths more. 0 does not sort.
   */
  readonly poolSize: number;
}

export interface BatchPlan {
  /** Indices of the sentences of each batch, in the order of training. */
  readonly batches: readonly Int32Array[];
  /** Shares of the computed positions and cells that are padding, in [0, 1). */
  readonly padding: { readonly pieces: number; readonly cells: number };
}

const BATCH_ORDER_STREAM = 1;

/** The batches of one epoch: every sentence once, a pure function of the arguments. */
export function planBatches(
  sizes: readonly SentenceSize[],
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
  sizes: readonly SentenceSize[],
  config: BatchingConfig,
  seed: number,
  epochs: number,
): number {
  let count = 0;
  for (let epoch = 0; epoch < epochs; epoch++) count += planBatches(sizes, config, seed, epoch).batches.length;
  return count;
}

function cut(pool: readonly number[], sizes: readonly SentenceSize[], limit: BatchLimit): Int32Array[] {
  const batches: Int32Array[] = [];
  let batch: number[] = [];
  let largest: SentenceSize = { pieces: 0, words: 0 };
  for (const index of pool) {
    const grown = larger(largest, sizeAt(sizes, index));
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

function fits(count: number, { pieces, words }: SentenceSize, limit: BatchLimit): boolean {
  if (count > (limit.sentences ?? Infinity)) return false;
  return limit.kind === 'fixed' || (count * pieces <= limit.pieces && count * words ** 2 <= limit.cells);
}

function paddingOf(batches: readonly Int32Array[], sizes: readonly SentenceSize[]): BatchPlan['padding'] {
  const used = { pieces: 0, cells: 0 };
  const computed = { pieces: 0, cells: 0 };
  for (const batch of batches) {
    let largest: SentenceSize = { pieces: 0, words: 0 };
    for (const index of batch) {
      const size = sizeAt(sizes, index);
      largest = larger(largest, size);
      used.pieces += size.pieces;
      used.cells += size.words ** 2;
    }
    computed.pieces += batch.length * largest.pieces;
    computed.cells += batch.length * largest.words ** 2;
  }
  const share = (part: number, whole: number): number => (whole === 0 ? 0 : 1 - part / whole);
  return { pieces: share(used.pieces, computed.pieces), cells: share(used.cells, computed.cells) };
}

const length = ({ pieces, words }: SentenceSize): number => pieces + words;

function larger(a: SentenceSize, b: SentenceSize): SentenceSize {
  return { pieces: Math.max(a.pieces, b.pieces), words: Math.max(a.words, b.words) };
}

function sizeAt(sizes: readonly SentenceSize[], index: number): SentenceSize {
  return sizes[index] ?? { pieces: 0, words: 0 };
}

function checkLimit(limit: BatchLimit): void {
  const numbers = limit.kind === 'fixed' ? [limit.sentences] : [limit.pieces, limit.cells, limit.sentences ?? 1];
  for (const value of numbers) {
    if (!(Number.isInteger(value) && value > 0)) {
      throw new UsageError(`expected batch limits that are positive whole numbers, found ${value}`);
    }
  }
}
