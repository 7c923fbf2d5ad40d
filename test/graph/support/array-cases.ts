import { addDims, multiplyDims } from '../../../src/graph/index.js';
import { b, bool, float, int, n, standardSizes, use, type Cases } from './case.js';
import { below, between, distinct, given, unrepeated } from './random.js';

type Kinds =
  | 'input'
  | 'parameter'
  | 'constant'
  | 'range'
  | 'reduceSum'
  | 'reduceMax'
  | 'reshape'
  | 'transpose'
  | 'expand'
  | 'concat'
  | 'slice'
  | 'pad'
  | 'gather'
  | 'scatterAdd'
  | 'segmentMax';

const longer = standardSizes.map((sizes) => ({ ...sizes, n: (sizes['n'] ?? 0) + 3 }));
const afterFirst = addDims(n, -1);

export const arrayCases: Pick<Cases, Kinds> = {
  input: [
    use('float32', [], { name: 'fed', dtype: 'float32', shape: [n, 3] }),
    use('a scalar', [], { name: 'fed', dtype: 'float32', shape: [] }),
  ],
  parameter: [use('a matrix', [], { name: 'weights', shape: [3, 2] }), use('a scalar', [], { name: 'x', shape: [] })],
  constant: [
    use('a scalar', [], { data: Float32Array.of(2.5), shape: [] }),
    use('float32', [], { data: Float32Array.of(1, -2, 3.5, 4, -5, 0), shape: [2, 3] }),
    use('int32', [], { data: Int32Array.of(3, -1), shape: [2] }),
    use('bool', [], { data: Uint8Array.of(0, 1, 1), shape: [3, 1] }),
    use('more than 64 values', [], { data: Float32Array.from({ length: 100 }, (_, k) => k / 7), shape: [4, 25] }),
  ],
  range: [
    use('a symbolic axis', [float([b, n])], { axis: 1 }),
    use('a fixed axis', [int([3, n], below(5))], { axis: 0 }),
    use('of a computed size', [float([addDims(multiplyDims(2, n), 1), b, n])], { axis: 0 }),
  ],

  reduceSum: [
    use('the last axis', [float([n, 3])], { axes: [1] }),
    use('a symbolic axis', [float([n, b, 3])], { axes: [0] }),
    use('several axes', [float([n, b, 3])], { axes: [0, 2] }),
    use('all axes', [float([n, b, 3])], { axes: [0, 1, 2] }),
    use('an axis of size 1', [float([n, 1, 3])], { axes: [1] }),
    use('int32', [int([n, b], below(9))], { axes: [0] }),
  ],
  reduceMax: [
    use('the last axis', [float([n, 3], distinct())], { axes: [1] }),
    use('a symbolic axis', [float([b, n, 3], distinct())], { axes: [1] }),
    use('several axes', [float([b, n, 3], distinct())], { axes: [0, 2] }),
    use('negative values only', [float([b, n], between(-3, -1))], { axes: [1] }),
  ],

  reshape: [
    use('flatten', [float([b, n, 3])], { shape: [multiplyDims(b, n), 3] }),
    use('unflatten', [float([multiplyDims(b, n), 6])], { shape: [b, n, 2, 3] }),
    use('several symbols move', [float([b, n, 6])], { shape: [3, n, b, 2] }),
    use('all at once', [float([b, multiplyDims(n, 2), 3])], { shape: [n, 3, multiplyDims(b, 2)] }),
    use('to one axis', [float([b, n, 3])], { shape: [multiplyDims(b, n, 3)] }),
    use('new axes of size 1', [float([b, n])], { shape: [b, 1, n, 1] }),
    use('to a scalar', [float([1, 1])], { shape: [] }),
    use('from a scalar', [float([])], { shape: [1, 1, 1] }),
    use('int32', [int([b, n], below(9))], { shape: [n, b] }),
  ],
  transpose: [
    use('a matrix', [float([n, 3])], { permutation: [1, 0] }),
    use('a cycle of three axes', [float([n, b, 3])], { permutation: [2, 0, 1] }),
    use('heads', [float([b, n, 2, 3])], { permutation: [0, 2, 1, 3] }),
    use('bool', [bool([n, b])], { permutation: [1, 0] }),
  ],
  expand: [
    use('a scalar', [float([])], { shape: [n, 3] }),
    use('a row', [float([3])], { shape: [b, n, 3] }),
    use('a column', [float([n, 1])], { shape: [n, b] }),
    use('in the middle', [float([b, 1, 3])], { shape: [b, addDims(n, 2), 3] }),
    use('int32', [int([1], below(5))], { shape: [n] }),
  ],
  concat: [
    use('rows', [float([n, 3]), float([b, 3]), float([2, 3])], { axis: 0 }),
    use('columns', [float([n, 3]), float([n, 1])], { axis: 1 }),
    use('the middle axis', [float([b, 11, 2]), float([b, n, 2])], { axis: 1 }),
    use('one operand', [float([n, 3])], { axis: 0 }),
  ],
  slice: [
    use('a fixed part', [float([5, n])], { axis: 0, start: 1, size: 3 }),
    use('to the end', [float([n, 5])], { axis: 1, start: 3, size: 2 }),
    use('from a symbol on', [float([addDims(n, 2), b])], { axis: 0, start: n, size: 2 }),
    use('a symbolic part', [float([addDims(n, 11), b])], { axis: 0, start: 11, size: n }),
    use('all but the last', [float([b, n, 2])], { axis: 1, start: 0, size: afterFirst }),
    use('all but the first', [float([b, n, 2])], { axis: 1, start: 1, size: afterFirst }),
    use('a product as the offset', [float([multiplyDims(2, b, n)])], {
      axis: 0,
      start: multiplyDims(b, n),
      size: multiplyDims(b, n),
    }),
    use('a symbolic length of a table', [float([16, 3])], { axis: 0, start: 0, size: n }),
    use('three from the end', [float([n, 2])], { axis: 0, start: addDims(n, -3), size: 3 }, longer),
  ],
  pad: [
    use('before', [float([n, 3])], { axis: 0, before: 2, after: 0 }),
    use('after', [float([n, 3])], { axis: 1, before: 0, after: 1 }),
    use('both sides', [float([b, n, 2])], { axis: 1, before: 1, after: 3 }),
    use('by symbols', [float([n, 2])], { axis: 0, before: b, after: addDims(multiplyDims(2, n), -1) }),
    use('by nothing where a symbol is 1', [float([n, 2])], { axis: 0, before: afterFirst, after: 0 }),
  ],

  gather: [
    use('rows', [float([7, 3]), int([n], below(7))], { unique: false }),
    use('rows of a batch', [float([7, 3]), int([b, n], below(7))], { unique: false }),
    use('one row many times', [float([4, 3]), int([n], given(2))], { unique: false }),
    use('from a symbolic number of rows', [float([n, 2, 3]), int([b], below('n'))], { unique: false }),
    use('numbers', [float([9]), int([n, 2], below(9))], { unique: false }),
    use('rows of which none repeats', [float([8, 3]), int([n], unrepeated(8))], { unique: true }),
    use('a batch of which none repeats', [float([8, 3]), int([n], unrepeated('n'))], { unique: true }, longer.slice(1)),
    use('a scalar index', [float([4, 3]), int([], below(4))], { unique: false }),
  ],
  scatterAdd: [
    use('rows, repeated', [float([n, 3]), int([n], below(2))], { rows: 4, unique: false }),
    use('to a symbolic number of rows', [float([multiplyDims(b, n), 2]), int([multiplyDims(b, n)], below('n'))], {
      rows: n,
      unique: false,
    }),
    use('matrices', [float([n, 2, 3]), int([n], below(3))], { rows: 3, unique: false }),
    use('numbers', [float([n]), int([n], below(3))], { rows: 3, unique: false }),
    use('unrepeated rows', [float([n, 3]), int([n], unrepeated(8))], { rows: 8, unique: true }),
    use('unrepeated numbers', [float([n]), int([n], unrepeated('n'))], { rows: n, unique: true }),
  ],
  segmentMax: [
    use('segments of any length', [float([multiplyDims(b, n), 3], distinct()), int([multiplyDims(b, n)], below('n'))], {
      segments: n,
    }),
    use('a segment without rows', [float([n, 2], distinct(-9)), int([n], given(0, 2))], { segments: 4 }),
    use('one segment a row', [float([n, 2], distinct()), int([n], unrepeated('n'))], { segments: n }),
  ],
};
