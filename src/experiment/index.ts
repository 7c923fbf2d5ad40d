export {
  measureDiversity,
  PAPER_SENTENCES,
  sentenceMaps,
  type AttentionModel,
  type AttentionResult,
} from './attention.js';
export { compareCases, type CasesResult } from './cases.js';
export { costRunsOf, measureCost, measurementOf, type CostResult, type CostRun } from './cost.js';
export { experimentsNamed, readExperiments, type Experiment, type Protocol, type System } from './definition.js';
export { epochsDone, executeRun, missingCorpora, type ExecuteOptions } from './execute.js';
export { keptModel, LOOKS, looksText, readLooks, type Looks } from './looks.js';
export { packageVersion } from './machine.js';
export { runFor, runKey, runsOf, type PlanOptions, type Run, type RunConfig } from './plan.js';
export { Results, type Result, type ResultEpoch } from './results.js';
export { draw, reportOf, type Drawing, type Report } from './report/index.js';
export { holm, pairedDifference, type PairedDifference } from './significance.js';
