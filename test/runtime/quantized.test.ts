import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ops, symbol, toOnnx, type Tensor } from '../../src/graph/index.js';
import { nodeRuntime } from '../../src/runtime/node.js';
import type { Session } from '../../src/runtime/index.js';

const [INPUTS, OUTPUTS, ROWS] = [512, 1024, 5];
/** Numbers from -1 to 1 without a pattern. */
const noise = (length: number, seed: number): Float32Array =>
  Float32Array.from({ length }, (_, k) => (Math.sin((k + 1) * 12.9898 + seed) * 43758.5453) % 1);

const weight = noise(OUTPUTS * INPUTS, 1.37);
const bias = noise(OUTPUTS, 0.71);
const values = new Map([
  ['weight', weight],
  ['bias', bias],
]);

function linear(): Tensor {
  const x = ops.input('x', 'float32', [symbol('rows'), INPUTS]);
  return ops.linear(x, ops.parameter('weight', [OUTPUTS, INPUTS]), ops.parameter('bias', [OUTPUTS]));
}

function quantizedProduct(): Uint8Array {
  return toOnnx({ y: linear() }, { parameters: values, quantize: true });
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

describe('large 8-bit products', () => {
  let session: Session;

  beforeAll(async () => {
    session = await nodeRuntime.load(quantizedProduct());
  });

  afterAll(async () => {
    await session.release();
  });

  async function product(x: Float32Array): Promise<Float32Array> {
    const { y } = await session.run({ x: { type: 'float32', dims: [ROWS, INPUTS], data: x } });
    if (y?.type !== 'float32') throw new TypeError('expected floats');
    return y.data;
  }

  test('are near the exact ones', async () => {
    const x = noise(ROWS * INPUTS, 0.39);
    const y = await product(x);
    for (let row = 0; row < ROWS; row++) expect(error(x, y, row)).toBeLessThan(0.02);
  });

  test('a row of large values does not blur the others', async () => {
    const x = noise(ROWS * INPUTS, 0.39);
    for (let j = 0; j < INPUTS; j++) x[2 * INPUTS + j] = 500 * (x[2 * INPUTS + j] ?? NaN);
    const y = await product(x);
    for (let row = 0; row < ROWS; row++) expect(error(x, y, row)).toBeLessThan(0.02);
  });

  test('a row of zeros gives the bias', async () => {
    const y = await product(new Float32Array(ROWS * INPUTS));
    expect(y.subarray(0, OUTPUTS)).toEqual(bias);
  });

  test('take a quarter of the space', () => {
    const size = toOnnx({ y: linear() }, { parameters: values }).length;
    expect(quantizedProduct().length).toBeLessThan(size / 3.9);
  });
});
