export {
  scoreOf,
  scoresOf,
  spansKey,
  StrictScorer,
  sumCounts,
  wordsKey,
  type Counts,
  type Keyed,
  type Score,
  type Scores,
  type UnitCounts,
} from './strict.js';
export { ConllEvaluation, formatConll, type ConllScores } from './conlleval.js';
export { bootstrapIntervals, type Measure, type MeasureIntervals, type ScoreIntervals } from './bootstrap.js';
export { compareSystems, type Comparison, type ComparisonOptions } from './compare.js';
export type { Interval, ResamplingOptions } from './resample.js';
