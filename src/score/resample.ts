import { uniforms } from './random.js';
import { scoreOf, sumCounts, type Score, type UnitCounts } from './strict.js';

/** A confidence interval; both ends belong to it. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** How scores are resampled. */
export interface ResamplingOptions {
  /** Number of samples; 1000 where absent. */
  readonly samples?: number;
  /** From 0 to 2^32 - 1; 0 where absent. The same seed gives the same answer on every machine. */
  readonly seed?: number;
  /** Confidence level of intervals; 0.95 where absent. */
  readonly level?: number;
}

/**
 * The options with their defaults.
 * @throws RangeError for impossible ones
 */
export function resamplingOptions(options: ResamplingOptions): Required<ResamplingOptions> {
  const { samples = 1000, seed = 0, level = 0.95 } = options;
  if (!Number.isInteger(samples) || samples < 1) throw new RangeError(`expected 1 sample or more, found ${samples}`);
  if (!(level > 0 && level < 1)) throw new RangeError(`expected a level between 0 and 1, found ${level}`);
  return { samples, seed, level };
}

/** Indices of units drawn with replacement, as many as there are. */
export function* drawUnits(count: number, seed: number, sample: number): Generator<number> {
  for (const uniform of uniforms(seed, sample, count)) yield Math.floor(uniform * count);
}

/** The interval that holds the middle `level` of the values, by linear interpolation between the sorted values. */
export function percentileInterval(values: Float64Array, level: number): Interval {
  const sorted = values.slice().sort();
  const at = (fraction: number): number => {
    const position = fraction * (sorted.length - 1);
    const below = sorted[Math.floor(position)] ?? 0;
    const above = sorted[Math.ceil(position)] ?? below;
    return below + (above - below) * (position - Math.floor(position));
  };
  const tail = (1 - level) / 2;
  return { low: at(tail), high: at(1 - tail) };
}

const FIELDS = 3;

/**
 * The counts of all units as numbers [units, types + 1, 3], quick to sum over many samples; the last column is the sum
 * of the types.
 */
export class CountsTable {
  readonly #cells: Int32Array;
  readonly #sums: Float64Array;

  constructor(
    units: readonly UnitCounts[],
    readonly types: readonly string[],
  ) {
    const width = FIELDS * (types.length + 1);
    this.#cells = new Int32Array(units.length * width);
    this.#sums = new Float64Array(width);
    for (const [row, unit] of units.entries()) {
      const columns = types.map((type) => unit.get(type) ?? sumCounts([]));
      for (const [column, { gold, predicted, correct }] of [...columns, sumCounts(columns)].entries()) {
        this.#cells.set([gold, predicted, correct], row * width + column * FIELDS);
      }
    }
  }

  /** Scores of the given units: of every type, and overall as the last. */
  scores(drawn: Iterable<number>): Score[] {
    const sums = this.#sums.fill(0);
    for (const unit of drawn) {
      const start = unit * sums.length;
      for (let k = 0; k < sums.length; k++) sums[k] = (sums[k] ?? 0) + (this.#cells[start + k] ?? 0);
    }
    return Array.from({ length: this.types.length + 1 }, (_, column) => {
      const [gold = 0, predicted = 0, correct = 0] = sums.subarray(column * FIELDS);
      return scoreOf({ gold, predicted, correct });
    });
  }
}
