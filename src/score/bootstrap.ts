import { CountsTable, drawUnits, percentileInterval, resamplingOptions } from './resample.js';
import type { Interval, ResamplingOptions } from './resample.js';
import type { UnitCounts } from './strict.js';

/** A field of `Score` that is a fraction. */
export type Measure = 'precision' | 'recall' | 'f1';
/** An interval for each measure. */
export type MeasureIntervals = Readonly<Record<Measure, Interval>>;

/** Intervals beside `Scores`. */
export interface ScoreIntervals {
  readonly overall: MeasureIntervals;
  readonly types: Readonly<Record<string, MeasureIntervals>>;
}

/**
 * Percentile bootstrap intervals of strict scores (Efron 1979): units are drawn with replacement, as many as there
 * are, and scored again; the interval holds the middle 95 % of the scores of all samples.
 *
 * @param units counts of sentences or documents (`StrictScorer.units`): documents where sentences depend on each other
 * @throws RangeError for impossible options
 */
export function bootstrapIntervals(units: readonly UnitCounts[], options: ResamplingOptions = {}): ScoreIntervals {
  const { samples, seed, level } = resamplingOptions(options);
  const types = [...new Set(units.flatMap((unit) => [...unit.keys()]))].sort();
  const table = new CountsTable(units, types);
  const scores = Array.from({ length: samples }, (_, sample) => table.scores(drawUnits(units.length, seed, sample)));
  const intervalsOf = (column: number): MeasureIntervals => {
    const of = (measure: Measure): Interval =>
      percentileInterval(
        Float64Array.from(scores, (sample) => sample[column]?.[measure] ?? 0),
        level,
      );
    return { precision: of('precision'), recall: of('recall'), f1: of('f1') };
  };
  return {
    overall: intervalsOf(types.length),
    types: Object.fromEntries(types.map((type, column) => [type, intervalsOf(column)])),
  };
}
