import { at, sizeOf, type Dim, type Shape } from '../dim.js';
import { operand } from '../operand.js';
import type { DType, Primitive } from '../primitives.js';
import type { OpOf } from '../tensor.js';
import type { OnnxBuilder } from './builder.js';
import type { OnnxType } from './proto.js';
import { lowerLogScan, lowerLogScanBackward, lowerLstm, lowerLstmBackward, lowerLstmCells } from './recurrence.js';
import { lowerDepthwiseConvWeights } from './convolution.js';

/** Adds the nodes of one operation and returns the names of its outputs. */
export type OnnxRule<K extends Primitive> = (
  op: OpOf<K>,
  inputs: readonly string[],
  builder: OnnxBuilder,
) => readonly string[];

/** The lowest operator set that has everything emitted here (Gelu came with 20). */
export const OPSET = 20;

const onnxTypes: { readonly [T in DType]: OnnxType } = {
  float32: 'float32',
  int32: 'int32',
  int64: 'int64',
  bool: 'bool',
};

/** `TensorProto.DataType` for Cast. */
const castCodes: { readonly [T in DType]: number } = { float32: 1, int32: 6, int64: 7, bool: 9 };

export function onnxType(dtype: DType): OnnxType {
  return onnxTypes[dtype];
}

function direct(opType: string, attributes: Readonly<Record<string, number>> = {}): OnnxRule<Primitive> {
  return (_, inputs, builder) => [builder.emit(opType, inputs, attributes)];
}

function reduce(opType: string): OnnxRule<'reduceSum' | 'reduceMax'> {
  return ({ attributes: { axes } }, inputs, builder) => [
    builder.emit(opType, [operand(inputs, 0), builder.ints(...axes)], { keepdims: 1 }),
  ];
}

/**
 * A sum over all axes but the last, the gradient of a bias, as ones [1, M] times [M, N]: faster in ONNX Runtime than
 * ReduceSum.
 */
const lowerReduceSum: OnnxRule<'reduceSum'> = (op, inputs, builder) => {
  const { axes } = op.attributes;
  const from = shapeOf(op, 0);
  const overRows = from.length > 1 && axes.length === from.length - 1 && !axes.includes(from.length - 1);
  if (!overRows || operand(op.inputs, 0).dtype !== 'float32') return reduce('ReduceSum')(op, inputs, builder);
  const rows = sizeOf(from.slice(0, -1));
  const to = operand(op.outputs, 0).shape;
  const last = at(from, -1);
  const x = operand(inputs, 0);
  const matrix = from.length === 2 ? x : builder.emit('Reshape', [x, builder.reshapeOperand(from, [rows, last])]);
  const sum = builder.emit('MatMul', [builder.ones(rows), matrix]);
  return [from.length === 2 ? sum : builder.emit('Reshape', [sum, builder.reshapeOperand([1, last], to)])];
};

function leaf({ kind }: { readonly kind: Primitive }): never {
  throw new RangeError(`${kind} is bound by the lowering, not by a rule`);
}

function shapeOf(op: OpOf<Primitive>, k: number): Shape {
  return operand(op.inputs, k).shape;
}

function swapLastAxes(builder: OnnxBuilder, x: string, rank: number): string {
  const axes = Array.from({ length: rank }, (_, k) => k);
  return builder.emit('Transpose', [x], { perm: [...axes.slice(0, -2), rank - 1, rank - 2] });
}

function zeros(builder: OnnxBuilder, shape: Shape): string {
  return builder.emit('ConstantOfShape', [builder.shape(shape)]);
}

/** x [..., I] times the rows of W [O, I]: one Gemm over all leading axes. */
function lowerLinear(
  op: OpOf<'linear'>,
  [x = '', weight = '', bias = '']: readonly string[],
  builder: OnnxBuilder,
): string {
  const from = operand(op.inputs, 0).shape;
  const to = operand(op.outputs, 0).shape;
  const flatten = (shape: Shape): Shape => [sizeOf(shape.slice(0, -1)), at(shape, -1)];
  const flat = from.length === 2 ? x : builder.emit('Reshape', [x, builder.reshapeOperand(from, flatten(from))]);
  const product = builder.emit('Gemm', [flat, weight, bias], { transB: 1 });
  return to.length === 2 ? product : builder.emit('Reshape', [product, builder.reshapeOperand(flatten(to), to)]);
}

export const onnxRules: { readonly [K in Primitive]: OnnxRule<K> } = {
  input: leaf,
  parameter: leaf,
  constant: ({ attributes: { data, shape }, outputs }, _, builder) => [
    builder.initializer(onnxType(operand(outputs, 0).dtype), shape, data),
  ],
  range: ({ outputs }, _, builder) => {
    const size = builder.emit('Squeeze', [builder.dim(at(operand(outputs, 0).shape, 0))]);
    const values = builder.emit('Range', [builder.intScalar(0), size, builder.intScalar(1)]);
    return [builder.emit('Cast', [values], { to: castCodes.int32 })];
  },

  neg: direct('Neg'),
  exp: direct('Exp'),
  log: direct('Log'),
  sqrt: direct('Sqrt'),
  reciprocal: direct('Reciprocal'),
  abs: direct('Abs'),
  erf: direct('Erf'),
  tanh: direct('Tanh'),
  sigmoid: direct('Sigmoid'),
  gelu: direct('Gelu'),
  relu: direct('Relu'),
  cast: ({ attributes: { to } }, inputs, builder) => [builder.emit('Cast', inputs, { to: castCodes[to] })],
  stopGradient: direct('Identity'),

  add: direct('Add'),
  sub: direct('Sub'),
  mul: direct('Mul'),
  div: direct('Div'),
  maximum: direct('Max'),
  equal: direct('Equal'),
  less: direct('Less'),
  and: direct('And'),
  where: direct('Where'),

  reduceSum: lowerReduceSum,
  reduceMax: reduce('ReduceMax'),

  reshape: (op, inputs, builder) => [
    builder.emit('Reshape', [operand(inputs, 0), builder.reshapeOperand(shapeOf(op, 0), op.attributes.shape)]),
  ],
  transpose: ({ attributes: { permutation } }, inputs, builder) => [
    builder.emit('Transpose', inputs, { perm: permutation }),
  ],
  expand: ({ attributes: { shape } }, inputs, builder) => [
    builder.emit('Expand', [operand(inputs, 0), builder.shape(shape)]),
  ],
  concat: ({ attributes: { axis } }, inputs, builder) => [builder.emit('Concat', inputs, { axis })],
  slice: ({ attributes: { axis, start, size } }, inputs, builder) => [
    builder.slice(operand(inputs, 0), axis, start, size),
  ],
  pad: ({ attributes: { axis, before, after } }, inputs, builder) => [
    builder.emit('Pad', [operand(inputs, 0), builder.shape([before, after]), builder.float(0), builder.ints(axis)]),
  ],

  gather: (_, inputs, builder) => [builder.emit('Gather', inputs)],
  scatterAdd: (op, [updates = '', indices = ''], builder) => {
    const target = zeros(builder, operand(op.outputs, 0).shape);
    if (op.attributes.unique) return [builder.emit('ScatterND', [target, columnIndices(builder, indices), updates])];
    return [scatterRows(builder, target, indices, updates, shapeOf(op, 0), 'add')];
  },
  segmentMax: (op, [x = '', ids = ''], builder) => {
    const shape = operand(op.outputs, 0).shape;
    const lowest = -3e38;
    const target = builder.emit('Expand', [builder.float(lowest), builder.shape(shape)]);
    const maxima = scatterRows(builder, target, ids, x, shapeOf(op, 0), 'max');
    const empty = builder.emit('LessOrEqual', [maxima, builder.float(lowest)]);
    return [builder.emit('Where', [empty, builder.float(0), maxima])];
  },

  matmul: (op, [a = '', b = ''], builder) => {
    const { transposeA, transposeB } = op.attributes;
    const [rankA, rankB] = [shapeOf(op, 0).length, shapeOf(op, 1).length];
    if (rankA === 2 && rankB === 2) {
      return [builder.emit('Gemm', [a, b], { transA: Number(transposeA), transB: Number(transposeB) })];
    }
    const left = transposeA ? swapLastAxes(builder, a, rankA) : a;
    const right = transposeB ? swapLastAxes(builder, b, rankB) : b;
    return [builder.emit('MatMul', [left, right])];
  },
  linear: (op, inputs, builder) => [lowerLinear(op, inputs, builder)],

  softmax: direct('Softmax', { axis: -1 }),
  logSoftmax: direct('LogSoftmax', { axis: -1 }),
  layerNorm: ({ attributes: { epsilon } }, inputs, builder) =>
    builder.emitAll('LayerNormalization', inputs, { axis: -1, epsilon: { float: epsilon } }, 3),

  lstm: (op, inputs, builder) => [lowerLstm(op, inputs, builder)],
  lstmCells: (op, inputs, builder) => [lowerLstmCells(op, inputs, builder)],
  lstmBackward: (op, inputs, builder) => [lowerLstmBackward(op, inputs, builder)],

  logScan: (op, inputs, builder) => [lowerLogScan(op, inputs, builder)],
  logScanBackward: (op, inputs, builder) => [lowerLogScanBackward(op, inputs, builder)],

  depthwiseConv: (op, inputs, builder) => {
    const [, channels] = shapeOf(op, 0);
    const kernel = fixed(at(shapeOf(op, 1), 2));
    const { dilation } = op.attributes;
    const padding = ((kernel - 1) / 2) * dilation;
    return [
      builder.emit('Conv', inputs, {
        group: fixed(channels),
        kernel_shape: [kernel, kernel],
        dilations: [dilation, dilation],
        pads: [padding, padding, padding, padding],
      }),
    ];
  },
  depthwiseConvWeights: (op, inputs, builder) => [lowerDepthwiseConvWeights(op, inputs, builder)],
  flipFilters: (_, inputs, builder) => [
    builder.emit('Slice', [
      operand(inputs, 0),
      builder.ints(-1, -1),
      builder.ints(-1000, -1000),
      builder.ints(2, 3),
      builder.ints(-1, -1),
    ]),
  ],
};

function columnIndices(builder: OnnxBuilder, indices: string): string {
  return builder.emit('Cast', [builder.emit('Unsqueeze', [indices, builder.ints(1)])], { to: castCodes.int64 });
}

/**
 * Combines rows that may repeat. ScatterND with a reduction runs in parallel without locks in ONNX Runtime and loses
 * updates of repeated rows; ScatterElements goes through them one after the other.
 */
function scatterRows(
  builder: OnnxBuilder,
  target: string,
  indices: string,
  updates: string,
  shape: Shape,
  reduction: 'add' | 'max',
): string {
  const column = builder.emit('Unsqueeze', [indices, builder.ints(...shape.slice(1).map((_, k) => k + 1))]);
  const everywhere = builder.emit('Expand', [column, builder.shape(shape)]);
  return builder.emit('ScatterElements', [target, everywhere, updates], { axis: 0, reduction });
}

function fixed(dim: Dim | undefined): number {
  if (typeof dim !== 'number') throw new RangeError('expected a fixed size');
  return dim;
}
