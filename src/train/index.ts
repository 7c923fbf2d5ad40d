export { nodeRuntime } from '../runtime/node.js';
export { DEFAULT_ADAMW, type AdamWConfig } from './adamw.js';
export { trainingConfigSchema, type TrainingConfig } from './config.js';
export type { LabelledSentence } from './data.js';
export { collectLexicon } from './lexicon.js';
export type { StepLosses } from './graph.js';
export { Trainer, type Position, type StepProgress, type TrainerOptions } from './trainer.js';
export { runTraining, type EpochRecord, type RunHooks, type RunOptions, type RunResult } from './run.js';
