import fc from 'fast-check';
import { ops, type Tensor } from '../../../src/graph/index.js';
import { item } from './check.js';
import { n } from './case.js';
import { below, between, lengths, type Draw } from './random.js';

/** Leaves that random expressions are made of; every matrix is [n, 3]. */
const leaves = {
  x: ops.input('x', 'float32', [n, 3]),
  y: ops.input('y', 'float32', [n, 3]),
  weights: ops.input('weights of the loss', 'float32', [n, 3]),
  rows: ops.input('rows', 'int32', [n]),
  length: ops.input('length', 'int32', [1]),
  mask: ops.input('mask', 'int32', [n, 1]),
  gain: ops.parameter('gain', [3]),
  bias: ops.parameter('bias', [3]),
  square: ops.parameter('square', [3, 3]),
  filter: ops.parameter('filter', [1, 1, 3, 3]),
  one: ops.parameter('one', [1]),
  inputWeights: ops.parameter('input weights', [12, 3]),
  recurrentWeights: ops.parameter('recurrent weights', [12, 3]),
  inputBias: ops.parameter('input bias', [12]),
  recurrentBias: ops.parameter('recurrent bias', [12]),
};

/** Leaves with a gradient. */
export const floats = Object.values(leaves).filter((leaf) => leaf.dtype === 'float32' && leaf !== leaves.weights);

export const draws: ReadonlyMap<string, Draw> = new Map<string, Draw>([
  ['rows', below('n')],
  ['length', lengths('n')],
  ['mask', below(2)],
  ['cut', between(-1, 1)],
]);

/** Smooth maps of two matrices [n, 3] to one, each of several primitives. */
const combinations: readonly ((a: Tensor, b: Tensor) => Tensor)[] = [
  (a) => ops.tanh(a),
  (a) => ops.gelu(a),
  (a) => ops.neg(ops.sigmoid(a)),
  (a) => ops.erf(a),
  (a) => ops.exp(ops.neg(ops.mul(a, a))),
  (a) => ops.log(ops.add(ops.sqrt(ops.add(ops.mul(a, a), 1)), 0.5)),
  (a, b) => ops.add(a, b),
  (a, b) => ops.sub(a, b),
  (a, b) => ops.mul(a, ops.tanh(b)),
  (a, b) => ops.div(a, ops.add(ops.mul(b, b), 1)),
  (a, b) => ops.mul(a, ops.reciprocal(ops.add(ops.exp(ops.tanh(b)), 1))),
  (a) => ops.add(ops.mul(a, leaves.gain), leaves.bias),
  (a) => ops.sub(a, ops.mul(ops.reduceSum(a, 1), 1 / 3)),
  (a, b) => ops.mul(ops.expand(ops.tanh(ops.reduceSum(a, 0)), b.shape), b),
  (a, b) => ops.add(ops.softmax(a), b),
  (a) => ops.mul(ops.logSoftmax(a), 0.3),
  (a) => ops.layerNorm(a, leaves.gain, leaves.bias, 0.1),
  (a, b) => ops.matmul(ops.softmax(ops.matmul(a, b, { transposeB: true })), a),
  (a, b) => ops.matmul(a, ops.tanh(ops.matmul(a, b, { transposeA: true }))),
  (a) => ops.linear(a, leaves.square, leaves.bias),
  (a, b) => ops.slice(ops.concat([a, b], 1), 1, 2, 3),
  (a, b) => ops.slice(ops.concat([a, b, a], 0), 0, n, n),
  (a) => ops.slice(ops.pad(a, 0, 1, 0), 0, 0, n),
  (a) => ops.slice(ops.pad(a, 0, n, n), 0, 2, n),
  (a) => ops.transpose(ops.reshape(a, [3, n]), [1, 0]),
  (a, b) => ops.reshape(ops.mul(ops.reshape(a, [1, n, 3]), ops.reshape(b, [n, 1, 3])), [n, n, 3]),
  (a) => ops.gather(a, leaves.rows),
  (a) => ops.scatterAdd(a, leaves.rows, n),
  (a, b) => ops.where(ops.cast(leaves.mask, 'bool'), a, b),
  (a) => ops.reshape(ops.depthwiseConv(ops.reshape(a, [1, 1, n, 3]), leaves.filter, leaves.one, 1), [n, 3]),
  (a) => ops.reshape(ops.lstm(ops.reshape(a, [n, 1, 3]), leaves, leaves.length, false), [n, 3]),
  (a) => ops.reshape(ops.lstm(ops.reshape(a, [n, 1, 3]), leaves, leaves.length, true), [n, 3]),
];

interface Step {
  readonly combination: number;
  readonly left: number;
  readonly right: number;
}

/** What to compute; operands count back from the newest matrix, so that most of a program reaches its loss. */
export interface Program {
  readonly steps: readonly Step[];
}

export const programs: fc.Arbitrary<Program> = fc
  .array(fc.record({ combination: fc.nat(combinations.length - 1), left: fc.nat(2), right: fc.nat(4) }), {
    minLength: 1,
    maxLength: 6,
  })
  .map((steps) => ({ steps }));

export interface Expression {
  readonly loss: Tensor;
  /** x, y and the matrix after every step. */
  readonly matrices: readonly Tensor[];
}

/** The graph of a program; with `cut`, matrix number `cut` is replaced by an input of that name. */
export function expression({ steps }: Program, cut?: number): Expression {
  const matrices: Tensor[] = [leaves.x, leaves.y];
  for (const { combination, left, right } of steps) {
    const last = matrices.length - 1;
    const a = item(matrices, Math.max(0, last - left));
    const b = item(matrices, Math.max(0, last - right));
    const result = item(combinations, combination)(a, b);
    const matrix = result.shape.length === 3 ? ops.reshape(ops.reduceSum(result, 0), [n, 3]) : result;
    matrices.push(matrices.length === cut ? ops.input('cut', 'float32', [n, 3]) : matrix);
  }
  return { loss: ops.total(ops.mul(item(matrices, matrices.length - 1), leaves.weights)), matrices };
}
