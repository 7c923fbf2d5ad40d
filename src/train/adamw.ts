import { InputError, InternalError } from '../errors.js';
import type { ParameterGroup, ParameterSpec, ParameterStore, Region } from './parameters.js';

/** Settings of AdamW (Loshchilov and Hutter, 2019). */
export interface AdamWConfig {
  readonly beta1: number;
  readonly beta2: number;
  /** Added to the root of the corrected second moment. */
  readonly epsilon: number;
  /** Decoupled: each step takes rate x decay of the value away. */
  readonly weightDecay: number;
  /** Largest global norm of the gradient; a longer one is scaled down to it. `null` does not clip. */
  readonly maxGradientNorm: number | null;
  /**
   * What a step does to rows of a `sparseRows` table without a gradient. `skip` (lazy Adam): nothing, neither moments
   * nor decay, as torch.optim.SparseAdam; the touched rows follow the same formula as every parameter, with the bias
   * correction of the global step. `update`: what torch.optim.AdamW does with a dense gradient that is zero there; a
   * pass over the whole table.
   */
  readonly untouchedRows: 'skip' | 'update';
  /** A gradient with NaN or infinity is an error, or the step is left out and reported. */
  readonly nonFinite: 'error' | 'skip';
}

/** What a setting is where none is given. */
export const DEFAULT_ADAMW: AdamWConfig = {
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0.1,
  maxGradientNorm: 5,
  untouchedRows: 'skip',
  nonFinite: 'error',
};

export interface StepReport {
  /** Global L2 norm of the gradient before clipping. */
  readonly gradientNorm: number;
  readonly clipped: boolean;
  /** The gradient was not finite and nothing was updated. */
  readonly skipped: boolean;
}

/** Floats of a region to update, from `offset`, with one learning-rate factor and decay. */
interface Segment {
  readonly offset: number;
  readonly length: number;
  readonly group: ParameterGroup;
  readonly rateScale: number;
  readonly decay: boolean;
}

/**
 * AdamW with decoupled weight decay (Loshchilov and Hutter, 2019), computing what torch.optim.AdamW computes, over
 * the memory of a `ParameterStore`. Clipping by the global norm costs one read of the gradients (summed in float64);
 * its factor is applied inside the update.
 */
export class AdamW {
  /** Number of updates made; restored with a checkpoint. */
  stepCount = 0;
  readonly config: AdamWConfig;
  readonly #store: ParameterStore;
  readonly #denseSegments: readonly Segment[];
  readonly #sparse: readonly ParameterSpec[];
  #microBatches = 0;

  constructor(store: ParameterStore, config: Partial<AdamWConfig> = {}) {
    this.config = { ...DEFAULT_ADAMW, ...config };
    this.#store = store;
    this.#sparse = store.specs.filter(({ sparseRows }) => sparseRows === true);
    this.#denseSegments = mergeNeighbours(
      store.specs.filter(({ sparseRows }) => sparseRows !== true).map((spec) => wholeSegment(store, spec)),
    );
  }

  /**
   * Adds `weight` x the gradients of a micro-batch to the accumulated ones, which the next `step` uses. Gradient rows
   * add up by themselves: give `addGradientRows` the same weight. Needs a store built with `accumulate`.
   */
  accumulate(weight = 1): void {
    const kernel = this.#microBatches === 0 ? this.#store.kernels.scale : this.#store.kernels.addScaled;
    for (const { offset, length } of this.#denseSegments) {
      const target = this.#store.address('accumulated', offset);
      kernel(target, target + 4 * length, this.#store.address('gradients', offset), weight);
    }
    this.#microBatches++;
  }

  /**
   * One update with the gradients in the store (or the accumulated ones), each multiplied by `gradientScale`.
   * Afterwards the gradient rows are cleared. Throws `InputError` naming the parameter if the gradient is not finite
   * and the configuration says so; nothing has been updated then.
   */
  step(rates: Readonly<Record<ParameterGroup, number>>, gradientScale = 1): StepReport {
    const { config } = this;
    const source: Region = this.#microBatches > 0 ? 'accumulated' : 'gradients';
    const rowSegments = this.#sparse.flatMap((spec) => this.#touchedSegments(spec));
    const gradientNorm = gradientScale * Math.sqrt(this.#sumOfSquares(source, rowSegments));
    this.#microBatches = 0;
    if (!Number.isFinite(gradientNorm)) return this.#refuse(source, gradientNorm);

    const clipped = config.maxGradientNorm !== null && gradientNorm > config.maxGradientNorm;
    const clipFactor = clipped && config.maxGradientNorm !== null ? config.maxGradientNorm / gradientNorm : 1;
    this.stepCount++;
    for (const segment of this.#denseSegments) this.#update(segment, source, rates, gradientScale * clipFactor);
    const sparseSegments =
      config.untouchedRows === 'skip' ? rowSegments : this.#sparse.map((spec) => wholeSegment(this.#store, spec));
    for (const segment of sparseSegments) this.#update(segment, 'gradients', rates, gradientScale * clipFactor);
    this.#store.clearGradientRows();
    return { gradientNorm, clipped, skipped: false };
  }

  #update(
    { offset, length, group, rateScale, decay }: Segment,
    gradients: Region,
    rates: Readonly<Record<ParameterGroup, number>>,
    gradientScale: number,
  ): void {
    const { beta1, beta2, epsilon, weightDecay } = this.config;
    const rate = rates[group] * rateScale;
    const value = this.#store.address('values', offset);
    this.#store.kernels.adamw(
      value,
      value + 4 * length,
      this.#store.address(gradients, offset),
      this.#store.address('firstMoments', offset),
      this.#store.address('secondMoments', offset),
      gradientScale,
      1 - beta1,
      beta2,
      1 - beta2,
      1 - (decay ? rate * weightDecay : 0),
      rate / (1 - beta1 ** this.stepCount),
      1 / Math.sqrt(1 - beta2 ** this.stepCount),
      epsilon,
    );
  }

  #sumOfSquares(dense: Region, rowSegments: readonly Segment[]): number {
    const { kernels } = this.#store;
    let sum = 0;
    for (const { offset, length } of this.#denseSegments) {
      const start = this.#store.address(dense, offset);
      sum += kernels.sumOfSquares(start, start + 4 * length);
    }
    for (const { offset, length } of rowSegments) {
      const start = this.#store.address('gradients', offset);
      sum += kernels.sumOfSquares(start, start + 4 * length);
    }
    return sum;
  }

  #touchedSegments(spec: ParameterSpec): Segment[] {
    const width = spec.shape[1] ?? 0;
    const whole = wholeSegment(this.#store, spec);
    const rows = this.#store.touchedRows(spec.name);
    return mergeNeighbours(rows.map((row) => ({ ...whole, offset: whole.offset + row * width, length: width })));
  }

  #refuse(source: Region, gradientNorm: number): StepReport {
    const culprit = this.#store.specs.find(({ name, sparseRows }) =>
      this.#store.view(sparseRows === true ? 'gradients' : source, name).some((x) => !Number.isFinite(x)),
    );
    this.#store.clearGradientRows();
    if (this.config.nonFinite === 'skip') return { gradientNorm, clipped: false, skipped: true };
    if (culprit === undefined) throw new InternalError('the gradient norm overflowed, yet every gradient is finite');
    throw new InputError(
      `expected a finite gradient at step ${this.stepCount + 1}, found NaN or infinity in '${culprit.name}'; ` +
        'a lower learning rate or a longer warm-up usually helps',
    );
  }
}

function wholeSegment(store: ParameterStore, spec: ParameterSpec): Segment {
  const { offset, length } = store.stretch(spec.name);
  return { offset, length, group: spec.group, rateScale: spec.rateScale ?? 1, decay: spec.decay };
}

/** Joins segments that touch and are treated alike, so that one kernel call covers them. */
function mergeNeighbours(segments: readonly Segment[]): Segment[] {
  const merged: Segment[] = [];
  for (const segment of segments) {
    const last = merged.at(-1);
    const joins =
      last !== undefined &&
      last.offset + last.length === segment.offset &&
      last.group === segment.group &&
      last.rateScale === segment.rateScale &&
      last.decay === segment.decay;
    if (joins) merged[merged.length - 1] = { ...last, length: last.length + segment.length };
    else merged.push(segment);
  }
  return merged;
}
