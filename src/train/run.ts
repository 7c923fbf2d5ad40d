import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import type { TypeMap } from '../corpus/index.js';
import { InputError, UsageError } from '../errors.js';
import { toOnnx } from '../graph/index.js';
import { buildModel, decodingOutputs, type ModelConfig } from '../model/index.js';
import type { Runtime } from '../runtime/index.js';
import { StrictScorer, type Scores } from '../score/index.js';
import { Predictor, SentenceEncoder } from '../tag/index.js';
import type { WordPieceTokenizer } from '../text/index.js';
import { attempt, writeModelFolder } from '../weights/index.js';
import { CheckpointFolder, type TrainingState } from './checkpoint.js';
import type { TrainingConfig } from './config.js';
import { readTrainingData, type CorpusSummary, type DevelopmentSet, type TrainingData } from './corpora.js';
import { parameterValues } from './graph.js';
import { TrainingLog } from './log.js';
import { lostEntities, type LostEntities } from './lost.js';
import { modelCard } from './model-card.js';
import { startFromWords, startsFromWords } from './start-words.js';
import { parseConfig, readStart, type Start } from './start.js';
import { Trainer, type StepProgress } from './trainer.js';

/** What is trained on what. Nothing but `corpora` and `output` is needed beside a start. */
export interface RunOptions {
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
   * takes over its encoder and spelling features, and starts a new head.
   */
  readonly fromModel?: string;
  /** The model folder to write; checkpoints and log go to `<output>.run` beside it. */
  readonly output: string;
  /** `{"model": {...}, "training": {...}}`: what differs from the defaults. */
  readonly config?: unknown;
  /** For error messages: where `config` came from. */
  readonly configFile?: string;
  /** Trains on train and devel together; the last weights are kept. Default: false. */
  readonly mergeDevel?: boolean;
  /** Goes on from the last checkpoint where there is one. Default: false. */
  readonly resume?: boolean;
  /** Threads of ONNX Runtime; all cores where absent. */
  readonly threads?: number;
  /** Minutes between checkpoints within an epoch; 5 where absent. Has no influence on the weights. */
  readonly checkpointMinutes?: number;
  /** Text of the command that started the run, for the model card. */
  readonly command?: string;
  /** When aborted, a checkpoint is saved and the signal's reason thrown. */
  readonly signal?: AbortSignal;
}

/** One epoch, as a line of the log. */
export interface EpochRecord {
  /** From 1. */
  readonly epoch: number;
  /** Mean task loss of the updates. */
  readonly loss: number;
  /** Mean of (Loss_p + Loss_o) / 2, before alpha; 0 without guidance. */
  readonly guidance: number;
  /** Sentences trained on. */
  readonly sentences: number;
  /** Time spent in updates. */
  readonly seconds: number;
  /** Scores on each corpus's devel split, over the types it annotates. */
  readonly devel: Readonly<Record<string, Scores>>;
  /** Mean F1 over the devel splits; null without any. */
  readonly score: number | null;
}

/** Told of what a run does, as it does it. */
export interface RunHooks {
  /** Before the first update: the data after the removal of overlap, the configs, and counts. */
  onStart?(info: {
    readonly data: TrainingData;
    readonly model: ModelConfig;
    readonly training: TrainingConfig;
    readonly updates: number;
    readonly parameters: number;
    readonly unused: readonly string[];
    /** Epochs that an earlier process has done, and batches of the next, which has so many. */
    readonly resumedAt?: { readonly epoch: number; readonly batch: number; readonly batches: number };
    /** Gold entities that training does not see as they are annotated, corpus by corpus, by reason. */
    readonly lost: readonly LostEntities[];
  }): void;
  /** After each update. */
  onStep?(progress: StepProgress): void;
  /**
   * Awaited after the devel scores of an epoch and before its checkpoint, with the same weights: to score other sets,
   * which choose nothing. Called again for an epoch whose run was killed in between.
   */
  onEvaluate?(evaluation: { readonly epoch: number; readonly predictor: Predictor }): Promise<void>;
  /** After each epoch and its scores, with the record that is logged. */
  onEpoch?(record: EpochRecord): void;
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
  const { start, data, model, training } = plan;
  const workFolder = `${options.output}.run`;
  await attempt(workFolder, 'write', mkdir(workFolder, { recursive: true }));
  const checkpoints = new CheckpointFolder(workFolder);
  const previous = await checkpoints.latest();
  if (previous !== undefined && options.resume !== true) {
    throw new UsageError(`expected no earlier run in ${workFolder}, found one: go on with --resume, or delete it`);
  }
  const { trainer, unused } = await createTrainer(plan, runtime, options.threads);
  const identity = runIdentity(model, training, data.corpora);
  const run = new Run(trainer, checkpoints, identity, training.seed);
  try {
    const lost = lostEntities(data, new SentenceEncoder(start.tokenizer, model, training.maxPieces), model);
    if (previous !== undefined) run.restore(await checkpoints.load(previous, trainer.store), previous, workFolder);
    hooks.onStart?.({
      data,
      model,
      training,
      updates: trainer.totalUpdates,
      parameters: trainer.store.parameterCount,
      unused,
      lost,
      ...(previous === undefined
        ? {}
        : { resumedAt: { ...trainer.position, batches: trainer.batches(trainer.position.epoch).length } }),
    });
    const log = await TrainingLog.open(join(workFolder, 'log.jsonl'), run.logBytes);
    try {
      const [, ...epochs] = await log.records();
      run.records.push(...(epochs as EpochRecord[]));
      if (run.logBytes === 0) await log.append({ ...identity, lost, command: options.command ?? null });
      await run.train(data, log, runtime, model, start.tokenizer, options, hooks);
    } finally {
      await log.close();
    }
  } finally {
    // Before the export, so that the memory of the two does not add up.
    await trainer.release();
  }
  if (run.best !== null) await checkpoints.load('best', trainer.store);
  await writeResult(options, run, trainer, model, training, data, start.tokenizer);
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
  const pretrained = startsFromWords(options) ? undefined : await readStart(options);
  const data = await readTrainingData(
    options.corpora,
    options.mergeDevel ?? false,
    options.types === undefined ? {} : { types: options.types },
  );
  const start = pretrained ?? startFromWords(options, data);
  return { start, data, ...parseConfig(options, start, data) };
}

/** The trainer at its first weights. The file's own copy of them is not kept. */
export async function createTrainer(
  { start, data, model, training }: TrainingPlan,
  runtime: Runtime,
  threads?: number,
): Promise<{ trainer: Trainer; unused: readonly string[] }> {
  const { values, unused } = await start.weights(model);
  const trainer = await Trainer.create({
    model,
    training,
    tokenizer: start.tokenizer,
    sentences: data.train,
    pretrained: values,
    runtime,
    ...(threads === undefined ? {} : { threads }),
  });
  return { trainer, unused };
}

/** The epochs of a run with their checkpoints. */
class Run {
  best: { score: number; epoch: number } | null = null;
  logBytes = 0;
  readonly records: EpochRecord[] = [];
  private sums: Record<string, number> = {};

  constructor(
    private readonly trainer: Trainer,
    private readonly checkpoints: CheckpointFolder,
    private readonly identity: Record<string, z.core.util.JSONType>,
    private readonly seed: number,
  ) {}

  restore(state: TrainingState, name: string, folder: string): void {
    if (JSON.stringify(state.config) !== JSON.stringify(this.identity)) {
      throw new InputError(`expected the config and corpora of the run that is resumed (${name}), found others`, {
        file: folder,
      });
    }
    this.best = state.best;
    this.logBytes = state.logBytes;
    this.sums = { ...state.sums };
    this.trainer.restore({
      epoch: state.epoch,
      batch: state.batch,
      updates: state.step,
      averaged: state.averageCount,
    });
  }

  async train(
    { devel, flat }: TrainingData,
    log: TrainingLog,
    runtime: Runtime,
    model: ModelConfig,
    tokenizer: WordPieceTokenizer,
    options: RunOptions,
    hooks: RunHooks,
  ): Promise<void> {
    const inference = buildModel(model, false);
    const session = await runtime.load(
      toOnnx(decodingOutputs(inference)),
      options.threads === undefined ? {} : { threads: options.threads },
    );
    const interval = 60_000 * (options.checkpointMinutes ?? 5);
    this.logBytes = log.bytes;
    try {
      while (!this.trainer.done) {
        let mark = performance.now();
        let saved = mark;
        for await (const step of this.trainer.epoch()) {
          const now = performance.now();
          this.add(step, (now - mark) / 1000);
          mark = now;
          hooks.onStep?.(step);
          const aborted = options.signal?.aborted === true;
          if (step.batch < step.batches && (aborted || now - saved > interval)) {
            await this.save();
            saved = performance.now();
            mark = saved;
          }
          options.signal?.throwIfAborted();
        }
        const weights = parameterValues(inference, this.trainer.weights);
        const predictor = new Predictor(session, model, tokenizer, weights, flat);
        const scores: Record<string, Scores> = {};
        for (const set of devel) scores[set.name] = await scoreSentences(predictor, set, model.types);
        await hooks.onEvaluate?.({ epoch: this.trainer.position.epoch, predictor });
        await this.finishEpoch(scores, log, hooks);
      }
    } finally {
      await session.release();
    }
  }

  private add(step: StepProgress, seconds: number): void {
    const add = (name: string, value: number): void => {
      this.sums[name] = (this.sums[name] ?? 0) + value;
    };
    add('updates', 1);
    add('loss', step.losses.ner);
    add('guidance', step.losses.guidance);
    add('sentences', step.sentences);
    add('seconds', seconds);
  }

  private async finishEpoch(devel: Readonly<Record<string, Scores>>, log: TrainingLog, hooks: RunHooks): Promise<void> {
    const mean = (name: string): number => (this.sums[name] ?? 0) / Math.max(1, this.sums['updates'] ?? 0);
    const scores = Object.values(devel).map(({ overall }) => overall.f1);
    const score = scores.length === 0 ? null : scores.reduce((a, b) => a + b, 0) / scores.length;
    const record: EpochRecord = {
      epoch: this.trainer.position.epoch,
      loss: mean('loss'),
      guidance: mean('guidance'),
      sentences: this.sums['sentences'] ?? 0,
      seconds: this.sums['seconds'] ?? 0,
      devel,
      score,
    };
    this.records.push(record);
    this.sums = {};
    await log.append({ ...record });
    this.logBytes = log.bytes;
    if (score !== null && (this.best === null || score > this.best.score)) {
      this.best = { score, epoch: record.epoch };
      await this.checkpoints.saveBest(this.trainer.store, this.trainer.region, this.state());
    }
    await this.save();
    hooks.onEpoch?.(record);
  }

  private async save(): Promise<void> {
    await this.checkpoints.saveLast(this.trainer.store, this.state());
  }

  private state(): TrainingState {
    const { epoch, batch, updates, averaged } = this.trainer.position;
    return {
      config: this.identity,
      seed: this.seed,
      step: updates,
      epoch,
      batch,
      sums: this.sums,
      averageCount: averaged,
      best: this.best,
      logBytes: this.logBytes,
    };
  }
}

/** Strict scores of predicted against gold entities, over the types that the set's corpus annotates. */
async function scoreSentences(
  predictor: Predictor,
  { sentences, annotated }: DevelopmentSet,
  types: readonly string[],
): Promise<Scores> {
  const predicted = await predictor.predict(sentences);
  const scorer = new StrictScorer();
  const keys = (entities: readonly { readonly type: number; readonly words: readonly number[] }[]) =>
    entities
      .filter(({ type }) => annotated.includes(type))
      .map(({ type, words }) => ({ type: types[type] ?? '', key: words.join() }));
  for (const [k, { entities }] of sentences.entries()) scorer.add(keys(entities), keys(predicted[k] ?? []));
  return scorer.result();
}

/** What decides the final weights: a run is resumed only under the same. */
function runIdentity(
  model: ModelConfig,
  training: TrainingConfig,
  corpora: readonly CorpusSummary[],
): Record<string, z.core.util.JSONType> {
  return JSON.parse(JSON.stringify({ model, training, corpora })) as Record<string, z.core.util.JSONType>;
}

async function writeResult(
  options: RunOptions,
  run: Run,
  trainer: Trainer,
  model: ModelConfig,
  training: TrainingConfig,
  data: TrainingData,
  tokenizer: WordPieceTokenizer,
): Promise<void> {
  const weightsOf = run.best === null ? trainer.weights : (name: string) => trainer.store.value(name);
  const weights = new Map(trainer.store.specs.map(({ name }) => [name, weightsOf(name)]));
  const provenance = {
    command: options.command ?? null,
    encoder: options.encoderName ?? options.encoder ?? options.fromModel ?? null,
    mergeDevel: options.mergeDevel ?? false,
    settings: training,
    corpora: data.corpora,
    epoch: run.best?.epoch ?? training.epochs,
  };
  await writeModelFolder(options.output, {
    model,
    flat: data.flat,
    tokenizer,
    weights,
    training: JSON.parse(JSON.stringify(provenance)) as Record<string, z.core.util.JSONType>,
    card: modelCard(model, provenance, run.records),
    graphs: ['float32', 'quantized'],
    safetensors: true,
  });
}
