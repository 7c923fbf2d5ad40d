import { evaluateDim } from '../graph/dim.js';
import { gradient, toOnnx, type Shape, type Tensor } from '../graph/index.js';
import { buildModel, type ModelConfig, type ModelGraph } from '../model/index.js';
import type { MaskSpec } from '../nn/index.js';
import { EMPTY_SEQUENCE, inputsOf, type Runtime, type Session, type Value, type Values } from '../runtime/index.js';
import type { BatchSizes } from '../tag/collate.js';
import type { ParameterSpec, ParameterStore } from './parameters.js';
import { fillDropoutMask } from './random.js';

/** Scalar losses of one step, by name. */
export interface StepLosses {
  /** What is minimised: ner + alpha x guidance (equation 19 of Guan and Zhou, 2023). */
  readonly total: number;
  /** Cross-entropy of the labels (equation 18); with teachers, a share of it with theirs. */
  readonly ner: number;
  /** (Loss_p + Loss_o) / 2, without the term that is switched off; 0 without guidance. */
  readonly guidance: number;
}

type FloatValue = Extract<Value, { readonly type: 'float32' }>;

const lossNames = { total: 'loss', ner: 'loss.ner', withPrefix: 'loss.p', withoutPrefix: 'loss.o' } as const;

/** The output that is the gradient of a parameter. */
const gradientName = (parameter: string): string => `gradient.${parameter}`;

/** What the parameter store needs to know of a model's parameters; tables read by rows become `sparseRows`. */
export function parameterSpecs(model: ModelGraph, layerDecay: number, layers: number): ParameterSpec[] {
  const sparse = new Set(model.scope.rowAccesses.map(({ parameter }) => parameter));
  return model.scope.parameters.map(({ name, shape, group, decay }) => ({
    name,
    shape,
    group,
    decay,
    sparseRows: sparse.has(name),
    rateScale: group === 'encoder' ? layerDecay ** (layers - layerOf(name)) : 1,
  }));
}

/** 1-based layer of an encoder parameter; 0 for the embeddings. */
function layerOf(name: string): number {
  return Number(/\.layer\.(\d+)\./.exec(name)?.[1] ?? -1) + 1;
}

/**
 * One training session: a batch in, the losses out, and the gradients in the parameter store. Parameters are read and
 * gradients written in place; what differs in size from batch to batch is kept in buffers that grow as needed.
 */
export class TrainingGraph {
  private readonly buffers = new Map<string, Float32Array>();
  private readonly parameters: Values;
  private readonly targets: Readonly<Record<string, FloatValue>>;

  private constructor(
    private readonly session: Session,
    private readonly model: ModelGraph,
    private readonly store: ParameterStore,
    private readonly seed: number,
  ) {
    this.parameters = parameterValues(model, (name) => store.value(name));
    const sparse = new Set(model.scope.rowAccesses.map(({ parameter }) => parameter));
    const dense = model.scope.parameters.filter(({ name }) => !sparse.has(name));
    const losses = Object.values(lossNames).filter((name) => session.outputNames.includes(name));
    this.targets = Object.fromEntries([
      ...losses.map((name): [string, FloatValue] => [name, { type: 'float32', dims: [], data: new Float32Array(1) }]),
      ...dense.map(({ name, shape }): [string, FloatValue] => [
        gradientName(name),
        { type: 'float32', dims: shape, data: store.gradient(name) },
      ]),
    ]);
  }

  static async load(
    runtime: Runtime,
    config: ModelConfig,
    store: ParameterStore,
    seed: number,
    threads?: number,
    teacherWeight = 0,
  ): Promise<TrainingGraph> {
    const model = buildModel(config, true, teacherWeight);
    const graph = toOnnx(trainingOutputs(model), { emptySequence: EMPTY_SEQUENCE });
    const session = await runtime.load(graph, threads === undefined ? {} : { threads });
    return new TrainingGraph(session, model, store, seed);
  }

  /**
   * @param step counts batches from 0 on; with the seed it decides the dropout masks
   * @param weight factor on the embedding rows' gradient (the share of this batch when gradients are accumulated)
   */
  async run(inputs: Values, sizes: BatchSizes, step: number, weight: number): Promise<StepLosses> {
    const feeds: Record<string, Value> = { ...this.parameters, ...inputsOf(this.session, inputs) };
    const dims = new Map(Object.entries(sizes));
    for (const [site, mask] of this.model.scope.masks.entries()) {
      feeds[mask.name] = this.fillMask(mask, dims, step, site);
    }
    const { rowAccesses } = this.model.scope;
    const targets: Record<string, FloatValue> = { ...this.targets };
    for (const { parameter, rows } of rowAccesses) {
      const name = gradientName(parameter);
      targets[name] = this.sized(name, rows.shape, dims);
    }
    await this.session.runInto(feeds, targets);
    for (const { parameter, indices } of rowAccesses) {
      const rows = targets[gradientName(parameter)];
      const ids = inputs[indices];
      if (rows !== undefined && ids?.type === 'int32') {
        this.store.addGradientRows(parameter, ids.data, rows.data, weight);
      }
    }
    const loss = (name: string): number => this.targets[name]?.data[0] ?? 0;
    return {
      total: loss(lossNames.total),
      ner: loss(lossNames.ner),
      guidance: (loss(lossNames.withPrefix) + loss(lossNames.withoutPrefix)) / 2,
    };
  }

  async release(): Promise<void> {
    await this.session.release();
  }

  private fillMask(mask: MaskSpec, sizes: ReadonlyMap<string, number>, step: number, site: number): Value {
    const value = this.sized(mask.name, mask.shape, sizes);
    fillDropoutMask(value.data, 1 - mask.rate, { seed: this.seed, step, site });
    return value;
  }

  /** An array of the shape that the sizes give, over the buffer of that name, with whatever the step before left in it. */
  private sized(name: string, shape: Shape, sizes: ReadonlyMap<string, number>): FloatValue {
    const dims = shape.map((dim) => evaluateDim(dim, sizes));
    const length = dims.reduce((a, b) => a * b, 1);
    let buffer = this.buffers.get(name);
    if (buffer === undefined || buffer.length < length) {
      buffer = new Float32Array(Math.ceil(length * 1.2));
      this.buffers.set(name, buffer);
    }
    return { type: 'float32', dims, data: buffer.subarray(0, length) };
  }
}

/** Losses and the gradient of the total with respect to every parameter (for a table read by rows: to the rows). */
export function trainingOutputs(model: ModelGraph): Record<string, Tensor> {
  const { losses, scope } = model;
  const rows = new Map(scope.rowAccesses.map((access) => [access.parameter, access.rows]));
  const gradients = gradient(
    losses.total,
    scope.parameters.map(({ name, tensor }) => rows.get(name) ?? tensor),
  );
  const outputs: Record<string, Tensor> = { [lossNames.total]: losses.total, [lossNames.ner]: losses.ner };
  const { withPrefix, withoutPrefix } = losses.guidance ?? {};
  if (withPrefix !== undefined) outputs[lossNames.withPrefix] = withPrefix;
  if (withoutPrefix !== undefined) outputs[lossNames.withoutPrefix] = withoutPrefix;
  for (const [k, { name }] of scope.parameters.entries()) {
    const dx = gradients[k];
    if (dx !== undefined) outputs[gradientName(name)] = dx;
  }
  return outputs;
}

/** The parameters as values that share their memory. */
export function parameterValues(model: ModelGraph, array: (name: string) => Float32Array): Values {
  return Object.fromEntries(
    model.scope.parameters.map(({ name, shape }): [string, Value] => [
      name,
      { type: 'float32', dims: shape, data: array(name) },
    ]),
  );
}
