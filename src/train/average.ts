import type { ParameterStore } from './parameters.js';

/**
 * Which weights are evaluated and released: the last ones; the mean of those at the end of the last `epochs` epochs;
 * or an exponential moving average, updated after every `every` steps with factor `decay` per step.
 */
export type AveragingConfig =
  | { readonly kind: 'none' }
  | { readonly kind: 'epochs'; readonly epochs: number }
  | { readonly kind: 'moving'; readonly decay: number; readonly every: number };

/** A running average of the parameters in the store's `average` region; one pass over memory per update. */
export class WeightAverage {
  /** Number of weights averaged so far; restored with a checkpoint. */
  count = 0;
  readonly #store: ParameterStore;
  readonly #config: AveragingConfig;

  /** Needs a store built with `average`, unless the kind is `none`. */
  constructor(store: ParameterStore, config: AveragingConfig) {
    this.#store = store;
    this.#config = config;
  }

  /** To be called after every update, with the number of updates made so far. */
  afterStep(step: number): void {
    const config = this.#config;
    if (config.kind !== 'moving' || step % config.every !== 0) return;
    // A plain mean until that weighs the newest less than the moving average would: no bias to the first weights.
    this.#blend(Math.max(1 - config.decay ** config.every, 1 / (this.count + 1)));
  }

  /** To be called after every epoch, with the number of epochs done so far. */
  afterEpoch(epoch: number, totalEpochs: number): void {
    const config = this.#config;
    if (config.kind === 'epochs' && epoch > totalEpochs - config.epochs) this.#blend(1 / (this.count + 1));
  }

  /** The region whose weights are to be evaluated now. */
  get region(): 'values' | 'average' {
    return this.count > 0 ? 'average' : 'values';
  }

  #blend(weight: number): void {
    const target = this.#store.address('average', 0);
    const bytes = this.#store.region('average').byteLength;
    this.#store.kernels.blend(target, target + bytes, this.#store.address('values', 0), weight);
    this.count++;
  }
}
