/** Tensor expressions: one function a primitive, and the few compositions that everything above shares. */
import { addDims, sameDim, sameShape, type Dim, type Shape } from './dim.js';
import type { ConstantData, DType } from './primitives.js';
import { operand } from './operand.js';
import { apply, applyAll, type Tensor } from './tensor.js';

export type Operand = Tensor | number;

/** A value fed at every run. */
export function input(name: string, dtype: DType, shape: Shape): Tensor {
  return apply('input', [], { name, dtype, shape });
}

/** A trainable value of fixed shape. */
export function parameter(name: string, shape: readonly number[]): Tensor {
  return apply('parameter', [], { name, shape });
}

export function constant(data: ConstantData, shape: readonly number[]): Tensor {
  return apply('constant', [], { data, shape });
}

export function scalar(value: number): Tensor {
  return constant(Float32Array.of(value), []);
}

/** 0, 1, ..., n - 1 as int32, where n is the size of one axis of `x`. */
export function range(x: Tensor, axis: number): Tensor {
  return apply('range', [x], { axis });
}

function lift(x: Operand): Tensor {
  return typeof x === 'number' ? scalar(x) : x;
}

function binary(kind: 'add' | 'sub' | 'mul' | 'div' | 'maximum', a: Operand, b: Operand): Tensor {
  return apply(kind, [lift(a), lift(b)], {});
}

export const add = (a: Operand, b: Operand): Tensor => binary('add', a, b);
export const sub = (a: Operand, b: Operand): Tensor => binary('sub', a, b);
export const mul = (a: Operand, b: Operand): Tensor => binary('mul', a, b);
export const div = (a: Operand, b: Operand): Tensor => binary('div', a, b);
export const maximum = (a: Operand, b: Operand): Tensor => binary('maximum', a, b);
export const equal = (a: Tensor, b: Tensor): Tensor => apply('equal', [a, b], {});
export const less = (a: Tensor, b: Tensor): Tensor => apply('less', [a, b], {});
export const and = (a: Tensor, b: Tensor): Tensor => apply('and', [a, b], {});
export const where = (condition: Tensor, a: Operand, b: Operand): Tensor =>
  apply('where', [condition, lift(a), lift(b)], {});

export const neg = (x: Tensor): Tensor => apply('neg', [x], {});
export const exp = (x: Tensor): Tensor => apply('exp', [x], {});
export const log = (x: Tensor): Tensor => apply('log', [x], {});
export const sqrt = (x: Tensor): Tensor => apply('sqrt', [x], {});
export const reciprocal = (x: Tensor): Tensor => apply('reciprocal', [x], {});
export const abs = (x: Tensor): Tensor => apply('abs', [x], {});
export const erf = (x: Tensor): Tensor => apply('erf', [x], {});
export const tanh = (x: Tensor): Tensor => apply('tanh', [x], {});
export const sigmoid = (x: Tensor): Tensor => apply('sigmoid', [x], {});
export const gelu = (x: Tensor): Tensor => apply('gelu', [x], {});
export const relu = (x: Tensor): Tensor => apply('relu', [x], {});
export const cast = (x: Tensor, to: DType): Tensor => (x.dtype === to ? x : apply('cast', [x], { to }));
/** The value of `x`, through which no gradient flows. */
export const stopGradient = (x: Tensor): Tensor => apply('stopGradient', [x], {});

/** Sum over axes (negative ones count from the end), kept with size 1. */
export function reduceSum(x: Tensor, ...axes: number[]): Tensor {
  return apply('reduceSum', [x], { axes: normaliseAxes(x, axes) });
}

export function reduceMax(x: Tensor, ...axes: number[]): Tensor {
  return apply('reduceMax', [x], { axes: normaliseAxes(x, axes) });
}

/** The sum of all elements, a scalar. */
export function total(x: Tensor): Tensor {
  return reshape(reduceSum(x, ...x.shape.keys()), []);
}

function normaliseAxes(x: Tensor, axes: readonly number[]): readonly number[] {
  return axes.map((axis) => (axis < 0 ? axis + x.shape.length : axis)).sort((a, b) => a - b);
}

export function reshape(x: Tensor, shape: Shape): Tensor {
  return sameShape(x.shape, shape) ? x : apply('reshape', [x], { shape });
}

export function transpose(x: Tensor, permutation: readonly number[]): Tensor {
  const identity = permutation.length === x.shape.length && permutation.every((axis, k) => axis === k);
  return identity ? x : apply('transpose', [x], { permutation });
}

export function expand(x: Tensor, shape: Shape): Tensor {
  return sameShape(x.shape, shape) ? x : apply('expand', [x], { shape });
}

export function concat(inputs: readonly Tensor[], axis: number): Tensor {
  const first = operand(inputs, 0);
  return inputs.length === 1 ? first : apply('concat', inputs, { axis: axis < 0 ? axis + first.shape.length : axis });
}

/** `size` elements of one axis from `start` on. */
export function slice(x: Tensor, axis: number, start: Dim, size: Dim): Tensor {
  const k = axis < 0 ? axis + x.shape.length : axis;
  const whole = x.shape[k];
  const all = start === 0 && whole !== undefined && sameDim(size, whole);
  return all ? x : apply('slice', [x], { axis: k, start, size });
}

/** Zeros before and after the elements of one axis. */
export function pad(x: Tensor, axis: number, before: Dim, after: Dim): Tensor {
  const k = axis < 0 ? axis + x.shape.length : axis;
  return before === 0 && after === 0 ? x : apply('pad', [x], { axis: k, before, after });
}

/** Cuts one axis into parts of the given sizes. */
export function split(x: Tensor, axis: number, sizes: readonly Dim[]): Tensor[] {
  let start: Dim = 0;
  return sizes.map((size) => {
    const part = slice(x, axis, start, size);
    start = addDims(start, size);
    return part;
  });
}

/**
 * Rows of `data` [V, ...] at int32 `indices` [...]: [indices..., ...]. `unique` promises that no index repeats, which
 * makes the gradient cheaper.
 */
export const gather = (data: Tensor, indices: Tensor, { unique = false } = {}): Tensor =>
  apply('gather', [data, indices], { unique });
/** Sums rows `updates` [M, ...] into zeros [rows, ...] at `indices` [M]. */
export const scatterAdd = (updates: Tensor, indices: Tensor, rows: Dim, { unique = false } = {}): Tensor =>
  apply('scatterAdd', [updates, indices], { rows, unique });
/** The maximum of the rows of x [M, H] that share a segment; a segment without rows is 0. */
export const segmentMax = (x: Tensor, ids: Tensor, segments: Dim): Tensor =>
  apply('segmentMax', [x, ids], { segments });

/** Batched matrix product, either operand's last two axes swapped on request. */
export function matmul(a: Tensor, b: Tensor, { transposeA = false, transposeB = false } = {}): Tensor {
  return apply('matmul', [a, b], { transposeA, transposeB });
}

/** x W^T + b with x [..., I], W [O, I], b [O]. */
export const linear = (x: Tensor, weight: Tensor, bias: Tensor): Tensor => apply('linear', [x, weight, bias], {});

/** Softmax over the last axis. */
export const softmax = (x: Tensor): Tensor => apply('softmax', [x], {});
export const logSoftmax = (x: Tensor): Tensor => apply('logSoftmax', [x], {});

/** log sum exp x over one axis, kept with size 1. */
export function logSumExp(x: Tensor, axis: number): Tensor {
  const largest = stopGradient(reduceMax(x, axis));
  return add(log(reduceSum(exp(sub(x, largest)), axis)), largest);
}

/** gamma (x - mean) / sqrt(var + epsilon) + beta over the last axis. */
export const layerNorm = (x: Tensor, gamma: Tensor, beta: Tensor, epsilon: number): Tensor =>
  apply('layerNorm', [x, gamma, beta], { epsilon });

/** Normalised x, its mean and 1 / sqrt(var + epsilon), the latter two [..., 1]. */
export const layerNormWithStatistics = (x: Tensor, gamma: Tensor, beta: Tensor, epsilon: number): readonly Tensor[] =>
  applyAll('layerNorm', [x, gamma, beta], { epsilon });

export interface LstmWeights {
  /** [4H, D], gates in the order input, forget, cell, output. */
  readonly inputWeights: Tensor;
  /** [4H, H] */
  readonly recurrentWeights: Tensor;
  /** [4H] */
  readonly inputBias: Tensor;
  /** [4H] */
  readonly recurrentBias: Tensor;
}

/** Hidden states [N, B, H] of x [N, B, D] with int32 lengths [B], zero from each length on. */
export function lstm(x: Tensor, weights: LstmWeights, lengths: Tensor, reverse: boolean): Tensor {
  const { inputWeights, recurrentWeights, inputBias, recurrentBias } = weights;
  return apply('lstm', [x, inputWeights, recurrentWeights, inputBias, recurrentBias, lengths], { reverse });
}

/**
 * Forward scores [N, M, K] of chains with log-weights p [N, M, K, K]: y_t(j) = log sum_i exp(y_(t-1)(i) + p_t(i, j)),
 * y_(-1) = 0.
 */
export const logScan = (p: Tensor): Tensor => apply('logScan', [p], {});

/** x [B, C, H, W] convolved with filters [C, 1, k, k], one a channel, plus bias [C]; the result has x's shape. */
export const depthwiseConv = (x: Tensor, filters: Tensor, bias: Tensor, dilation: number): Tensor =>
  apply('depthwiseConv', [x, filters, bias], { dilation });
