import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import type { TypeMap } from '../corpus/index.js';
import { UsageError } from '../errors.js';
import type { ModelConfig } from '../model/index.js';
import { findModel, readNames } from '../node.js';
import type { Runtime } from '../runtime/index.js';
import { calibrate, SentenceEncoder } from '../tag/index.js';
import { Gazetteer, parseNames } from '../text/index.js';
import { attempt, writeModelFolder } from '../weights/index.js';
import { CheckpointFolder } from './checkpoint.js';
import type { TrainingConfig } from './config.js';
import { readTrainingData, type TrainingData } from './corpora.js';
import { Epochs, type EpochOptions, type EpochRecord, type RunHooks } from './epochs.js';
import { TrainingLog } from './log.js';
import { lostEntities } from './lost.js';
import { modelCard } from './model-card.js';
import { startFromWords, startsFromWords } from './start-words.js';
import { parseConfig, readStart, type Start } from './start.js';
import { Teachers } from './teachers.js';
import { Trainer } from './trainer.js';

/** What is trained on what. Nothing but `corpora` and `output` is needed beside a start. */
export interface RunOptions extends EpochOptions {
  /** Corpus folders; `openCorpus` says what they hold. */
  readonly corpora: readonly string[];
  /** What the corpora call a type, and what it is (`typeMap`); names of known corpora are mapped where absent. */
  readonly types?: TypeMap;
  /**
   * Folder of a pretrained encoder (`config.json`, tokenizer, weights). Either this, or `fromModel`, or a config with
   * `"encoder": null`, whose model learns embeddings of the training sentences' words.
   */
  readonly encoder?: string;
  /** What the encoder is called in the model's provenance: its Hugging Face id, for one. Default: its folder. */
  readonly encoderName?: string;
  /**
   * Folder of a model whose weights, config and types this run goes on from. A config of the other kind (`"kind"`)
   * takes over its encoder, gazetteer and spelling features, and starts a new head.
   */
  readonly fromModel?: string;
  /**
   * A file of names (`parseNames`) that are marked in the encoder's input, not beside `fromModel`, which goes on with its own.
   * The model folder keeps what is needed of it.
   */
  readonly gazetteer?: string;
  /** The model folder to write; checkpoints and log go to `<output>.run` beside it. */
  readonly output: string;
  /** `{"model": {...}, "training": {...}}`: what differs from the defaults. */
  readonly config?: unknown;
  /** For error messages: where `config` came from. */
  readonly configFile?: string;
  /**
   * Models whose mean probabilities the model learns beside the labels, as much as `teacherWeight` says: names or folders,
   * as for `Tagger.load`. What they were trained on is not compared with the held-out splits of `corpora`.
   */
  readonly teachers?: readonly string[];
  /** Trains on train and devel together; the last weights are kept. Default: false. */
  readonly mergeDevel?: boolean;
  /** Goes on from the last checkpoint where there is one. Default: false. */
  readonly resume?: boolean;
  /** Text of the command that started the run, for the model card. */
  readonly command?: string;
}

/** What a run left. */
export interface RunResult {
  /** The model folder. */
  readonly output: string;
  /** The epoch (from 1) whose weights were kept and its score; null without devel splits, when the last are kept. */
  readonly best: { readonly epoch: number; readonly score: number } | null;
}

/**
 * Trains a model and writes its folder. A run that was killed goes on from its last checkpoint with `resume`, and ends
 * with the same bits.
 *
 * @throws InputError for corpora, encoders, configs or checkpoints at fault; UsageError for options that contradict
 */
export async function runTraining(options: RunOptions, runtime: Runtime, hooks: RunHooks = {}): Promise<RunResult> {
  const plan = await planTraining(options);
  const teachers = options.teachers && (await teachersOf(options.teachers, plan, runtime, options.threads));
  try {
    return await trainAsPlanned(options, plan, teachers, runtime, hooks);
  } finally {
    await teachers?.release();
  }
}

async function trainAsPlanned(
  options: RunOptions,
  plan: TrainingPlan,
  teachers: Teachers | undefined,
  runtime: Runtime,
  hooks: RunHooks,
): Promise<RunResult> {
  const { start, data, model, training } = plan;
  const workFolder = `${options.output}.run`;
  await attempt(workFolder, 'write', mkdir(workFolder, { recursive: true }));
  const checkpoints = new CheckpointFolder(workFolder);
  const previous = await checkpoints.latest();
  if (previous !== undefined && options.resume !== true) {
    throw new UsageError(`expected no earlier run in ${workFolder}, found one: go on with --resume, or delete it`);
  }
  const { trainer, unused } = await createTrainer(plan, runtime, options.threads, teachers);
  const identity = runIdentity(plan, teachers);
  const run = new Epochs(trainer, checkpoints, identity, training.seed);
  try {
    const lost = lostEntities(data, new SentenceEncoder(start, model, training.maxPieces), model);
    if (previous !== undefined) run.restore(await checkpoints.load(previous, trainer.store), previous, workFolder);
    hooks.onStart?.({
      data,
      model,
      training,
      updates: trainer.totalUpdates,
      parameters: trainer.store.parameterCount,
      unused,
      names: namesOf(start),
      lost,
      teachersOfDevel: (teachers?.all ?? []).flatMap(({ folder, mergeDevel }) => (mergeDevel ? [folder] : [])),
      ...(previous === undefined
        ? {}
        : { resumedAt: { ...trainer.position, batches: trainer.batches(trainer.position.epoch).length } }),
    });
    const log = await TrainingLog.open(join(workFolder, 'log.jsonl'), run.logBytes);
    try {
      const [, ...epochs] = await log.records();
      run.records.push(...(epochs as EpochRecord[]));
      if (run.logBytes === 0) await log.append({ ...identity, lost, command: options.command ?? null });
      await run.train(data, log, runtime, model, start, options, hooks);
    } finally {
      await log.close();
    }
  } finally {
    // Before the export, so that the memory of the two does not add up.
    await trainer.release();
  }
  if (run.best !== null) await checkpoints.load('best', trainer.store);
  await writeResult(options, run, trainer, plan, runtime);
  return { output: options.output, best: run.best };
}

/** What is trained, on what, from which weights on. */
export interface TrainingPlan {
  readonly start: Start;
  /** The data after the removal of overlap. */
  readonly data: TrainingData;
  readonly model: ModelConfig;
  readonly training: TrainingConfig;
}

/**
 * Reads corpora, start and settings of a run.
 * @throws InputError for corpora, encoders and configs at fault; UsageError for options that contradict
 */
export async function planTraining(options: RunOptions): Promise<TrainingPlan> {
  const { gazetteer: namesFile } = options;
  if (namesFile !== undefined && options.fromModel !== undefined) {
    throw new UsageError('expected a gazetteer or a model to go on from, which has its own names, found both');
  }
  const gazetteer = namesFile === undefined ? {} : { gazetteer: await readGazetteer(namesFile) };
  const pretrained = startsFromWords(options) ? undefined : await readStart(options);
  const data = await readTrainingData(
    options.corpora,
    options.mergeDevel ?? false,
    options.types === undefined ? {} : { types: options.types },
  );
  const start = { ...(pretrained ?? startFromWords(options, data)), ...gazetteer };
  return { start, data, ...parseConfig(options, start, data) };
}

function namesOf({ gazetteer }: Start): { readonly class: string; readonly count: number }[] {
  return (gazetteer?.classes ?? []).map((type, c) => ({ class: type, count: gazetteer?.sizes[c] ?? 0 }));
}

async function readGazetteer(file: string): Promise<Gazetteer> {
  return Gazetteer.fromNames(parseNames((await readNames(file)).split(/\r?\n/), file), file);
}

/** The teachers of a run, by names and folders as for `Tagger.load`. */
async function teachersOf(
  names: readonly string[],
  { start, model, training: { maxPieces } }: TrainingPlan,
  runtime: Runtime,
  threads: number | undefined,
): Promise<Teachers> {
  const folders: string[] = [];
  for (const name of names) folders.push(await findModel(name));
  return Teachers.load(folders, { ...start, model, maxPieces }, runtime, threads);
}

/** The trainer at its first weights. The file's own copy of them is not kept. */
export async function createTrainer(
  { start, data, model, training }: TrainingPlan,
  runtime: Runtime,
  threads?: number,
  teachers?: Teachers,
): Promise<{ trainer: Trainer; unused: readonly string[] }> {
  const { values, unused } = await start.weights(model);
  const trainer = await Trainer.create({
    model,
    training,
    vocabulary: start,
    sentences: data.train,
    pretrained: values,
    runtime,
    ...(threads === undefined ? {} : { threads }),
    ...(teachers === undefined ? {} : { teachers }),
  });
  return { trainer, unused };
}

/** What decides the final weights: a run is resumed only under the same. */
function runIdentity(
  { start: { gazetteer }, model, training, data: { corpora } }: TrainingPlan,
  teachers: Teachers | undefined,
): Record<string, z.core.util.JSONType> {
  return JSON.parse(
    JSON.stringify({
      model,
      training,
      corpora,
      gazetteer: gazetteer && createHash('sha256').update(gazetteer.toBytes()).digest('hex'),
      teachers: teachers?.all.map(({ digest }) => digest),
    }),
  ) as Record<string, z.core.util.JSONType>;
}

async function writeResult(
  options: RunOptions,
  run: Epochs,
  trainer: Trainer,
  { model, training, data, start }: TrainingPlan,
  runtime: Runtime,
): Promise<void> {
  const weightsOf = run.best === null ? trainer.weights : (name: string) => trainer.store.value(name);
  const weights = new Map(trainer.store.specs.map(({ name }) => [name, weightsOf(name)]));
  const provenance = {
    command: options.command ?? null,
    encoder: options.encoderName ?? options.encoder ?? options.fromModel ?? null,
    ...(options.teachers === undefined ? {} : { teachers: options.teachers }),
    ...(options.gazetteer === undefined ? {} : { gazetteer: options.gazetteer }),
    mergeDevel: options.mergeDevel ?? false,
    settings: training,
    corpora: data.corpora,
    epoch: run.best?.epoch ?? training.epochs,
  };
  await writeModelFolder(options.output, {
    model,
    flat: data.flat,
    tokenizer: start.tokenizer,
    gazetteer: start.gazetteer,
    weights,
    activations: await calibrate(model, weights, start, data.train, runtime),
    training: JSON.parse(JSON.stringify(provenance)) as Record<string, z.core.util.JSONType>,
    card: modelCard(model, provenance, run.records),
    graphs: ['float32', 'quantized'],
    safetensors: true,
  });
}
