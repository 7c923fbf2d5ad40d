export interface Schedule {
  /** Number of updates of the whole run. */
  readonly totalSteps: number;
  /** Share of them during which the rate rises, in [0, 1]; the paper's is 0.1. */
  readonly warmupFraction: number;
}

/**
 * The factor on the learning rate of the update that follows `step` earlier ones: linear from 0 over the warm-up
 * (floor(warmupFraction x totalSteps) updates), then linear down to 0 at `totalSteps`. The rule of transformers'
 * `get_linear_schedule_with_warmup`.
 */
export function rateFactor(step: number, { totalSteps, warmupFraction }: Schedule): number {
  const warmupSteps = Math.floor(warmupFraction * totalSteps);
  if (step < warmupSteps) return step / warmupSteps;
  return Math.max(0, (totalSteps - step) / Math.max(1, totalSteps - warmupSteps));
}
