import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import type { Runtime } from '../runtime/index.js';
import { createTrainer, planTraining, type RunOptions } from '../train/run.js';
import type { Trainer } from '../train/trainer.js';
import type { Experiment } from './definition.js';
import { packageVersion, thisMachine } from './machine.js';
import { runsOf, type PlanOptions, type Run } from './plan.js';
import { machineSchema } from './results.js';

const count = z.int().positive();

const measurementSchema = z.strictObject({
  /** Identifies the configs of all systems. */
  key: z.string(),
  corpus: z.string(),
  sentences: count,
  /** Batches of an epoch. */
  batches: count,
  /** By system, the seconds of an update over each of the same batches, from the shortest to the longest. */
  seconds: z.record(z.string(), z.array(z.number().positive()).min(1)),
  machine: machineSchema,
  version: z.string(),
});

export const costSchema = z.strictObject({ format: z.literal(1), corpora: z.array(measurementSchema) });

/** What updates of some systems took over the same batches of one corpus. */
export type CostMeasurement = z.infer<typeof measurementSchema>;

/** All that was measured, corpus by corpus. */
export type CostResult = z.infer<typeof costSchema>;

/** The systems of an experiment on one corpus, to be measured against one another. */
export interface CostRun {
  readonly key: string;
  readonly corpus: string;
  /** One for each system. */
  readonly runs: readonly Run[];
}

export interface CostOptions {
  /** Folder with the corpora, each in a folder of its name. */
  readonly corpora: string;
  /** The folder of the pretrained encoder. */
  readonly encoder?: string;
  readonly threads?: number;
  /** Batches that are measured; 64 where absent. */
  readonly batches?: number;
  readonly signal?: AbortSignal;
}

const BATCHES = 64;
/** ONNX Runtime's threads spin for some 50 ms after a run and would slow the other system's down. */
const REST = 100;

/** What an experiment of the kind `cost` measures: its systems together, corpus by corpus. */
export function costRunsOf(experiment: Experiment, options: PlanOptions = {}): CostRun[] {
  const runs = runsOf(experiment, options);
  const corpora = [...new Set(runs.flatMap(({ config }) => config.corpora))];
  return corpora.map((corpus) => {
    const own = runs.filter(({ config }) => config.corpora.includes(corpus));
    const key = createHash('sha256')
      .update(own.map((run) => run.key).join())
      .digest('hex')
      .slice(0, 16);
    return { key, corpus, runs: own };
  });
}

/** The measurement of a run's configs, if there is one. */
export function measurementOf(result: CostResult | undefined, { key }: CostRun): CostMeasurement | undefined {
  return result?.corpora.find((each) => each.key === key);
}

/**
 * Times updates of several systems, in turn over the same batches: of all batches of an epoch those evenly spaced from the
 * shortest to the longest, so that their mean times the number of batches is an epoch's. An update is what training
 * does between two batches: labels, dropout masks, forward, backward, clipping, AdamW.
 *
 * @throws InputError for corpora and encoders at fault
 */
export async function measureCost(
  { key, corpus, runs }: CostRun,
  options: CostOptions,
  runtime: Runtime,
  onBatch: (done: number, all: number) => void = () => undefined,
): Promise<CostMeasurement> {
  const trainers: { readonly system: string; readonly trainer: Trainer; readonly seconds: number[] }[] = [];
  try {
    let sentences = 0;
    for (const run of runs) {
      const plan = await planTraining(optionsOf(run, corpus, options));
      sentences = plan.data.train.length;
      const { trainer } = await createTrainer(plan, runtime, options.threads);
      trainers.push({ system: run.system, trainer, seconds: [] });
    }
    const [first] = trainers;
    if (first === undefined) throw new RangeError('expected systems to measure, found none');
    const all = first.trainer.batches(0).toSorted((a, b) => first.trainer.lengthOf(a) - first.trainer.lengthOf(b));
    const wanted = Math.min(options.batches ?? BATCHES, all.length);
    const chosen = Array.from({ length: wanted }, (_, k) => all[Math.floor(((k + 0.5) * all.length) / wanted)]);
    const longest = all.at(-1);
    for (const { trainer } of trainers) if (longest !== undefined) await trainer.update([longest]);
    for (const [k, batch] of chosen.entries()) {
      for (const { trainer, seconds } of k % 2 === 0 ? trainers : trainers.toReversed()) {
        options.signal?.throwIfAborted();
        await pause(REST);
        const start = performance.now();
        if (batch !== undefined) await trainer.update([batch]);
        seconds.push(Number(((performance.now() - start) / 1000).toFixed(4)));
      }
      onBatch(k + 1, wanted);
    }
    return {
      key,
      corpus,
      sentences,
      batches: all.length,
      seconds: Object.fromEntries(trainers.map(({ system, seconds }) => [system, seconds])),
      machine: thisMachine(options.threads),
      version: packageVersion(),
    };
  } finally {
    for (const { trainer } of trainers) await trainer.release();
  }
}

function optionsOf({ config, seed }: Run, corpus: string, { corpora, encoder }: CostOptions): RunOptions {
  return {
    corpora: [join(corpora, corpus)],
    output: '',
    config: { model: config.model, training: { ...config.training, seed } },
    mergeDevel: config.mergeDevel,
    ...(config.encoder === null || encoder === undefined ? {} : { encoder }),
  };
}
