import { existsSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { z } from 'zod';
import { InputError } from '../errors.js';
import type { Runtime } from '../runtime/index.js';
import type { Score, Scores } from '../score/index.js';
import { runTraining, type EpochRecord, type RunHooks } from '../train/index.js';
import { attempt, writeFileAtomic } from '../weights/index.js';
import type { DocumentCounts } from './counts.js';
import { readTestSets, scoreTestSet, type TestScores, type TestSet } from './evaluation.js';
import { takeLock } from './lock.js';
import { packageVersion, thisMachine } from './machine.js';
import type { Run } from './plan.js';
import { Results, type Result } from './results.js';
import { writeShare } from './subset.js';

export interface ExecuteOptions {
  /** Folder with the corpora, each in a folder of its name. */
  readonly corpora: string;
  /** The folder of the pretrained encoder that the run's config names. */
  readonly encoder?: string;
  /** Folder of results; a run whose result is there is not made again. */
  readonly results: string;
  /** Where models, checkpoints and scores of runs under way are; one folder for each run. */
  readonly work: string;
  readonly threads?: number;
  /** Keep the trained model (`<work>/<name>/model`) when the run is done. */
  readonly keepModel?: boolean;
  readonly signal?: AbortSignal;
}

const logSchema = z.object({
  model: z.record(z.string(), z.json()),
  training: z.record(z.string(), z.json()),
  corpora: z.array(z.record(z.string(), z.json())),
});

/**
 * The result of a run: the one that is there already, or else trains, scores and saves it. A run that was stopped or killed goes on from its last checkpoint.
 * Test scores choose nothing: the epoch is chosen on devel, or is the last where devel is trained on.
 *
 * @throws InputError for corpora, encoders and settings at fault, and when another process is at this run
 */
export async function executeRun(
  run: Run,
  options: ExecuteOptions,
  runtime: Runtime,
  hooks: RunHooks = {},
): Promise<Result> {
  const folder = join(options.work, run.name);
  await attempt(folder, 'write', mkdir(folder, { recursive: true }));
  const lock = await takeLock(join(folder, 'lock'));
  try {
    const results = await Results.open(options.results);
    const known = results.get(run.key);
    const result = known ?? (await train(run, folder, options, runtime, hooks));
    if (known === undefined) await results.save(run.name, result);
    await rm(join(folder, 'model.run'), { recursive: true, force: true });
    if (options.keepModel !== true) await rm(folder, { recursive: true, force: true });
    return result;
  } finally {
    await lock.release();
  }
}

/** Epochs of a run under way that are done. */
export async function epochsDone(run: Run, work: string): Promise<number> {
  const text = await readFile(logFile(join(work, run.name)), 'utf8').catch(() => '');
  return Math.max(0, text.split('\n').length - 2);
}

/** Corpora of a run that are not in the folder of corpora. */
export function missingCorpora(run: Run, corpora: string): string[] {
  return run.config.corpora.filter((name) => !existsSync(join(corpora, name)));
}

async function train(
  run: Run,
  folder: string,
  options: ExecuteOptions,
  runtime: Runtime,
  hooks: RunHooks,
): Promise<Result> {
  const { config, seed } = run;
  const { encoder } = options;
  if (config.encoder !== null && encoder === undefined) throw new InputError('expected the folder of an encoder');
  const folders = config.corpora.map((name) => join(options.corpora, name));
  const whole = config.share === '1/1';
  const trained = whole ? folders : await writeShares(folders, config.share, join(folder, 'corpora'));
  let types: readonly string[] = [];
  let sets: readonly TestSet[] | undefined;
  let parameters = 0;
  await runTraining(
    {
      corpora: trained,
      output: join(folder, 'model'),
      config: { model: config.model, training: { ...config.training, seed } },
      mergeDevel: config.mergeDevel,
      resume: true,
      command: `ebiobert experiment run ${run.experiment} --systems ${run.system} --seeds ${seed}`,
      ...(config.encoder === null || encoder === undefined ? {} : { encoder }),
      ...(options.threads === undefined ? {} : { threads: options.threads }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    },
    runtime,
    {
      ...hooks,
      onStart(info) {
        ({ types } = info.model);
        ({ parameters } = info);
        hooks.onStart?.(info);
      },
      async onEvaluate(evaluation) {
        sets ??= await readTestSets(folders, types);
        const scores: Record<string, TestScores> = {};
        for (const set of sets) scores[set.name] = await scoreTestSet(evaluation.predictor, set);
        await writeFileAtomic(testFile(folder, evaluation.epoch), JSON.stringify(scores));
        await hooks.onEvaluate?.(evaluation);
      },
    },
  );
  const [head, ...records] = await logLines(folder);
  const { model, training, corpora } = logSchema.parse(head);
  const epochs = records as EpochRecord[];
  const tests = await Promise.all(epochs.map(({ epoch }) => readTestScores(folder, epoch)));
  const kept = keptEpoch(epochs);
  const documents = Object.entries(tests[kept - 1] ?? {}).map(([name, scores]): [string, DocumentCounts] => [
    name,
    scores.documents,
  ]);
  return {
    format: 1,
    experiment: run.experiment,
    system: run.system,
    config: JSON.parse(JSON.stringify(config)) as Result['config'],
    seed,
    resolved: { model, training, corpora },
    parameters,
    epochs: epochs.map((record, k) => ({
      epoch: record.epoch,
      loss: rounded(record.loss),
      guidance: rounded(record.guidance),
      sentences: record.sentences,
      seconds: Math.round(record.seconds * 100) / 100,
      devel: overall(record.devel),
      test: Object.fromEntries(Object.entries(tests[k] ?? {}).map(([name, scores]) => [name, short(scores.overall)])),
    })),
    kept,
    documents: Object.fromEntries(documents),
    machine: thisMachine(options.threads),
    version: packageVersion(),
  };
}

async function writeShares(folders: readonly string[], share: string, target: string): Promise<string[]> {
  const written: string[] = [];
  for (const folder of folders) written.push(await writeShare(folder, share, target));
  return written;
}

/** The first epoch with the best devel score, as `runTraining` keeps it; the last where there are none. */
function keptEpoch(epochs: readonly EpochRecord[]): number {
  let best: { readonly epoch: number; readonly score: number } | undefined;
  for (const { epoch, score } of epochs) {
    if (score !== null && (best === undefined || score > best.score)) best = { epoch, score };
  }
  return best?.epoch ?? epochs.length;
}

const logFile = (folder: string): string => join(folder, 'model.run', 'log.jsonl');

const testFile = (folder: string, epoch: number): string => resolve(folder, `test-${epoch}.json`);

async function readTestScores(folder: string, epoch: number): Promise<Readonly<Record<string, TestScores>>> {
  const file = testFile(folder, epoch);
  const text = await attempt(file, 'read', readFile(file, 'utf8'));
  return JSON.parse(text) as Readonly<Record<string, TestScores>>;
}

async function logLines(folder: string): Promise<unknown[]> {
  const text = await attempt(logFile(folder), 'read', readFile(logFile(folder), 'utf8'));
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line): unknown => JSON.parse(line));
}

function overall(scores: Readonly<Record<string, Scores>>): Record<string, Score> {
  return Object.fromEntries(Object.entries(scores).map(([name, of]) => [basename(name), short(of.overall)]));
}

function short({ precision, recall, f1, gold, predicted, correct }: Score): Score {
  return { precision: rounded(precision), recall: rounded(recall), f1: rounded(f1), gold, predicted, correct };
}

function rounded(value: number): number {
  return Number(value.toPrecision(6));
}
