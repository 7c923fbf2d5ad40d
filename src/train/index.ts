/**
 * Trains models as `ebiobert train` does. {@link runTraining} is a whole run, from corpora to a model folder;
 * {@link Trainer} the steps alone.
 *
 * @module ebiobert/train
 */
export { nodeRuntime } from '../runtime/node.js';
export { DEFAULT_ADAMW, type AdamWConfig } from './adamw.js';
export { trainingConfigSchema, type TrainingConfig } from './config.js';
export type { CorpusSummary, DevelopmentSet, TrainingData } from './corpora.js';
export type { LabelledSentence } from './data.js';
export { collectLexicon } from './lexicon.js';
export type { LostEntities } from './lost.js';
export type { StepLosses } from './graph.js';
export type { Floats, ParameterGroup, ParameterSpec, ParameterStore, Region, Stretch } from './parameters.js';
export { Teachers, type Student, type Teacher } from './teachers.js';
export { Trainer, type Position, type StepProgress, type TrainerOptions, type Update } from './trainer.js';
export type { EpochOptions, EpochRecord, RunHooks } from './epochs.js';
export { runTraining, type RunOptions, type RunResult } from './run.js';
export type { Predictor, WordSentence } from '../tag/index.js';
