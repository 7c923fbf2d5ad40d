import {
  addDims,
  at,
  broadcastShapes,
  dimKey,
  multiplyDims,
  sameDim,
  sameShape,
  shapeKey,
  sizeOf,
  type Dim,
  type Shape,
} from './dim.js';
import type { Attributes, DType, Primitive } from './primitives.js';
import { operand } from './operand.js';
import type { Tensor, TensorType } from './tensor.js';

/** Shapes and types of the outputs; throws a RangeError when the operands do not fit. */
export type ShapeRule<K extends Primitive> = (
  inputs: readonly Tensor[],
  attributes: Attributes[K],
) => readonly TensorType[];

function one(shape: Shape, dtype: DType = 'float32'): readonly TensorType[] {
  return [{ shape, dtype }];
}

function sameAsFirst(inputs: readonly Tensor[]): readonly TensorType[] {
  const x = operand(inputs, 0);
  return one(x.shape, x.dtype);
}

function floats(inputs: readonly Tensor[]): readonly TensorType[] {
  const { dtype } = operand(inputs, 0);
  if (dtype !== 'float32') throw new RangeError(`expected a float32 operand, found ${dtype}`);
  return sameAsFirst(inputs);
}

function broadcast(inputs: readonly Tensor[], dtype?: DType): readonly TensorType[] {
  const a = operand(inputs, 0);
  const b = operand(inputs, 1);
  const own = sameType(inputs);
  return one(broadcastShapes(a.shape, b.shape), dtype ?? own);
}

function reduced(inputs: readonly Tensor[], { axes }: { axes: readonly number[] }): readonly TensorType[] {
  const x = operand(inputs, 0);
  for (const axis of axes) expectAxis(x.shape, axis);
  return one(
    x.shape.map((dim, k) => (axes.includes(k) ? 1 : dim)),
    x.dtype,
  );
}

function expectSame(what: string, expected: Dim, found: Dim): void {
  if (!sameDim(expected, found)) {
    throw new RangeError(`expected ${what} of size ${dimKey(expected)}, found ${dimKey(found)}`);
  }
}

function expectRank(tensor: Tensor, rank: number): void {
  if (tensor.shape.length !== rank) throw new RangeError(`expected rank ${rank}, found ${shapeKey(tensor.shape)}`);
}

function expectAxis(shape: Shape, axis: number): void {
  if (axis < 0) throw new RangeError(`expected an axis of ${shapeKey(shape)}, found ${axis}`);
  at(shape, axis);
}

/** Sizes that depend on symbols are known only when the graph runs. */
function expectAtLeastZero(what: string, dim: Dim): void {
  if (typeof dim === 'number' && !(dim >= 0)) throw new RangeError(`expected ${what} of at least 0, found ${dim}`);
}

function sameType(inputs: readonly Tensor[]): DType {
  const { dtype } = operand(inputs, 0);
  const other = inputs.find((x) => x.dtype !== dtype);
  if (other !== undefined) throw new RangeError(`expected operands of one type, found ${dtype} and ${other.dtype}`);
  return dtype;
}

function replaceAxis(shape: Shape, axis: number, dim: Dim): Shape {
  expectAxis(shape, axis);
  return shape.map((old, k) => (k === axis ? dim : old));
}

function swapLast(shape: Shape, swap: boolean): Shape {
  return swap ? [...shape.slice(0, -2), at(shape, -1), at(shape, -2)] : shape;
}

export const shapeRules: { readonly [K in Primitive]: ShapeRule<K> } = {
  input: (_, { shape, dtype }) => one(shape, dtype),
  parameter: (_, { shape }) => one(shape),
  constant: (_, { data, shape }) => {
    if (sizeOf(shape) !== data.length) throw new RangeError(`expected ${shapeKey(shape)}, found ${data.length} values`);
    return one(shape, data instanceof Float32Array ? 'float32' : data instanceof Int32Array ? 'int32' : 'bool');
  },
  range: (inputs, { axis }) => one([at(operand(inputs, 0).shape, axis)], 'int32'),

  neg: sameAsFirst,
  exp: floats,
  log: floats,
  sqrt: floats,
  reciprocal: floats,
  abs: sameAsFirst,
  erf: floats,
  tanh: floats,
  sigmoid: floats,
  gelu: floats,
  relu: floats,
  cast: (inputs, { to }) => one(operand(inputs, 0).shape, to),
  stopGradient: sameAsFirst,

  add: (inputs) => broadcast(inputs),
  sub: (inputs) => broadcast(inputs),
  mul: (inputs) => broadcast(inputs),
  div: (inputs) => broadcast(inputs),
  maximum: (inputs) => broadcast(inputs),
  equal: (inputs) => broadcast(inputs, 'bool'),
  less: (inputs) => broadcast(inputs, 'bool'),
  and: (inputs) => broadcast(inputs, 'bool'),
  where: (inputs) => {
    const a = operand(inputs, 1);
    const b = operand(inputs, 2);
    const condition = operand(inputs, 0);
    if (condition.dtype !== 'bool') throw new RangeError(`expected a bool condition, found ${condition.dtype}`);
    return one(broadcastShapes(condition.shape, broadcastShapes(a.shape, b.shape)), sameType([a, b]));
  },

  reduceSum: reduced,
  reduceMax: reduced,

  reshape: (inputs, { shape }) => {
    const x = operand(inputs, 0);
    if (!sameDim(sizeOf(x.shape), sizeOf(shape))) {
      throw new RangeError(`expected as many elements as ${shapeKey(x.shape)}, found ${shapeKey(shape)}`);
    }
    return one(shape, x.dtype);
  },
  transpose: (inputs, { permutation }) => {
    const x = operand(inputs, 0);
    if ([...permutation].sort((a, b) => a - b).join() !== [...x.shape.keys()].join()) {
      throw new RangeError(`expected a permutation of the axes of ${shapeKey(x.shape)}, found [${permutation.join()}]`);
    }
    return one(
      permutation.map((axis) => at(x.shape, axis)),
      x.dtype,
    );
  },
  expand: (inputs, { shape }) => {
    const x = operand(inputs, 0);
    if (!sameShape(broadcastShapes(x.shape, shape), shape)) {
      throw new RangeError(`expected a shape that broadcasts to ${shapeKey(shape)}, found ${shapeKey(x.shape)}`);
    }
    return one(shape, x.dtype);
  },
  concat: (inputs, { axis }) => {
    const first = operand(inputs, 0);
    const total = inputs.slice(1).reduce(
      (sum, x) => {
        expectRank(x, first.shape.length);
        x.shape.forEach((dim, k) => {
          if (k !== axis) expectSame(`axis ${k}`, at(first.shape, k), dim);
        });
        return addDims(sum, at(x.shape, axis));
      },
      at(first.shape, axis),
    );
    return one(replaceAxis(first.shape, axis, total), sameType(inputs));
  },
  slice: (inputs, { axis, start, size }) => {
    const x = operand(inputs, 0);
    expectAxis(x.shape, axis);
    expectAtLeastZero('a start', start);
    expectAtLeastZero('a size', size);
    const rest = addDims(at(x.shape, axis), multiplyDims(-1, addDims(start, size)));
    expectAtLeastZero(`elements after [${dimKey(start)}, ${dimKey(addDims(start, size))})`, rest);
    return one(replaceAxis(x.shape, axis, size), x.dtype);
  },
  pad: (inputs, { axis, before, after }) => {
    const x = operand(inputs, 0);
    expectAxis(x.shape, axis);
    expectAtLeastZero('padding', before);
    expectAtLeastZero('padding', after);
    return one(replaceAxis(x.shape, axis, addDims(addDims(at(x.shape, axis), before), after)), x.dtype);
  },

  gather: (inputs) => {
    const data = operand(inputs, 0);
    return one([...operand(inputs, 1).shape, ...data.shape.slice(1)], data.dtype);
  },
  scatterAdd: (inputs, { rows }) => {
    const updates = operand(inputs, 0);
    const indices = operand(inputs, 1);
    expectRank(indices, 1);
    expectSame('indices', at(updates.shape, 0), at(indices.shape, 0));
    return one([rows, ...updates.shape.slice(1)]);
  },
  segmentMax: (inputs, { segments }) => {
    const x = operand(inputs, 0);
    expectRank(x, 2);
    expectSame('segment ids', at(x.shape, 0), at(operand(inputs, 1).shape, 0));
    return one([segments, at(x.shape, 1)]);
  },

  matmul: (inputs, { transposeA, transposeB }) => {
    const a = swapLast(operand(inputs, 0).shape, transposeA);
    const b = swapLast(operand(inputs, 1).shape, transposeB);
    expectSame('inner axis', at(a, -1), at(b, -2));
    return one([...broadcastShapes(a.slice(0, -2), b.slice(0, -2)), at(a, -2), at(b, -1)]);
  },
  linear: (inputs) => {
    const x = operand(inputs, 0);
    const w = operand(inputs, 1);
    expectRank(w, 2);
    expectSame('last axis', at(w.shape, 1), at(x.shape, -1));
    expectSame('bias', at(w.shape, 0), at(operand(inputs, 2).shape, 0));
    return one([...x.shape.slice(0, -1), at(w.shape, 0)]);
  },

  softmax: floats,
  logSoftmax: floats,
  layerNorm: (inputs) => {
    const x = operand(inputs, 0);
    for (const k of [1, 2]) expectSame('gain and bias', at(x.shape, -1), at(operand(inputs, k).shape, 0));
    const statistics = { shape: [...x.shape.slice(0, -1), 1], dtype: x.dtype };
    return [{ shape: x.shape, dtype: x.dtype }, statistics, statistics];
  },

  lstm: (inputs) => {
    const x = operand(inputs, 0);
    expectRank(x, 3);
    const recurrent = operand(inputs, 2);
    const hidden = at(recurrent.shape, 1);
    expectSame('recurrent weights', multiplyDims(4, hidden), at(recurrent.shape, 0));
    expectSame('input weights', at(x.shape, 2), at(operand(inputs, 1).shape, 1));
    expectSame('lengths', at(x.shape, 1), at(operand(inputs, 5).shape, 0));
    return one([at(x.shape, 0), at(x.shape, 1), hidden]);
  },
  lstmCells: sameAsFirst,
  lstmBackward: (inputs) => one(operand(inputs, 3).shape),

  logScan: (inputs) => {
    const p = operand(inputs, 0);
    expectRank(p, 4);
    expectSame('states', at(p.shape, 2), at(p.shape, 3));
    return one(p.shape.slice(0, 3));
  },
  logScanBackward: sameAsFirst,

  depthwiseConv: (inputs) => {
    const x = operand(inputs, 0);
    const filters = operand(inputs, 1);
    const kernel = at(filters.shape, -1);
    expectRank(x, 4);
    if (typeof kernel !== 'number' || kernel % 2 === 0) throw new RangeError('expected filters of odd size');
    if (!sameShape(filters.shape, [at(x.shape, 1), 1, kernel, kernel])) {
      throw new RangeError(`expected one square filter a channel, found ${shapeKey(filters.shape)}`);
    }
    expectSame('bias', at(x.shape, 1), at(operand(inputs, 2).shape, 0));
    return one(x.shape);
  },
  depthwiseConvWeights: (inputs, { kernel }) => one([at(operand(inputs, 0).shape, 1), 1, kernel, kernel]),
  flipFilters: sameAsFirst,
};
