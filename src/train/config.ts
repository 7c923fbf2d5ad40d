import { z } from 'zod';

const positive = z.number().positive();

/**
 * What the sentences of a corpus say of a type that it does not annotate: `unknown`, nothing; `absent-in-mentions`, that
 * there is none inside the mentions of other types; `absent`, that there is none at all, as if the corpus annotated it.
 */
const unannotatedSchema = z.enum(['unknown', 'absent-in-mentions', 'absent']);

/** Labels and teachers count alike. */
export const DEFAULT_TEACHER_WEIGHT = 0.5;

/** How a run trains: everything beside the model's config and the data that shapes the final weights. */
export const trainingConfigSchema = z.strictObject({
  seed: z.int().min(0).default(0),
  /** What sentences say of the types that their corpus does not annotate. */
  unannotated: unannotatedSchema.default('absent-in-mentions'),
  epochs: z.int().positive().default(10),
  /** Sentences of a batch; fewer where a budget says so. */
  batchSentences: z.int().positive().default(8),
  /** Padded encoder positions and grid cells of a batch at most; null sets no budget. */
  batchPieces: z.int().positive().nullable().default(null),
  batchCells: z.int().positive().nullable().default(null),
  /** Batches whose gradients are averaged for an update. */
  accumulate: z.int().positive().default(1),
  /** Sentences are sorted by length within random pools of this many; 0 does not sort. */
  pool: z.int().min(0).default(400),
  /** Longer sentences are cut into overlapping windows of this many pieces. */
  maxPieces: z.int().min(8).default(200),
  /** Highest learning rates, after the warm-up: of the encoder, and of everything else. */
  encoderRate: positive.default(1e-4),
  headRate: positive.default(1e-3),
  /** The rate of an encoder layer is this share of the one above it; 1 for all alike. */
  layerDecay: positive.max(1).default(1),
  weightDecay: z.number().min(0).default(0.1),
  /** Share of the updates during which the rates rise from 0; then they fall linearly to 0. */
  warmup: z.number().min(0).max(1).default(0.1),
  /** Largest global norm of the gradient; null does not clip. */
  clip: positive.nullable().default(5),
  /** With teachers alone: the share of the task loss that is the distance to them, `DEFAULT_TEACHER_WEIGHT` where absent. */
  teacherWeight: positive.max(1).optional(),
  /** Weights that are evaluated and kept: the last, a mean over the last epochs, or a moving average. */
  average: z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('none') }),
      z.strictObject({ kind: z.literal('epochs'), epochs: z.int().positive() }),
      z.strictObject({ kind: z.literal('moving'), decay: positive.lt(1), every: z.int().positive() }),
    ])
    .default({ kind: 'none' }),
});

/**
 * The settings with their defaults filled in.
 * @interface
 */
export type TrainingConfig = z.infer<typeof trainingConfigSchema>;
/** What sentences say of the types that their corpus does not annotate. */
export type Unannotated = z.infer<typeof unannotatedSchema>;
