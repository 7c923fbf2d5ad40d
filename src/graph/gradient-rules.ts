import { addDims, at, multiplyDims, sameDim, sizeOf, type Dim, type Shape } from './dim.js';
import { operand } from './operand.js';
import * as ops from './ops.js';
import type { Primitive } from './primitives.js';
import { apply, type OpOf, type Tensor } from './tensor.js';

const { add, mul, neg, sub } = ops;

/** The gradient with respect to each operand (undefined: none flows), given the gradients of the outputs. */
export type GradientRule<K extends Primitive> = (op: OpOf<K>, dy: Tensor) => readonly (Tensor | undefined)[];

/** Sums `dy` over the axes along which an operand of `shape` was broadcast. */
function unbroadcast(dy: Tensor, shape: Shape): Tensor {
  const extra = dy.shape.length - shape.length;
  const axes = [...dy.shape.keys()].filter((k) => k < extra || (shape[k - extra] === 1 && dy.shape[k] !== 1));
  return ops.reshape(axes.length === 0 ? dy : ops.reduceSum(dy, ...axes), shape);
}

function binary(
  rule: (dy: Tensor, a: Tensor, b: Tensor, y: Tensor) => readonly [Tensor, Tensor],
): (op: { readonly inputs: readonly Tensor[]; readonly outputs: readonly Tensor[] }, dy: Tensor) => readonly Tensor[] {
  return ({ inputs, outputs }, dy) => {
    const a = operand(inputs, 0);
    const b = operand(inputs, 1);
    const [da, db] = rule(dy, a, b, operand(outputs, 0));
    return [unbroadcast(da, a.shape), unbroadcast(db, b.shape)];
  };
}

function unary(
  rule: (dy: Tensor, x: Tensor, y: Tensor) => Tensor,
): (op: { readonly inputs: readonly Tensor[]; readonly outputs: readonly Tensor[] }, dy: Tensor) => readonly Tensor[] {
  return ({ inputs, outputs }, dy) => [rule(dy, operand(inputs, 0), operand(outputs, 0))];
}

function noGradient(): readonly undefined[] {
  return [];
}

function notDifferentiable(op: { readonly kind: Primitive }): never {
  throw new RangeError(`${op.kind} appears in gradients only and has no gradient of its own`);
}

/** [..., M, N] as [M', N] with all leading axes folded into the rows. */
function rows(x: Tensor): Tensor {
  return ops.reshape(x, [sizeOf(x.shape.slice(0, -1)), at(x.shape, -1)]);
}

/**
 * dy (Phi(x) + x phi(x)), the derivative of the Gaussian error linear unit, with z = x / sqrt(2) as
 * dy/2 (1 + erf(z) + z exp(-z^2) 2/sqrt(pi)); the factor 2/sqrt(pi) is in the exponent, and ONNX Runtime takes the half
 * into the product that dy comes from: each is one pass less over the widest arrays of a step.
 */
function geluGradient(dy: Tensor, x: Tensor): Tensor {
  const z = mul(x, Math.SQRT1_2);
  const density = ops.exp(sub(Math.log(2 / Math.sqrt(Math.PI)), mul(z, z)));
  return mul(mul(dy, 0.5), add(add(ops.erf(z), mul(z, density)), 1));
}

/** x moved by one step of axis 0 against the direction of time, zero at the first step. */
function previousStep(x: Tensor, reverse: boolean): Tensor {
  const kept = ops.slice(x, 0, reverse ? 1 : 0, addDims(at(x.shape, 0), -1));
  return reverse ? ops.pad(kept, 0, 0, 1) : ops.pad(kept, 0, 1, 0);
}

/**
 * The forward pass is the fused LSTM operator, which keeps its gates to itself; they are recomputed in one product
 * from the known hidden states, the cell states by a scan without products, and only the recurrent product of the
 * gradient runs step by step.
 */
const lstmGradient: GradientRule<'lstm'> = ({ inputs, outputs, attributes: { reverse } }, dyRaw) => {
  const [x, inputWeights, recurrentWeights, inputBias, recurrentBias, lengths] = [0, 1, 2, 3, 4, 5].map((k) =>
    operand(inputs, k),
  ) as [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor];
  const y = operand(outputs, 0);
  const hidden = at(y.shape, 2);
  const steps = ops.reshape(ops.range(x, 0), [at(x.shape, 0), 1, 1]);
  const valid = ops.cast(ops.less(steps, ops.reshape(lengths, [1, at(x.shape, 1), 1])), 'float32');
  const dy = mul(dyRaw, valid);

  const previous = previousStep(y, reverse);
  const gates = add(ops.linear(x, inputWeights, inputBias), ops.linear(previous, recurrentWeights, recurrentBias));
  const [i, f, g, o] = ops
    .split(gates, 2, [hidden, hidden, hidden, hidden])
    .map((gate, k) => (k === 2 ? ops.tanh(gate) : ops.sigmoid(gate))) as [Tensor, Tensor, Tensor, Tensor];
  const cells = apply('lstmCells', [f, mul(mul(i, g), valid)], { reverse });
  const squashed = ops.tanh(cells);
  const outside = mul(o, sub(1, mul(squashed, squashed)));
  const coefficients = mul(
    ops.concat(
      [
        mul(mul(g, i), sub(1, i)),
        mul(mul(previousStep(cells, reverse), f), sub(1, f)),
        mul(i, sub(1, mul(g, g))),
        mul(mul(squashed, o), sub(1, o)),
      ],
      2,
    ),
    valid,
  );
  const dGates = apply('lstmBackward', [dy, outside, mul(f, valid), coefficients, recurrentWeights], { reverse });
  const flat = rows(dGates);
  const bias = ops.reshape(ops.reduceSum(flat, 0), inputBias.shape);
  return [
    ops.matmul(dGates, inputWeights),
    ops.matmul(flat, rows(x), { transposeA: true }),
    ops.matmul(flat, rows(previous), { transposeA: true }),
    bias,
    bias,
  ];
};

/**
 * With w_t(i, j), the share of y_t(j) that came from state i (at most 1, which rounding at very small y would break),
 * the gradient g of the scores runs backwards through a linear recurrence. For a loss log Z = log sum_j exp y_N(j) it
 * makes dp_t(i, j) the probability of the step from i to j: the forward-backward algorithm.
 */
const logScanGradient: GradientRule<'logScan'> = ({ inputs, outputs }, dy) => {
  const p = operand(inputs, 0);
  const y = operand(outputs, 0);
  const [steps, chains, states] = [at(y.shape, 0), at(y.shape, 1), at(y.shape, 2)];
  const from = ops.reshape(previousStep(y, false), [steps, chains, states, 1]);
  const to = ops.reshape(y, [steps, chains, 1, states]);
  const shares = ops.exp(neg(ops.maximum(sub(to, add(from, p)), 0)));
  const g = apply('logScanBackward', [dy, shares], {});
  return [mul(shares, ops.reshape(g, to.shape))];
};

export const gradientRules: { readonly [K in Primitive]: GradientRule<K> } = {
  input: noGradient,
  parameter: noGradient,
  constant: noGradient,
  range: noGradient,

  neg: unary((dy) => neg(dy)),
  exp: unary((dy, _, y) => mul(dy, y)),
  log: unary((dy, x) => ops.div(dy, x)),
  sqrt: unary((dy, _, y) => ops.div(mul(dy, 0.5), y)),
  reciprocal: unary((dy, _, y) => neg(mul(dy, mul(y, y)))),
  abs: unary((dy, x) => ops.where(ops.less(x, ops.scalar(0)), neg(dy), dy)),
  erf: unary((dy, x) => mul(dy, mul(ops.exp(neg(mul(x, x))), 2 / Math.sqrt(Math.PI)))),
  tanh: unary((dy, _, y) => mul(dy, sub(1, mul(y, y)))),
  sigmoid: unary((dy, _, y) => mul(dy, mul(y, sub(1, y)))),
  gelu: unary((dy, x) => geluGradient(dy, x)),
  relu: unary((dy, x) => ops.where(ops.less(ops.scalar(0), x), dy, 0)),
  cast: ({ inputs }, dy) => {
    const x = operand(inputs, 0);
    return x.dtype === 'float32' && dy.dtype === 'float32' ? [dy] : [];
  },
  stopGradient: noGradient,

  add: binary((dy) => [dy, dy]),
  sub: binary((dy) => [dy, neg(dy)]),
  mul: binary((dy, a, b) => [mul(dy, b), mul(dy, a)]),
  div: binary((dy, _, b, y) => [ops.div(dy, b), neg(ops.div(mul(dy, y), b))]),
  maximum: binary((dy, a, b) => [ops.where(ops.less(a, b), 0, dy), ops.where(ops.less(a, b), dy, 0)]),
  equal: noGradient,
  less: noGradient,
  and: noGradient,
  where: ({ inputs }, dy) => {
    const condition = operand(inputs, 0);
    return [
      undefined,
      unbroadcast(ops.where(condition, dy, 0), operand(inputs, 1).shape),
      unbroadcast(ops.where(condition, 0, dy), operand(inputs, 2).shape),
    ];
  },

  reduceSum: ({ inputs }, dy) => [ops.expand(dy, operand(inputs, 0).shape)],
  reduceMax: ({ inputs, outputs, attributes: { axes } }, dy) => {
    const largest = ops.cast(ops.equal(operand(inputs, 0), operand(outputs, 0)), 'float32');
    return [mul(largest, ops.div(dy, ops.reduceSum(largest, ...axes)))];
  },

  reshape: ({ inputs }, dy) => [ops.reshape(dy, operand(inputs, 0).shape)],
  transpose: ({ attributes: { permutation } }, dy) => [
    ops.transpose(
      dy,
      permutation.map((_, axis) => permutation.indexOf(axis)),
    ),
  ],
  expand: ({ inputs }, dy) => [unbroadcast(dy, operand(inputs, 0).shape)],
  concat: ({ inputs, attributes: { axis } }, dy) =>
    ops.split(
      dy,
      axis,
      inputs.map((x) => at(x.shape, axis)),
    ),
  slice: ({ inputs, attributes: { axis, start, size } }, dy) => {
    const whole = at(operand(inputs, 0).shape, axis);
    return [ops.pad(dy, axis, start, subtract(whole, addDims(start, size)))];
  },
  pad: ({ inputs, attributes: { axis, before } }, dy) => [
    ops.slice(dy, axis, before, at(operand(inputs, 0).shape, axis)),
  ],

  gather: ({ inputs, attributes: { unique } }, dy) => {
    const data = operand(inputs, 0);
    const indices = operand(inputs, 1);
    const count = sizeOf(indices.shape);
    const updates = ops.reshape(dy, [count, ...data.shape.slice(1)]);
    return [ops.scatterAdd(updates, ops.reshape(indices, [count]), at(data.shape, 0), { unique })];
  },
  scatterAdd: ({ inputs, attributes: { unique } }, dy) => [ops.gather(dy, operand(inputs, 1), { unique })],
  segmentMax: ({ inputs, outputs }, dy) => {
    const x = operand(inputs, 0);
    const ids = operand(inputs, 1);
    return [ops.where(ops.equal(x, ops.gather(operand(outputs, 0), ids)), ops.gather(dy, ids), 0)];
  },

  matmul: ({ inputs, attributes: { transposeA, transposeB } }, dy) => {
    const a = operand(inputs, 0);
    const b = operand(inputs, 1);
    const shared = b.shape.length === 2 && a.shape.length > 2 && !transposeA;
    const left = shared ? rows(a) : a;
    const gradient = shared ? rows(dy) : dy;
    const da = transposeA
      ? ops.matmul(b, dy, { transposeA: transposeB, transposeB: true })
      : ops.matmul(dy, b, { transposeB: !transposeB });
    const db = transposeB
      ? ops.matmul(gradient, left, { transposeA: true, transposeB: transposeA })
      : ops.matmul(left, gradient, { transposeA: !transposeA });
    return [unbroadcast(da, a.shape), unbroadcast(db, b.shape)];
  },
  linear: ({ inputs }, dy) => {
    const x = operand(inputs, 0);
    const weight = operand(inputs, 1);
    const flat = rows(dy);
    return [
      x.shape.length === 1 ? ops.reshape(ops.matmul(flat, weight), x.shape) : ops.matmul(dy, weight),
      ops.matmul(flat, rows(x), { transposeA: true }),
      ops.reshape(ops.reduceSum(flat, 0), operand(inputs, 2).shape),
    ];
  },

  softmax: unary((dy, _, y) => {
    const weighted = mul(dy, y);
    return sub(weighted, mul(y, ops.reduceSum(weighted, -1)));
  }),
  logSoftmax: unary((dy, _, y) => sub(dy, mul(ops.exp(y), ops.reduceSum(dy, -1)))),
  layerNorm: ({ inputs, outputs }, dy) => {
    const [x, gamma, beta] = [0, 1, 2].map((k) => operand(inputs, k)) as [Tensor, Tensor, Tensor];
    const deviation = operand(outputs, 2);
    const normalised = mul(sub(x, operand(outputs, 1)), deviation);
    const scaled = mul(dy, gamma);
    const width = at(x.shape, -1);
    if (typeof width !== 'number') throw new RangeError('expected a last axis of fixed size under layerNorm');
    const mean = mul(ops.reduceSum(scaled, -1), 1 / width);
    const projection = mul(ops.reduceSum(mul(scaled, normalised), -1), 1 / width);
    return [
      mul(sub(sub(scaled, mean), mul(normalised, projection)), deviation),
      unbroadcast(mul(dy, normalised), gamma.shape),
      unbroadcast(dy, beta.shape),
    ];
  },

  lstm: lstmGradient,
  lstmCells: notDifferentiable,
  lstmBackward: notDifferentiable,

  logScan: logScanGradient,
  logScanBackward: notDifferentiable,

  depthwiseConv: ({ inputs, attributes: { dilation } }, dy) => {
    const x = operand(inputs, 0);
    const filters = operand(inputs, 1);
    const bias = operand(inputs, 2);
    const kernel = at(filters.shape, 2);
    if (typeof kernel !== 'number') throw new RangeError('expected filters of fixed size');
    const noBias = mul(bias, 0);
    return [
      ops.depthwiseConv(dy, apply('flipFilters', [filters], {}), noBias, dilation),
      apply('depthwiseConvWeights', [x, dy], { kernel, dilation }),
      ops.reshape(ops.reduceSum(dy, 0, 2, 3), bias.shape),
    ];
  },
  depthwiseConvWeights: notDifferentiable,
  flipFilters: unary((dy) => apply('flipFilters', [dy], {})),
};

function subtract(a: Dim, b: Dim): Dim {
  return sameDim(a, b) ? 0 : addDims(a, multiplyDims(-1, b));
}
