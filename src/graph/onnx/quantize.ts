/**
 * Dynamic 8-bit quantisation for inference: weights of large products become int8 with one scale for each output,
 * activations are quantised to uint8 when the graph runs; tables that are read by rows become int8 with one scale for
 * each row. In the largest products each row of activations (a word piece) is divided by its largest value before and
 * multiplied by it after, so that the few rows of very large values do not take the levels of all others; but not after
 * a layer normalisation, whose rows are of like size. Weights use 7 bits, so that no processor's 16-bit intermediate
 * sums can saturate (AVX2 without VNNI adds two products of uint8 and int8 in 16 bits).
 */
import { operand } from '../operand.js';
import type { Op, Tensor } from '../tensor.js';
import type { OnnxBuilder } from './builder.js';

/** Smaller weights stay float32: quantising their activations costs more than it saves. */
const MINIMUM_ELEMENTS = 3 * 2 ** 14;
/** Largest integer of a weight that is multiplied, and of one that is only read. */
const [PRODUCT_LEVELS, TABLE_LEVELS] = [63, 127];
/** From this size on (the feed-forward layers of an encoder) scaling each row costs little against the product. */
const ROW_SCALES = 2 ** 19;
/** No value of GELU is below its negative. */
const GELU_DEPTH = 0.17;
const CAST_TO_FLOAT = 1;

export const MICROSOFT_DOMAIN = 'com.microsoft';

interface Matrix {
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
    return data === undefined ? undefined : { rows, columns, data };
  }
  if (x.op.kind === 'slice' && x.op.attributes.axis === 1 && typeof x.op.attributes.start === 'number') {
    const whole = knownMatrix(operand(x.op.inputs, 0), values);
    if (whole === undefined) return undefined;
    const data = new Float32Array(rows * columns);
    for (let row = 0; row < rows; row++) {
      const from = row * whole.columns + x.op.attributes.start;
      data.set(whole.data.subarray(from, from + columns), row * columns);
    }
    return { rows, columns, data };
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

/** The quantised form of an operation, or undefined where it stays as it is. */
export function lowerQuantized(
  op: Op,
  inputs: readonly string[],
  values: ReadonlyMap<string, Float32Array>,
  builder: OnnxBuilder,
): string | undefined {
  if (op.kind === 'linear') {
    const matrix = knownMatrix(operand(op.inputs, 1), values);
    if (matrix === undefined || matrix.data.length < MINIMUM_ELEMENTS) return undefined;
    const { rows, columns } = matrix;
    const quantized = quantizeRows(matrix, PRODUCT_LEVELS);
    const weight = builder.initializer('int8', [columns, rows], transposed(quantized.values, rows, columns));
    const scales = builder.initializer('float32', [rows], quantized.scales);
    const product = (x: string, ...bias: string[]): string =>
      operand(builder.emitAll('DynamicQuantizeMatMul', [x, weight, scales, ...bias], {}, 1, MICROSOFT_DOMAIN), 0);
    const [x, bias] = [operand(inputs, 0), operand(inputs, 2)];
    const source = operand(op.inputs, 0).op.kind;
    if (matrix.data.length < ROW_SCALES || source === 'layerNorm') return product(x, '', bias);
    const [sizes, least] = source === 'gelu' ? [x, GELU_DEPTH] : [builder.emit('Abs', [x]), 1e-6];
    const largest = builder.emit('ReduceMax', [sizes, builder.ints(-1)], { keepdims: 1 });
    const norm = builder.emit('Max', [largest, builder.float(least)]);
    const scaled = builder.emit('Mul', [product(builder.emit('Div', [x, norm])), norm]);
    return builder.emit('Add', [scaled, bias]);
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
