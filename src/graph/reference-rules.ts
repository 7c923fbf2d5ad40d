import { evaluateDim } from './dim.js';
import { operand } from './operand.js';
import type { Attributes, Primitive } from './primitives.js';

/** A concrete array of the reference: float64 values row-major (integers and booleans as numbers). */
export interface NdArray {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** What one primitive computes, in plain loops; with the tests' central differences the oracle of the engine. */
export type ReferenceRule<K extends Primitive> = (
  inputs: readonly NdArray[],
  attributes: Attributes[K],
  sizes: ReadonlyMap<string, number>,
) => readonly NdArray[];

export function sizeOfArray(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

function get(data: Float64Array, k: number): number {
  const value = data[k];
  if (value === undefined) throw new RangeError(`expected an element below ${data.length}, found ${k}`);
  return value;
}

function dimension(array: NdArray, axis: number): number {
  const size = array.shape.at(axis);
  if (size === undefined) throw new RangeError(`expected axis ${axis} of rank ${array.shape.length}`);
  return size;
}

/** Calls `f` with every multi-index of `shape`, in row-major order. */
function forEachIndex(shape: readonly number[], f: (index: readonly number[], flat: number) => void): void {
  const index = shape.map(() => 0);
  const count = sizeOfArray(shape);
  for (let flat = 0; flat < count; flat++) {
    f(index, flat);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis] = (index[axis] ?? 0) + 1;
      if ((index[axis] ?? 0) < (shape[axis] ?? 0)) break;
      index[axis] = 0;
    }
  }
}

function build(shape: readonly number[], value: (index: readonly number[]) => number): NdArray {
  const data = new Float64Array(sizeOfArray(shape));
  forEachIndex(shape, (index, flat) => (data[flat] = value(index)));
  return { shape, data };
}

/** The element of `array` at `index`, axes of size 1 broadcast and missing leading axes ignored. */
function pick(array: NdArray, index: readonly number[]): number {
  let flat = 0;
  const extra = index.length - array.shape.length;
  for (const [axis, size] of array.shape.entries()) flat = flat * size + (size === 1 ? 0 : (index[axis + extra] ?? 0));
  return get(array.data, flat);
}

function broadcast(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, k) => {
    const x = a[k - rank + a.length] ?? 1;
    const y = b[k - rank + b.length] ?? 1;
    return x === 1 ? y : x;
  });
}

const map =
  (f: (x: number) => number) =>
  (inputs: readonly NdArray[]): readonly NdArray[] => {
    const source = operand(inputs, 0);
    return [{ shape: source.shape, data: source.data.map(f) }];
  };

const zip =
  (f: (a: number, b: number) => number) =>
  (inputs: readonly NdArray[]): readonly NdArray[] => {
    const a = operand(inputs, 0);
    const b = operand(inputs, 1);
    return [build(broadcast(a.shape, b.shape), (index) => f(pick(a, index), pick(b, index)))];
  };

function reduce(x: NdArray, axes: readonly number[], initial: number, f: (a: number, b: number) => number): NdArray {
  const result = build(
    x.shape.map((size, k) => (axes.includes(k) ? 1 : size)),
    () => initial,
  );
  forEachIndex(x.shape, (index, flat) => {
    const target = result.shape.reduce((sum, size, axis) => sum * size + (size === 1 ? 0 : (index[axis] ?? 0)), 0);
    result.data[target] = f(get(result.data, target), get(x.data, flat));
  });
  return result;
}

function shifted(x: NdArray, shape: readonly number[], axis: number, offset: number): NdArray {
  const size = dimension(x, axis);
  return build(shape, (index) => {
    const position = (index[axis] ?? 0) + offset;
    if (position < 0 || position >= size) return 0;
    return pick(
      x,
      index.map((k, a) => (a === axis ? position : k)),
    );
  });
}

function matmul(a: NdArray, b: NdArray, transposeA: boolean, transposeB: boolean): NdArray {
  const [m, inner] = transposeA ? [dimension(a, -1), dimension(a, -2)] : [dimension(a, -2), dimension(a, -1)];
  const n = dimension(b, transposeB ? -2 : -1);
  return build([...broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2)), m, n], (index) => {
    const batch = index.slice(0, -2);
    const [i, j] = index.slice(-2) as [number, number];
    let sum = 0;
    for (let k = 0; k < inner; k++) {
      sum +=
        pick(a, [...batch, ...(transposeA ? [k, i] : [i, k])]) * pick(b, [...batch, ...(transposeB ? [j, k] : [k, j])]);
    }
    return sum;
  });
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** The error function by its series below 3 and its continued fraction above, to about 1e-15. */
export function erf(x: number): number {
  const z = Math.abs(x);
  if (z > 6) return Math.sign(x);
  if (z < 3) {
    let term = z;
    let sum = z;
    for (let n = 1; Math.abs(term) > 1e-17 * sum; n++) {
      term *= (-z * z) / n;
      sum += term / (2 * n + 1);
      if (n > 200) break;
    }
    return (Math.sign(x) * 2 * sum) / Math.sqrt(Math.PI);
  }
  let fraction = z;
  for (let n = 60; n > 0; n--) fraction = z + n / 2 / fraction;
  return Math.sign(x) * (1 - Math.exp(-z * z) / (Math.sqrt(Math.PI) * fraction));
}

/** Steps of time in the direction of a recurrence. */
function timeSteps(count: number, reverse: boolean): number[] {
  const steps = Array.from({ length: count }, (_, t) => t);
  return reverse ? steps.reverse() : steps;
}

export const referenceRules: { readonly [K in Primitive]: ReferenceRule<K> } = {
  input: (_, { name }) => {
    throw new RangeError(`expected a value for the input ${name}`);
  },
  parameter: (_, { name }) => {
    throw new RangeError(`expected a value for the parameter ${name}`);
  },
  constant: (_, { data, shape }) => [{ shape, data: Float64Array.from(data) }],
  range: (inputs, { axis }) => [build([dimension(operand(inputs, 0), axis)], ([k]) => k ?? 0)],

  neg: map((x) => -x),
  exp: map(Math.exp),
  log: map(Math.log),
  sqrt: map(Math.sqrt),
  reciprocal: map((x) => 1 / x),
  abs: map(Math.abs),
  erf: map(erf),
  tanh: map(Math.tanh),
  sigmoid: map(sigmoid),
  gelu: map((x) => (x * (1 + erf(x * Math.SQRT1_2))) / 2),
  relu: map((x) => Math.max(x, 0)),
  cast: (inputs, { to }) =>
    map(to === 'bool' ? (x) => Number(x !== 0) : to === 'float32' ? (x) => x : Math.trunc)(inputs),
  stopGradient: map((x) => x),

  add: zip((a, b) => a + b),
  sub: zip((a, b) => a - b),
  mul: zip((a, b) => a * b),
  div: zip((a, b) => a / b),
  maximum: zip(Math.max),
  equal: zip((a, b) => Number(a === b)),
  less: zip((a, b) => Number(a < b)),
  and: zip((a, b) => Number(a !== 0 && b !== 0)),
  where: (inputs) => {
    const [condition, a, b] = [operand(inputs, 0), operand(inputs, 1), operand(inputs, 2)];
    const shape = broadcast(condition.shape, broadcast(a.shape, b.shape));
    return [build(shape, (index) => (pick(condition, index) !== 0 ? pick(a, index) : pick(b, index)))];
  },

  reduceSum: (inputs, { axes }) => [reduce(operand(inputs, 0), axes, 0, (a, b) => a + b)],
  reduceMax: (inputs, { axes }) => [reduce(operand(inputs, 0), axes, -Infinity, Math.max)],

  reshape: (inputs, { shape }, sizes) => [
    { shape: shape.map((dim) => evaluateDim(dim, sizes)), data: operand(inputs, 0).data },
  ],
  transpose: (inputs, { permutation }) => {
    const x = operand(inputs, 0);
    return [
      build(
        permutation.map((axis) => dimension(x, axis)),
        (index) =>
          pick(
            x,
            permutation.map((_, axis) => index[permutation.indexOf(axis)] ?? 0),
          ),
      ),
    ];
  },
  expand: (inputs, { shape }, sizes) => {
    const x = operand(inputs, 0);
    return [
      build(
        shape.map((dim) => evaluateDim(dim, sizes)),
        (index) => pick(x, index),
      ),
    ];
  },
  concat: (inputs, { axis }) => {
    const first = operand(inputs, 0);
    const size = inputs.reduce((sum, x) => sum + dimension(x, axis), 0);
    return [
      build(
        first.shape.map((n, k) => (k === axis ? size : n)),
        (index) => {
          let position = index[axis] ?? 0;
          for (const x of inputs) {
            if (position < dimension(x, axis)) {
              const p = position;
              return pick(
                x,
                index.map((k, a) => (a === axis ? p : k)),
              );
            }
            position -= dimension(x, axis);
          }
          return missing();
        },
      ),
    ];
  },
  slice: (inputs, { axis, start, size }, sizes) => {
    const x = operand(inputs, 0);
    const shape = x.shape.map((n, k) => (k === axis ? evaluateDim(size, sizes) : n));
    return [shifted(x, shape, axis, evaluateDim(start, sizes))];
  },
  pad: (inputs, { axis, before, after }, sizes) => {
    const x = operand(inputs, 0);
    const extra = evaluateDim(before, sizes) + evaluateDim(after, sizes);
    const shape = x.shape.map((n, k) => (k === axis ? n + extra : n));
    return [shifted(x, shape, axis, -evaluateDim(before, sizes))];
  },

  gather: (inputs) => {
    const [data, indices] = [operand(inputs, 0), operand(inputs, 1)];
    const rank = indices.shape.length;
    return [
      build([...indices.shape, ...data.shape.slice(1)], (index) =>
        pick(data, [pick(indices, index.slice(0, rank)), ...index.slice(rank)]),
      ),
    ];
  },
  scatterAdd: (inputs, { rows }, sizes) => {
    const [updates, indices] = [operand(inputs, 0), operand(inputs, 1)];
    const result = build([evaluateDim(rows, sizes), ...updates.shape.slice(1)], () => 0);
    const width = sizeOfArray(updates.shape.slice(1));
    updates.data.forEach((value, k) => {
      const target = get(indices.data, Math.floor(k / width)) * width + (k % width);
      result.data[target] = get(result.data, target) + value;
    });
    return [result];
  },
  segmentMax: (inputs, { segments }, sizes) => {
    const [x, ids] = [operand(inputs, 0), operand(inputs, 1)];
    const width = dimension(x, 1);
    const result = build([evaluateDim(segments, sizes), width], () => -Infinity);
    x.data.forEach((value, k) => {
      const target = get(ids.data, Math.floor(k / width)) * width + (k % width);
      result.data[target] = Math.max(get(result.data, target), value);
    });
    return [{ shape: result.shape, data: result.data.map((value) => (value === -Infinity ? 0 : value)) }];
  },

  matmul: (inputs, { transposeA, transposeB }) => [
    matmul(operand(inputs, 0), operand(inputs, 1), transposeA, transposeB),
  ],
  linear: (inputs) => {
    const [x, weight, bias] = [operand(inputs, 0), operand(inputs, 1), operand(inputs, 2)];
    return zip((a, b) => a + b)([linearProduct(x, weight), bias]);
  },

  softmax: (inputs) => [softmax(operand(inputs, 0))],
  logSoftmax: (inputs) => {
    const x = operand(inputs, 0);
    const axes = [x.shape.length - 1];
    const [centred] = zip((a, b) => a - b)([x, reduce(x, axes, -Infinity, Math.max)]);
    const powers = reduce(centred ?? missing(), axes, 0, (sum, value) => sum + Math.exp(value));
    return zip((a, sum) => a - Math.log(sum))([centred ?? missing(), powers]);
  },
  layerNorm: (inputs, { epsilon }) => {
    const [x, gamma, beta] = [operand(inputs, 0), operand(inputs, 1), operand(inputs, 2)];
    const axis = x.shape.length - 1;
    const width = dimension(x, axis);
    const [mean] = map((sum) => sum / width)([reduce(x, [axis], 0, (a, b) => a + b)]);
    const [centred] = zip((a, b) => a - b)([x, mean ?? missing()]);
    const squares = reduce(centred ?? missing(), [axis], 0, (a, b) => a + b * b);
    const [deviation] = map((sum) => 1 / Math.sqrt(sum / width + epsilon))([squares]);
    const [normalised] = zip((a, b) => a * b)([centred ?? missing(), deviation ?? missing()]);
    const [scaled] = zip((a, b) => a * b)([normalised ?? missing(), gamma]);
    const [y] = zip((a, b) => a + b)([scaled ?? missing(), beta]);
    return [y ?? missing(), mean ?? missing(), deviation ?? missing()];
  },

  lstm: (inputs, { reverse }) => {
    const [x, wx, wh, bx, bh, lengths] = [0, 1, 2, 3, 4, 5].map((k) => operand(inputs, k)) as [
      NdArray,
      NdArray,
      NdArray,
      NdArray,
      NdArray,
      NdArray,
    ];
    const [steps, batch] = [dimension(x, 0), dimension(x, 1)];
    const hidden = dimension(wh, 1);
    const y = build([steps, batch, hidden], () => 0);
    for (let b = 0; b < batch; b++) {
      let h = new Float64Array(hidden);
      let c = new Float64Array(hidden);
      for (const t of timeSteps(get(lengths.data, b), reverse)) {
        const gate = (k: number): number => {
          let sum = get(bx.data, k) + get(bh.data, k);
          for (let d = 0; d < dimension(x, 2); d++) sum += pick(wx, [k, d]) * pick(x, [t, b, d]);
          for (let d = 0; d < hidden; d++) sum += pick(wh, [k, d]) * get(h, d);
          return sum;
        };
        const previous = c;
        c = c.map(
          (_, k) => sigmoid(gate(hidden + k)) * get(previous, k) + sigmoid(gate(k)) * Math.tanh(gate(2 * hidden + k)),
        );
        const cells = c;
        h = h.map((_, k) => sigmoid(gate(3 * hidden + k)) * Math.tanh(get(cells, k)));
        y.data.set(h, (t * batch + b) * hidden);
      }
    }
    return [y];
  },
  lstmCells: (inputs, { reverse }) => {
    const [f, u] = [operand(inputs, 0), operand(inputs, 1)];
    const c = build(f.shape, () => 0);
    const width = dimension(f, 1) * dimension(f, 2);
    let state = new Float64Array(width);
    for (const t of timeSteps(dimension(f, 0), reverse)) {
      state = state.map((value, k) => get(f.data, t * width + k) * value + get(u.data, t * width + k));
      c.data.set(state, t * width);
    }
    return [c];
  },
  lstmBackward: (inputs, { reverse }) => {
    const [dy, outside, f, k, wh] = [0, 1, 2, 3, 4].map((n) => operand(inputs, n)) as [
      NdArray,
      NdArray,
      NdArray,
      NdArray,
      NdArray,
    ];
    const [batch, hidden] = [dimension(dy, 1), dimension(dy, 2)];
    const width = batch * hidden;
    const gates = build(k.shape, () => 0);
    let dh: Float64Array = new Float64Array(width);
    let dc: Float64Array = new Float64Array(width);
    for (const t of timeSteps(dimension(dy, 0), !reverse)) {
      dh = dh.map((value, n) => value + get(dy.data, t * width + n));
      const dhNow = dh;
      dc = dc.map((value, n) => value + get(dhNow, n) * get(outside.data, t * width + n));
      const dcNow = dc;
      const step = build([batch, 4 * hidden], ([b = 0, column = 0]) => {
        const n = b * hidden + (column % hidden);
        return get(column < 3 * hidden ? dcNow : dhNow, n) * pick(k, [t, b, column]);
      });
      gates.data.set(step.data, t * 4 * width);
      dc = dc.map((value, n) => value * get(f.data, t * width + n));
      dh = matmul(step, wh, false, false).data;
    }
    return [gates];
  },

  logScan: (inputs) => {
    const p = operand(inputs, 0);
    const [steps, chains, states] = [dimension(p, 0), dimension(p, 1), dimension(p, 2)];
    const y = build([steps, chains, states], () => 0);
    for (let t = 0; t < steps; t++) {
      const row = build([chains, states], ([m = 0, j = 0]) => {
        const terms = Array.from(
          { length: states },
          (_, i) => (t === 0 ? 0 : pick(y, [t - 1, m, i])) + pick(p, [t, m, i, j]),
        );
        const largest = Math.max(...terms);
        return largest + Math.log(terms.reduce((sum, term) => sum + Math.exp(term - largest), 0));
      });
      y.data.set(row.data, t * chains * states);
    }
    return [y];
  },
  logScanBackward: (inputs) => {
    const [dy, w] = [operand(inputs, 0), operand(inputs, 1)];
    const [steps, chains, states] = [dimension(dy, 0), dimension(dy, 1), dimension(dy, 2)];
    const g = build(dy.shape, () => 0);
    for (let t = steps - 1; t >= 0; t--) {
      const row = build([chains, states], ([m = 0, i = 0]) => {
        let sum = pick(dy, [t, m, i]);
        for (let j = 0; t + 1 < steps && j < states; j++) sum += pick(w, [t + 1, m, i, j]) * pick(g, [t + 1, m, j]);
        return sum;
      });
      g.data.set(row.data, t * chains * states);
    }
    return [g];
  },

  depthwiseConv: (inputs, { dilation }) => {
    const [x, filters, bias] = [operand(inputs, 0), operand(inputs, 1), operand(inputs, 2)];
    const kernel = dimension(filters, 2);
    const padding = ((kernel - 1) / 2) * dilation;
    return [
      build(x.shape, ([b = 0, c = 0, i = 0, j = 0]) => {
        let sum = get(bias.data, c);
        for (let m = 0; m < kernel; m++) {
          for (let n = 0; n < kernel; n++) {
            const [row, column] = [i + m * dilation - padding, j + n * dilation - padding];
            if (row < 0 || column < 0 || row >= dimension(x, 2) || column >= dimension(x, 3)) continue;
            sum += pick(filters, [c, 0, m, n]) * pick(x, [b, c, row, column]);
          }
        }
        return sum;
      }),
    ];
  },
  depthwiseConvWeights: (inputs, { kernel, dilation }) => {
    const [x, dy] = [operand(inputs, 0), operand(inputs, 1)];
    const padding = ((kernel - 1) / 2) * dilation;
    return [
      build([dimension(x, 1), 1, kernel, kernel], ([c = 0, , m = 0, n = 0]) => {
        let sum = 0;
        forEachIndex(x.shape, (index, flat) => {
          const [b = 0, channel = 0, row = 0, column = 0] = index;
          if (channel !== c) return;
          const [i, j] = [row - m * dilation + padding, column - n * dilation + padding];
          if (i < 0 || j < 0 || i >= dimension(x, 2) || j >= dimension(x, 3)) return;
          sum += get(x.data, flat) * pick(dy, [b, c, i, j]);
        });
        return sum;
      }),
    ];
  },
  flipFilters: (inputs) => {
    const filters = operand(inputs, 0);
    const kernel = dimension(filters, 2);
    return [build(filters.shape, ([c = 0, , m = 0, n = 0]) => pick(filters, [c, 0, kernel - 1 - m, kernel - 1 - n]))];
  },
};

function softmax(x: NdArray): NdArray {
  const axis = x.shape.length - 1;
  const [shiftedValues] = zip((a, b) => Math.exp(a - b))([x, reduce(x, [axis], -Infinity, Math.max)]);
  const powers = shiftedValues ?? missing();
  const [result] = zip((a, b) => a / b)([powers, reduce(powers, [axis], 0, (a, b) => a + b)]);
  return result ?? missing();
}

function linearProduct(x: NdArray, weight: NdArray): NdArray {
  const [outputs, inner] = [dimension(weight, 0), dimension(weight, 1)];
  return build([...x.shape.slice(0, -1), outputs], (index) => {
    const leading = index.slice(0, -1);
    let sum = 0;
    for (let k = 0; k < inner; k++) sum += pick(x, [...leading, k]) * pick(weight, [index.at(-1) ?? 0, k]);
    return sum;
  });
}

function missing(): never {
  throw new RangeError('expected an operand');
}
