import { at, ops, type Tensor } from '../graph/index.js';
import { fixed, ones, uniform, zeros, type Initialiser, type ParameterGroup, type Scope } from './scope.js';

interface Options {
  readonly group?: ParameterGroup;
  /** Of the weights; PyTorch's uniform(1 / sqrt(inputs)) where absent. */
  readonly initialiser?: Initialiser;
  /** Of the bias; that of the weights' default, or zero beside an explicit one, where absent. */
  readonly biasInitialiser?: Initialiser;
}

/** `name.weight` [outputs, I] and `name.bias` [outputs]: x [..., I] gives [..., outputs]. */
export function linear(scope: Scope, name: string, x: Tensor, outputs: number, options: Options = {}): Tensor {
  const inputs = fixed(at(x.shape, -1));
  const { group = 'head', initialiser, biasInitialiser } = options;
  const bound = uniform(1 / Math.sqrt(inputs));
  const weight = scope.parameter(`${name}.weight`, [outputs, inputs], initialiser ?? bound, { group });
  const bias = scope.parameter(
    `${name}.bias`,
    [outputs],
    biasInitialiser ?? (initialiser === undefined ? bound : zeros),
    {
      group,
      decay: false,
    },
  );
  return ops.linear(x, weight, bias);
}

/** Layer normalisation over the last axis with `name.weight` and `name.bias`. */
export function layerNorm(scope: Scope, name: string, x: Tensor, epsilon: number, group: ParameterGroup): Tensor {
  const width = [fixed(at(x.shape, -1))];
  const gain = scope.parameter(`${name}.weight`, width, ones, { group, decay: false });
  const bias = scope.parameter(`${name}.bias`, width, zeros, { group, decay: false });
  return ops.layerNorm(x, gain, bias, epsilon);
}

/** (x - mean) / sqrt(var + epsilon) over the last axis. */
export function normalise(x: Tensor, epsilon: number): Tensor {
  const width = fixed(at(x.shape, -1));
  const gain = ops.constant(new Float32Array(width).fill(1), [width]);
  const bias = ops.constant(new Float32Array(width), [width]);
  return ops.layerNorm(x, gain, bias, epsilon);
}

/**
 * Bidirectional LSTM with PyTorch's parameter names (`weight_ih_l0`, ..., `bias_hh_l0_reverse`): x [B, N, D] with
 * int32 lengths [B] gives [B, N, 2 hidden], forward states first, zero from each length on.
 */
export function biLstm(scope: Scope, name: string, x: Tensor, lengths: Tensor, hidden: number): Tensor {
  const inputs = fixed(at(x.shape, 2));
  const initialiser = uniform(1 / Math.sqrt(hidden));
  const timeMajor = ops.transpose(x, [1, 0, 2]);
  const directions = ['', '_reverse'].map((suffix) => {
    const parameter = (kind: string, shape: readonly number[]): Tensor =>
      scope.parameter(`${name}.${kind}_l0${suffix}`, shape, initialiser, { decay: shape.length > 1 });
    const weights = {
      inputWeights: parameter('weight_ih', [4 * hidden, inputs]),
      recurrentWeights: parameter('weight_hh', [4 * hidden, hidden]),
      inputBias: parameter('bias_ih', [4 * hidden]),
      recurrentBias: parameter('bias_hh', [4 * hidden]),
    };
    return ops.lstm(timeMajor, weights, lengths, suffix !== '');
  });
  return ops.transpose(ops.concat(directions, 2), [1, 0, 2]);
}
