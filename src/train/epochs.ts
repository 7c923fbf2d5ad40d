import type { z } from 'zod';
import { InputError } from '../errors.js';
import { toOnnx } from '../graph/index.js';
import { buildModel, decodingOutputs, type ModelConfig } from '../model/index.js';
import type { Runtime } from '../runtime/index.js';
import type { Scores } from '../score/index.js';
import { Predictor } from '../tag/index.js';
import type { Vocabulary } from '../tag/encode.js';
import type { CheckpointFolder, TrainingState } from './checkpoint.js';
import type { TrainingConfig } from './config.js';
import type { TrainingData } from './corpora.js';
import { scoreDevelopmentSet } from './scores.js';
import { parameterValues } from './graph.js';
import type { TrainingLog } from './log.js';
import type { LostEntities } from './lost.js';
import type { StepProgress, Trainer } from './trainer.js';

/** How the epochs of a run go, without influence on the weights but for the threads. */
export interface EpochOptions {
  /** Threads of ONNX Runtime; all cores where absent. */
  readonly threads?: number;
  /** Minutes between checkpoints within an epoch; 5 where absent. Has no influence on the weights. */
  readonly checkpointMinutes?: number;
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
    /** Names of the gazetteer, class by class; none without one. */
    readonly names: readonly { readonly class: string; readonly count: number }[];
    /** Epochs that an earlier process has done, and batches of the next, which has so many. */
    readonly resumedAt?: { readonly epoch: number; readonly batch: number; readonly batches: number };
    /** Gold entities that training does not see as they are annotated, corpus by corpus, by reason. */
    readonly lost: readonly LostEntities[];
    /** Folders of teachers that were trained on devel splits, whose scores then say too much. */
    readonly teachersOfDevel: readonly string[];
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

/** The epochs of a run with their checkpoints. */
export class Epochs {
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
      throw new InputError(
        `expected the config, corpora, gazetteer and teachers of the run that is resumed (${name}), found others`,
        {
          file: folder,
        },
      );
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
    vocabulary: Vocabulary,
    options: EpochOptions,
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
        const predictor = new Predictor(session, model, vocabulary, weights, flat);
        const scores: Record<string, Scores> = {};
        for (const set of devel) scores[set.name] = await scoreDevelopmentSet(predictor, set, model.types);
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
