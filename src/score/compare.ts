import type { Measure } from './bootstrap.js';
import { uniforms } from './random.js';
import { CountsTable, drawUnits, percentileInterval, resamplingOptions } from './resample.js';
import type { Interval, ResamplingOptions } from './resample.js';
import type { Counts, UnitCounts } from './strict.js';

/** Differences closer than this are equal: sums in another order round otherwise. */
const ROUNDING = 1e-12;

/** What of two systems is compared, and how often it is resampled. */
export interface ComparisonOptions extends ResamplingOptions {
  /** What is compared; `f1` where absent. */
  readonly measure?: Measure;
  /** The type whose scores are compared; all together where absent. */
  readonly type?: string;
}

/** How two systems differ on the same units. */
export interface Comparison {
  /** Measure of the first less that of the second. */
  readonly difference: number;
  /** Percentile interval of the difference over paired bootstrap samples. */
  readonly interval: Interval;
  /** Probability of a difference at least this large, in either direction, if the systems were exchangeable. */
  readonly pValue: number;
}

/**
 * Compares two systems by their counts on the same units: a paired bootstrap gives the interval of the difference,
 * approximate randomisation its p-value (Noreen 1989; Yeh, COLING 2000): in every sample each unit's two outputs
 * change places with probability 1/2, and p = (1 + samples with |difference| >= the observed) / (1 + samples).
 *
 * @throws RangeError for systems whose units are not the same, and for impossible options
 */
export function compareSystems(
  first: readonly UnitCounts[],
  second: readonly UnitCounts[],
  { measure = 'f1', type, ...resampling }: ComparisonOptions = {},
): Comparison {
  const { samples, seed, level } = resamplingOptions(resampling);
  requireSameUnits(first, second);
  const types = type === undefined ? [...new Set([...first, ...second].flatMap((unit) => [...unit.keys()]))] : [type];
  const table = new CountsTable([...first, ...second], types);
  const count = first.length;
  const measured = (units: Iterable<number>): number => table.scores(units).at(-1)?.[measure] ?? 0;
  const differenceOver = (units: readonly number[], swapped: (k: number) => boolean = () => false): number =>
    measured(units.map((unit, k) => (swapped(k) ? unit + count : unit))) -
    measured(units.map((unit, k) => (swapped(k) ? unit : unit + count)));

  const all = Array.from({ length: count }, (_, k) => k);
  const difference = differenceOver(all);
  const drawn = Float64Array.from({ length: samples }, (_, sample) =>
    differenceOver([...drawUnits(count, seed, sample)]),
  );
  let asLarge = 0;
  for (let sample = 0; sample < samples; sample++) {
    const coins = [...uniforms(seed, samples + sample, count)];
    const exchanged = differenceOver(all, (k) => (coins[k] ?? 0) < 0.5);
    if (Math.abs(exchanged) >= Math.abs(difference) - ROUNDING) asLarge++;
  }
  return {
    difference,
    interval: percentileInterval(drawn, level),
    pValue: (1 + asLarge) / (1 + samples),
  };
}

function requireSameUnits(first: readonly UnitCounts[], second: readonly UnitCounts[]): void {
  if (first.length !== second.length) {
    throw new RangeError(`expected the same units, found ${first.length} and ${second.length}`);
  }
  for (const [k, unit] of first.entries()) {
    const other = second[k] ?? new Map<string, Counts>();
    for (const type of new Set([...unit.keys(), ...other.keys()])) {
      const [a, b] = [unit.get(type)?.gold ?? 0, other.get(type)?.gold ?? 0];
      if (a !== b) throw new RangeError(`expected the same gold entities, found ${a} and ${b} ${type} in unit ${k}`);
    }
  }
}
