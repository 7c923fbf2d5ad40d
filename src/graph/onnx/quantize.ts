/**
 * 8-bit quantisation for inference: weights of large products become int8 with one scale for each output, activations
 * are quantised to uint8 when the graph runs; tables that are read by rows become int8 with one scale for each row. The
 * scale of activations never depends on what else goes through the graph, so that a text has the same entities alone and
 * among others: it is that of the range which they had on a sample of text ({@link ActivationRanges}), and after GELU,
 * where a few rows (word pieces) have far larger values than all others, each row's own. Weights use 7 bits, so that no
 * processor's 16-bit intermediate sums can saturate (AVX2 without VNNI adds two products of uint8 and int8 in 16 bits).
 */
import { topologicalOrder } from '../gradient.js';
import { operand } from '../operand.js';
import { simplify } from '../simplify.js';
import type { Op, OpOf, Tensor } from '../tensor.js';
import type { OnnxBuilder } from './builder.js';

/** Smaller weights stay float32: quantising their activations costs more than it saves. */
const MINIMUM_ELEMENTS = 3 * 2 ** 14;
/** Largest integer of a weight that is multiplied, and of one that is only read. */
const [PRODUCT_LEVELS, TABLE_LEVELS] = [63, 127];
/** Largest value of uint8. */
const ACTIVATION_LEVELS = 255;
/** GELU has no value below -GELU_DEPTH; rows whose largest value is below GELU_LEAST are quantised as if it were that. */
const [GELU_DEPTH, GELU_LEAST] = [0.17, 1.7];
const CAST_TO_FLOAT = 1;

export const MICROSOFT_DOMAIN = 'com.microsoft';

interface Matrix {
  /** Of the parameter, with the first column where it is a slice. */
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  readonly data: Float32Array;
}

/** The matrix behind a parameter with a known value, or behind a slice of one. */
function knownMatrix(x: Tensor, values: ReadonlyMap<string, Float32Array>): Matrix | undefined {
  const [rows, columns] = x.shape;
  if (x.shape.length !== 2 || typeof rows !== 'number' || typeof columns !== 'number') return undefined;
  if (x.op.kind === 'parameter') {
    const data = values.get(x.op.attributes.name);
    return data === undefined ? undefined : { name: x.op.attributes.name, rows, columns, data };
  }
  if (x.op.kind === 'slice' && x.op.attributes.axis === 1 && typeof x.op.attributes.start === 'number') {
    const whole = knownMatrix(operand(x.op.inputs, 0), values);
    if (whole === undefined) return undefined;
    const data = new Float32Array(rows * columns);
    for (let row = 0; row < rows; row++) {
      const from = row * whole.columns + x.op.attributes.start;
      data.set(whole.data.subarray(from, from + columns), row * columns);
    }
    return { name: `${whole.name}[${x.op.attributes.start}]`, rows, columns, data };
  }
  return undefined;
}

/** Symmetric quantisation of each row to -levels .. levels: int8 values [rows, columns] and scales [rows]. */
function quantizeRows({ rows, columns, data }: Matrix, levels: number): { values: Int8Array; scales: Float32Array } {
  const values = new Int8Array(rows * columns);
  const scales = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const cells = data.subarray(row * columns, (row + 1) * columns);
    const scale = cells.reduce((largest, x) => Math.max(largest, Math.abs(x)), 0) / levels || 1;
    scales[row] = scale;
    for (const [column, x] of cells.entries()) values[row * columns + column] = Math.round(x / scale);
  }
  return { values, scales };
}

function transposed(values: Int8Array, rows: number, columns: number): Int8Array {
  const result = new Int8Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      result[column * rows + row] = values[row * columns + column] ?? 0;
    }
  }
  return result;
}

/** The least and the largest value that the activations of each quantised product have, by the product's weights. */
export type ActivationRanges = Readonly<Record<string, readonly [least: number, largest: number]>>;

/** The weights of a product that is quantised; undefined for one that stays as it is. */
function largeWeights(op: OpOf<'linear'>, values: ReadonlyMap<string, Float32Array>): Matrix | undefined {
  const matrix = knownMatrix(operand(op.inputs, 1), values);
  return matrix === undefined || matrix.data.length < MINIMUM_ELEMENTS ? undefined : matrix;
}

/**
 * The activations whose ranges a quantised graph of these outputs needs, by the names that {@link ActivationRanges} has.
 */
export function quantizedActivations(
  outputs: readonly Tensor[],
  values: ReadonlyMap<string, Float32Array>,
): Map<string, Tensor> {
  const found = new Map<string, Tensor>();
  for (const op of topologicalOrder(simplify(outputs))) {
    if (op.kind !== 'linear') continue;
    const weights = largeWeights(op, values);
    const activations = operand(op.inputs, 0);
    if (weights !== undefined && activations.op.kind !== 'gelu') found.set(weights.name, activations);
  }
  return found;
}

/** Names of an array in uint8 and of what its levels mean: scale x (cell - zero). */
interface QuantizedInput {
  readonly cells: string;
  readonly scale: string;
  readonly zero: string;
}

/** x in uint8 at one scale for all that ever goes through the graph; what is beyond the range becomes its end. */
function quantizedByRange(
  x: string,
  [least, largest]: readonly [number, number],
  builder: OnnxBuilder,
): QuantizedInput {
  const [low, high] = [Math.min(0, least), Math.max(0, largest)];
  const step = (high - low) / ACTIVATION_LEVELS || 1;
  const [scale, zero] = [builder.float(step), builder.byte(Math.round(-low / step))];
  const cells = builder.once(`quantize ${x} ${scale} ${zero}`, () => builder.emit('QuantizeLinear', [x, scale, zero]));
  return { cells, scale, zero };
}

/** The quantised form of an operation, or undefined where it stays as it is. */
export function lowerQuantized(
  op: Op,
  inputs: readonly string[],
  values: ReadonlyMap<string, Float32Array>,
  ranges: ActivationRanges,
  builder: OnnxBuilder,
): string | undefined {
  if (op.kind === 'linear') {
    const matrix = largeWeights(op, values);
    if (matrix === undefined) return undefined;
    const { name, rows, columns } = matrix;
    const quantized = quantizeRows(matrix, PRODUCT_LEVELS);
    const weight = builder.initializer('int8', [columns, rows], transposed(quantized.values, rows, columns));
    const scales = builder.initializer('float32', [rows], quantized.scales);
    const product = ({ cells, scale, zero }: QuantizedInput, ...bias: string[]): string =>
      operand(
        builder.emitAll(
          'MatMulIntegerToFloat',
          [cells, weight, scale, scales, zero, '', ...bias],
          {},
          1,
          MICROSOFT_DOMAIN,
        ),
        0,
      );
    const [x, bias] = [operand(inputs, 0), operand(inputs, 2)];
    if (operand(op.inputs, 0).op.kind !== 'gelu') {
      const range = ranges[name];
      if (range === undefined) throw new RangeError(`expected the range of the activations of ${name}, found none`);
      return product(quantizedByRange(x, range, builder), bias);
    }
    const largest = builder.emit('ReduceMax', [x, builder.ints(-1)], { keepdims: 1 });
    const norm = builder.emit('Max', [largest, builder.float(GELU_LEAST)]);
    const relative = builder.emit('Div', [x, norm]);
    const scaled = product(quantizedByRange(relative, [-GELU_DEPTH / GELU_LEAST, 1], builder));
    return builder.emit('Add', [builder.emit('Mul', [scaled, norm]), bias]);
  }
  if (op.kind === 'gather') {
    const matrix = knownMatrix(operand(op.inputs, 0), values);
    if (matrix === undefined || matrix.data.length < MINIMUM_ELEMENTS) return undefined;
    const { rows, columns } = matrix;
    const quantized = quantizeRows(matrix, TABLE_LEVELS);
    const table = builder.initializer('int8', [rows, columns], quantized.values);
    const scales = builder.initializer('float32', [rows, 1], quantized.scales);
    const indices = operand(inputs, 1);
    const cells = builder.emit('Cast', [builder.emit('Gather', [table, indices])], { to: CAST_TO_FLOAT });
    return builder.emit('Mul', [cells, builder.emit('Gather', [scales, indices])]);
  }
  return undefined;
}
