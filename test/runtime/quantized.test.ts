import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ops, symbol, toOnnx } from '../../src/graph/index.js';
import { nodeRuntime } from '../../src/runtime/node.js';
import type { Session, Value } from '../../src/runtime/index.js';

const [INPUTS, OUTPUTS, ROWS] = [64, 96, 5];
/** Numbers from -1 to 1 without a pattern. */
const noise = (length: number, seed: number): Float32Array =>
  Float32Array.from({ length }, (_, k) => (Math.sin((k + 1) * 12.9898 + seed) * 43758.5453) % 1);

const weight = noise(OUTPUTS * INPUTS, 1.37);
const bias = noise(OUTPUTS, 0.71);
const values = new Map([
  ['weight', weight],
  ['bias', bias],
]);

function model(dims: readonly (ReturnType<typeof symbol> | number)[]): Uint8Array {
  const x = ops.input('x', 'float32', [...dims, INPUTS]);
  const y = ops.linear(x, ops.parameter('weight', [OUTPUTS, INPUTS]), ops.parameter('bias', [OUTPUTS]));
  return toOnnx({ y }, { parameters: values, quantize: true });
}

function exact(x: Float32Array, row: number): Float64Array {
  return Float64Array.from({ length: OUTPUTS }, (_, k) => {
    let sum = bias[k] ?? NaN;
    for (let j = 0; j < INPUTS; j++) sum += (x[row * INPUTS + j] ?? NaN) * (weight[k * INPUTS + j] ?? NaN);
    return sum;
  });
}

/** Root mean square of the difference from the exact product, relative to that of the product. */
function error(x: Float32Array, y: Float32Array, row: number): number {
  const expected = exact(x, row);
  const squares = (of: (k: number) => number): number => expected.reduce((sum, _value, k) => sum + of(k) ** 2, 0);
  const difference = squares((k) => (y[row * OUTPUTS + k] ?? NaN) - (expected[k] ?? NaN));
  return Math.sqrt(difference / squares((k) => expected[k] ?? NaN));
}

describe('8-bit products', () => {
  let rows: Session;
  let cells: Session;

  beforeAll(async () => {
    rows = await nodeRuntime.load(model([symbol('rows')]));
    cells = await nodeRuntime.load(model([symbol('a'), symbol('b'), symbol('c')]));
  });

  afterAll(async () => {
    await Promise.all([rows.release(), cells.release()]);
  });

  async function outputs(session: Session, dims: readonly number[], x: Float32Array): Promise<Float32Array> {
    const value: Value = { type: 'float32', dims: [...dims, INPUTS], data: x };
    const { y } = await session.run({ x: value });
    if (y?.type !== 'float32') throw new TypeError('expected floats');
    return y.data;
  }

  test('are near the exact ones', async () => {
    const x = noise(ROWS * INPUTS, 0.39);
    const y = await outputs(rows, [ROWS], x);
    const z = await outputs(cells, [1, ROWS, 1], x);
    for (let row = 0; row < ROWS; row++) {
      expect(error(x, y, row)).toBeLessThan(0.02);
      expect(error(x, z, row)).toBeLessThan(0.02);
    }
  });

  test('a row of large values does not blur the others', async () => {
    const x = noise(ROWS * INPUTS, 0.39);
    for (let j = 0; j < INPUTS; j++) x[2 * INPUTS + j] = 500 * (x[2 * INPUTS + j] ?? NaN);
    const y = await outputs(rows, [ROWS], x);
    for (let row = 0; row < ROWS; row++) expect(error(x, y, row)).toBeLessThan(0.02);
  });

  test('a row of zeros gives the bias', async () => {
    const y = await outputs(rows, [ROWS], new Float32Array(ROWS * INPUTS));
    expect(y.subarray(0, OUTPUTS)).toEqual(bias);
  });

  test('take a quarter of the space', () => {
    const x = ops.input('x', 'float32', [symbol('rows'), INPUTS]);
    const y = ops.linear(x, ops.parameter('weight', [OUTPUTS, INPUTS]), ops.parameter('bias', [OUTPUTS]));
    const size = toOnnx({ y }, { parameters: values }).length;
    expect(model([symbol('rows')]).length).toBeLessThan(size / 2.5);
  });
});
