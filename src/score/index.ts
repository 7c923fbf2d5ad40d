export {
  scoreOf,
  scoresOf,
  StrictScorer,
  sumCounts,
  type Counts,
  type Keyed,
  type Score,
  type Scores,
} from './strict.js';
