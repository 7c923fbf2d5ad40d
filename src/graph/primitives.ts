import type { Dim, Shape } from './dim.js';

export type DType = 'float32' | 'int32' | 'int64' | 'bool';

/** Values of a constant, row-major; booleans as 0 and 1. */
export type ConstantData = Float32Array | Int32Array | Uint8Array;

type None = Record<never, never>;

/**
 * The one primitive set. Every primitive has a shape rule (`shape-rules.ts`), a gradient rule (`gradient-rules.ts`),
 * an ONNX lowering (`onnx/rules.ts`) and a float64 reference (`reference-rules.ts`); the tables are total over this
 * interface, so a primitive without one of them does not compile.
 */
export interface Attributes {
  // Leaves
  input: { name: string; dtype: DType; shape: Shape };
  parameter: { name: string; shape: readonly number[] };
  constant: { data: ConstantData; shape: readonly number[] };
  /** The sizes 0, 1, ..., size - 1 of one axis of the operand, as int32. */
  range: { axis: number };

  // Element by element
  neg: None;
  exp: None;
  log: None;
  sqrt: None;
  reciprocal: None;
  abs: None;
  erf: None;
  tanh: None;
  sigmoid: None;
  /** x Phi(x), the exact Gaussian error linear unit. */
  gelu: None;
  relu: None;
  cast: { to: DType };
  stopGradient: None;

  // Two operands, broadcast
  add: None;
  sub: None;
  mul: None;
  div: None;
  maximum: None;
  equal: None;
  less: None;
  and: None;
  /** condition ? a : b */
  where: None;

  // Reductions over axes, kept with size 1
  reduceSum: { axes: readonly number[] };
  /** Elements that tie for the maximum share its gradient. */
  reduceMax: { axes: readonly number[] };

  // Shape
  reshape: { shape: Shape };
  transpose: { permutation: readonly number[] };
  expand: { shape: Shape };
  concat: { axis: number };
  /** Elements [start, start + size) of one axis. */
  slice: { axis: number; start: Dim; size: Dim };
  /** Zeros before and after the elements of one axis. */
  pad: { axis: number; before: Dim; after: Dim };

  // Rows
  /** Rows of the first axis: data [V, ...] and indices [...] give [indices..., ...]; `unique` promises that no index repeats. */
  gather: { unique: boolean };
  /** Sums rows updates [M, ...] into zeros [rows, ...] at indices [M]. */
  scatterAdd: { rows: Dim; unique: boolean };
  /**
   * The maximum of the rows of x [M, H] that share a segment in ids [M]; a segment without rows is 0. Each element that
   * ties for a maximum gets the whole gradient.
   */
  segmentMax: { segments: Dim };

  // Linear algebra
  /** Batched product; the last two axes of an operand are swapped first where its flag is set. */
  matmul: { transposeA: boolean; transposeB: boolean };
  /** x W^T + b with x [..., I], W [O, I], b [O]. */
  linear: None;

  // Normalisation
  softmax: None;
  logSoftmax: None;
  /** Outputs: gamma (x - mean) / sqrt(var + epsilon) + beta over the last axis; mean; 1 / sqrt(var + epsilon). */
  layerNorm: { epsilon: number };

  // Recurrence, time-major; gates in PyTorch's order input, forget, cell, output
  /**
   * x [N, B, D], W_ih [4H, D], W_hh [4H, H], b_ih [4H], b_hh [4H], lengths [B] give the hidden states [N, B, H],
   * zero from a sentence's length on; `reverse` runs from its last word to its first.
   */
  lstm: { reverse: boolean };
  /** Cell states c_t = f_t c_(t-1) + u_t of f, u [N, B, H]. */
  lstmCells: { reverse: boolean };
  /**
   * Gradient with respect to the gates before their activations [N, B, 4H], from dy, a_c, f [N, B, H], the
   * coefficients k [N, B, 4H] and W_hh: dc_t = dc + dh a_c, dgates = [dc, dc, dc, dh] k, then dc = dc_t f and
   * dh = dy + dgates W_hh. `reverse` is that of the forward pass; time runs the other way.
   */
  lstmBackward: { reverse: boolean };

  // Linear chains in log space, time-major
  /**
   * Forward scores y_t(j) = log sum_i exp(y_(t-1)(i) + p_t(i, j)) [N, M, K] of M chains over K states, from the
   * log-weights p [N, M, K, K] of step t from state i to state j; y_(-1) = 0.
   */
  logScan: None;
  /** g_t(i) = dy_t(i) + sum_j w_(t+1)(i, j) g_(t+1)(j) with g_N = 0, from dy [N, M, K] and w [N, M, K, K]. */
  logScanBackward: None;

  // Convolution: x [B, C, H, W] with one k x k filter [C, 1, k, k] a channel, zero padding to the same size
  depthwiseConv: { dilation: number };
  /** The filters' gradient [C, 1, k, k] from x and dy [B, C, H, W]. */
  depthwiseConvWeights: { kernel: number; dilation: number };
  /** The filters turned by 180 degrees. */
  flipFilters: None;
}

export type Primitive = keyof Attributes;
