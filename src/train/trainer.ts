import type { ModelConfig, ModelGraph } from '../model/index.js';
import { buildModel } from '../model/index.js';
import type { Runtime } from '../runtime/index.js';
import { SentenceEncoder, type Vocabulary } from '../tag/encode.js';
import { AdamW } from './adamw.js';
import { WeightAverage } from './average.js';
import { planBatches, type BatchingConfig } from './batching.js';
import { DEFAULT_TEACHER_WEIGHT, type TrainingConfig } from './config.js';
import { encodeExamples, sizeOfExample, trainingBatch, type Example, type LabelledSentence } from './data.js';
import { TrainingGraph, parameterSpecs, type StepLosses } from './graph.js';
import { initialValues } from './initialise.js';
import { ParameterStore } from './parameters.js';
import { rateFactor } from './schedule.js';
import type { Teachers } from './teachers.js';

/** A model, its data and the runtime that runs it. */
export interface TrainerOptions {
  readonly model: ModelConfig;
  readonly training: TrainingConfig;
  readonly vocabulary: Vocabulary;
  readonly sentences: readonly LabelledSentence[];
  /** Pretrained values by parameter name; parameters it lacks start from their initialisers. */
  readonly pretrained: ReadonlyMap<string, Float32Array>;
  readonly runtime: Runtime;
  readonly threads?: number;
  /** Models that the trained one learns from beside the labels; whoever loaded them releases them. */
  readonly teachers?: Teachers;
}

/** What one update did. */
export interface Update {
  /** Sentences of this update. */
  readonly sentences: number;
  readonly losses: StepLosses;
  /** Global L2 norm of the gradient before clipping. */
  readonly gradientNorm: number;
}

/** An update, and where in training it was. */
export interface StepProgress extends Update {
  /** From 0. */
  readonly epoch: number;
  /** Batches done of the epoch, and how many it has. */
  readonly batch: number;
  readonly batches: number;
}

/** Where training stands; with the parameter store's regions the whole state of a run. */
export interface Position {
  /** Epochs done. */
  readonly epoch: number;
  /** Batches done of the current epoch. */
  readonly batch: number;
  /** Updates made. */
  readonly updates: number;
  /** Weights in the running average. */
  readonly averaged: number;
}

/**
 * The state of one training run and its steps. Everything is a function of (config, seed, position), so a run that is
 * restored at any batch goes on bit for bit as if it had not stopped.
 */
export class Trainer {
  /** The weights, their gradients and the optimiser's moments. */
  readonly store: ParameterStore;
  /** Updates of the whole run. */
  readonly totalUpdates: number;
  readonly #options: Omit<TrainerOptions, 'pretrained'>;
  readonly #examples: readonly Example[];
  readonly #optimizer: AdamW;
  readonly #average: WeightAverage;
  readonly #graph: TrainingGraph;
  #epoch = 0;
  #batch = 0;

  private constructor(options: Omit<TrainerOptions, 'pretrained'>, store: ParameterStore, graph: TrainingGraph) {
    const { training } = options;
    this.#options = options;
    this.store = store;
    this.#graph = graph;
    const encoder = new SentenceEncoder(options.vocabulary, options.model, training.maxPieces);
    this.#examples = encodeExamples(options.sentences, encoder);
    this.#optimizer = new AdamW(store, { weightDecay: training.weightDecay, maxGradientNorm: training.clip });
    this.#average = new WeightAverage(store, training.average);
    let updates = 0;
    for (let epoch = 0; epoch < training.epochs; epoch++) {
      updates += Math.ceil(this.batches(epoch).length / training.accumulate);
    }
    this.totalUpdates = updates;
  }

  /**
   * Builds the training graph, fills the parameters and loads a session.
   * @throws UsageError when parameters and optimiser state take more than 4 GiB
   */
  static async create(options: TrainerOptions): Promise<Trainer> {
    const { pretrained, ...kept } = options;
    const { model, training, runtime, threads, teachers } = kept;
    const teacherWeight = teachers === undefined ? 0 : (training.teacherWeight ?? DEFAULT_TEACHER_WEIGHT);
    const graph = buildModel(model, true, teacherWeight);
    const layers = model.encoder?.num_hidden_layers ?? 0;
    const store = new ParameterStore(parameterSpecs(graph, training.layerDecay, layers), {
      accumulate: training.accumulate > 1,
      average: training.average.kind !== 'none',
    });
    fillInitial(store, graph, pretrained, training.seed);
    const session = await TrainingGraph.load(runtime, model, store, training.seed, threads, teacherWeight);
    return new Trainer(kept, store, session);
  }

  /** Where training stands. */
  get position(): Position {
    return {
      epoch: this.#epoch,
      batch: this.#batch,
      updates: this.#optimizer.stepCount,
      averaged: this.#average.count,
    };
  }

  /** Continues from a position whose parameters and moments are in the store already. */
  restore(position: Position): void {
    this.#epoch = position.epoch;
    this.#batch = position.batch;
    this.#optimizer.stepCount = position.updates;
    this.#average.count = position.averaged;
  }

  /** Which weights are evaluated and kept: the running average where there is one. */
  get region(): 'values' | 'average' {
    return this.#average.region;
  }

  /** The weights that are evaluated and kept, by parameter name; views, not copies. */
  get weights(): (name: string) => Float32Array {
    const region = this.#average.region;
    return (name) => this.store.view(region, name);
  }

  /** Whether all epochs are trained. */
  get done(): boolean {
    return this.#epoch >= this.#options.training.epochs;
  }

  /** The batches of an epoch in the order of training, as numbers of windows. */
  batches(epoch: number): readonly Int32Array[] {
    const sizes = this.#examples.map(sizeOfExample);
    return planBatches(sizes, this.#batching(), this.#options.training.seed, epoch).batches;
  }

  /** Padded length of a batch, in pieces and words together: longer ones take longer. */
  lengthOf(batch: Int32Array): number {
    const sizes = [...batch].flatMap((index) => this.#examples[index] ?? []).map(sizeOfExample);
    return Math.max(...sizes.map(({ pieces }) => pieces)) + Math.max(...sizes.map(({ words }) => words));
  }

  /** Trains the rest of the current epoch, reporting every update. */
  async *epoch(): AsyncGenerator<StepProgress> {
    const { training } = this.#options;
    const batches = this.batches(this.#epoch);
    while (this.#batch < batches.length) {
      const group = batches.slice(this.#batch, this.#batch + training.accumulate);
      const update = await this.update(group);
      this.#batch += group.length;
      yield { epoch: this.#epoch, batch: this.#batch, batches: batches.length, ...update };
    }
    this.#epoch++;
    this.#batch = 0;
    this.#average.afterEpoch(this.#epoch, training.epochs);
  }

  /** One update over batches whose gradients are averaged, wherever in an epoch they are. */
  async update(group: readonly Int32Array[]): Promise<Update> {
    const { training, model, vocabulary, teachers } = this.#options;
    const losses: StepLosses[] = [];
    let sentences = 0;
    for (const [k, indices] of group.entries()) {
      const examples = [...indices].map((index) => this.#examples[index]).filter((x) => x !== undefined);
      sentences += examples.reduce((sum, { sentences }) => sum + sentences.length, 0);
      const { inputs, sizes } = trainingBatch(examples, model, vocabulary.tokenizer, training.unannotated);
      const taught = teachers === undefined ? inputs : { ...inputs, teacher: await teachers.probabilities(inputs) };
      losses.push(await this.#graph.run(taught, sizes, this.#counter(k), 1 / group.length));
      if (group.length > 1) this.#optimizer.accumulate(1 / group.length);
    }
    const factor = rateFactor(this.#optimizer.stepCount, {
      totalSteps: this.totalUpdates,
      warmupFraction: training.warmup,
    });
    const rates = { encoder: training.encoderRate * factor, head: training.headRate * factor };
    const { gradientNorm } = this.#optimizer.step(rates);
    this.#average.afterStep(this.#optimizer.stepCount);
    return { sentences, losses: meanLosses(losses), gradientNorm };
  }

  /** Frees the native session; the trainer cannot train afterwards, but has its weights. */
  async release(): Promise<void> {
    await this.#graph.release();
  }

  /** Counts batches over the whole run, for the dropout masks. */
  #counter(offset: number): number {
    return this.#optimizer.stepCount * this.#options.training.accumulate + offset;
  }

  #batching(): BatchingConfig {
    const { batchSentences, batchPieces, batchCells, pool } = this.#options.training;
    const unlimited = 1e9;
    return {
      poolSize: pool,
      limit:
        batchPieces === null && batchCells === null
          ? { kind: 'fixed', sentences: batchSentences }
          : {
              kind: 'budget',
              pieces: batchPieces ?? unlimited,
              cells: batchCells ?? unlimited,
              sentences: batchSentences,
            },
    };
  }
}

function fillInitial(
  store: ParameterStore,
  model: ModelGraph,
  pretrained: ReadonlyMap<string, Float32Array>,
  seed: number,
): void {
  for (const [stream, spec] of model.scope.parameters.entries()) {
    store.value(spec.name).set(pretrained.get(spec.name) ?? initialValues(spec, seed, stream));
  }
}

function meanLosses(losses: readonly StepLosses[]): StepLosses {
  const mean = (pick: (x: StepLosses) => number): number =>
    losses.reduce((sum, x) => sum + pick(x), 0) / Math.max(1, losses.length);
  return { total: mean((x) => x.total), ner: mean((x) => x.ner), guidance: mean((x) => x.guidance) };
}
