import type { EpochRecord, StepProgress, TrainingConfig } from '../train/index.js';
import type { ProgressBar } from './progress.js';

/** Batches of an epoch (from 0) that are done. */
interface Place {
  readonly epoch: number;
  readonly batch: number;
  readonly batches: number;
}

/** Hooks of a training run, which ask for no more than they show. */
export interface TrainingProgress {
  onStart(run: { readonly training: Pick<TrainingConfig, 'epochs'>; readonly resumedAt?: Place }): void;
  onStep(step: Place & Pick<StepProgress, 'sentences' | 'losses'>): void;
  onEpoch(record: EpochRecord): void;
}

/** The share of a run of some epochs that is done, 0 to 1. */
function shareOf({ epoch, batch, batches }: Place, epochs: number): number {
  return (epoch + batch / Math.max(1, batches)) / epochs;
}

/**
 * Shows a training run: a line for each epoch, and a bar over all epochs with the loss of the last update, sentences a
 * second of the epoch's updates, and the time left by what this process has done, scoring included.
 */
export function trainingProgress(bar: ProgressBar): TrainingProgress {
  let epochs = 1;
  let started = performance.now();
  let sentences = 0;
  const beginEpoch = (): void => {
    started = performance.now();
    sentences = 0;
  };
  return {
    onStart({ training, resumedAt }) {
      ({ epochs } = training);
      if (resumedAt !== undefined) bar.log(`resumed after epoch ${resumedAt.epoch}, batch ${resumedAt.batch}`);
      bar.begin(resumedAt === undefined ? 0 : shareOf(resumedAt, epochs));
      beginEpoch();
    },
    onStep(step) {
      sentences += step.sentences;
      const rate = (1000 * sentences) / (performance.now() - started);
      const status = `epoch ${step.epoch + 1} of ${epochs}  loss ${step.losses.total.toFixed(4)}`;
      bar.show(`${status}  ${rate.toFixed(1)} sentences/s`, shareOf(step, epochs));
    },
    onEpoch(record) {
      bar.log(epochLine(record));
      beginEpoch();
    },
  };
}

/** What is printed of an epoch. */
function epochLine({ epoch, loss, guidance, seconds, devel, score }: EpochRecord): string {
  const scores = Object.entries(devel).map(([name, { types }]) => {
    const parts = Object.entries(types).map(([type, { f1 }]) => `${type} ${(100 * f1).toFixed(2)}`);
    return `${name}: ${parts.join(', ')}`;
  });
  const mean = score === null ? '' : `  devel F1 ${(100 * score).toFixed(2)} (${scores.join('; ')})`;
  return `epoch ${epoch}  loss ${loss.toFixed(5)}  guidance ${guidance.toFixed(4)}  ${seconds.toFixed(0)} s${mean}`;
}
