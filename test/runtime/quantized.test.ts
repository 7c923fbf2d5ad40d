import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ops, symbol, toOnnx, type Tensor } from '../../src/graph/index.js';
import { nodeRuntime } from '../../src/runtime/node.js';
import type { Session, Values } from '../../src/runtime/index.js';
import { observeActivations } from '../../src/tag/index.js';

const [INPUTS, OUTPUTS, ROWS] = [512, 1024, 5];
/** Numbers from -1 to 1 without a pattern. */
const noise = (length: number, seed: number): Float32Array =>
  Float32Array.from({ length }, (_, k) => (Math.sin((k + 1) * 12.9898 + seed) * 43758.5453) % 1);

const weight = noise(OUTPUTS * INPUTS, 1.37);
const bias = noise(OUTPUTS, 0.71);
const values = new Map([
  ['weight', weight],
  ['bias', bias],
  ['gain', noise(INPUTS, 0.91)],
  ['shift', noise(INPUTS, 0.17)],
]);

const x = ops.input('x', 'float32', [symbol('rows'), INPUTS]);
/** What the product may come after. */
const sources: Record<string, Tensor> = {
  'an input': x,
  GELU: ops.gelu(x),
  'a layer normalisation': ops.layerNorm(x, ops.parameter('gain', [INPUTS]), ops.parameter('shift', [INPUTS]), 1e-12),
};

function linear(activations: Tensor): Tensor {
  return ops.linear(activations, ops.parameter('weight', [OUTPUTS, INPUTS]), ops.parameter('bias', [OUTPUTS]));
}

const sample = noise(ROWS * INPUTS, 0.39);

async function quantizedProduct(activations: Tensor, seen = sample): Promise<Uint8Array> {
  const y = linear(activations);
  const ranges = await observeActivations([y], values, [rows(seen)], nodeRuntime);
  return toOnnx({ activations, y }, { parameters: values, quantize: ranges });
}

function rows(data: Float32Array): Values {
  return { x: { type: 'float32', dims: [data.length / INPUTS, INPUTS], data } };
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

describe.each(Object.entries(sources))('large 8-bit products of %s', (_, source) => {
  let session: Session;

  beforeAll(async () => {
    session = await nodeRuntime.load(await quantizedProduct(source));
  });

  afterAll(async () => {
    await session.release();
  });

  /** The largest error of a row. */
  async function worst(data: Float32Array): Promise<number> {
    const { activations, y } = await session.run(rows(data));
    if (activations?.type !== 'float32' || y?.type !== 'float32') throw new TypeError('expected floats');
    return Math.max(...Array.from({ length: ROWS }, (_row, row) => error(activations.data, y.data, row)));
  }

  test('are near the exact ones', async () => {
    expect(await worst(sample)).toBeLessThan(0.02);
  });

  test('of a row are the same to the bit alone and beside a row of large values', async () => {
    const data = sample.slice();
    for (let j = 0; j < INPUTS; j++) data[2 * INPUTS + j] = 500 * (data[2 * INPUTS + j] ?? NaN);
    const { y: together } = await session.run(rows(data));
    for (const row of [0, 1, 3, 4]) {
      const { y: alone } = await session.run(rows(data.slice(row * INPUTS, (row + 1) * INPUTS)));
      expect(alone?.data).toEqual(together?.data.slice(row * OUTPUTS, (row + 1) * OUTPUTS));
    }
  });
});

/** Below all levels that the sample alone would have. */
const low = sample.map((value) => value - 4);

test.each(Object.entries(sources).filter(([name]) => name !== 'GELU'))(
  'a large 8-bit product of %s far below 0 is near the exact one where calibration saw such values',
  async (_, source) => {
    const session = await nodeRuntime.load(await quantizedProduct(source, low));
    const { activations, y } = await session.run(rows(low));
    if (activations?.type !== 'float32' || y?.type !== 'float32') throw new TypeError('expected floats');
    for (let row = 0; row < ROWS; row++) expect(error(activations.data, y.data, row)).toBeLessThan(0.02);
    await session.release();
  },
);

describe('large 8-bit products of GELU', () => {
  test('of rows without large values are within the levels of a row whose largest is 1.7', async () => {
    const session = await nodeRuntime.load(await quantizedProduct(ops.gelu(x)));
    const { activations, y } = await session.run(rows(low));
    if (activations?.type !== 'float32' || y?.type !== 'float32') throw new TypeError('expected floats');
    const size = Math.sqrt(weight.reduce((sum, value) => sum + value ** 2, 0) / OUTPUTS);
    for (let row = 0; row < ROWS; row++) {
      const difference = exact(activations.data, row).map((value, k) => value - (y.data[row * OUTPUTS + k] ?? NaN));
      const deviation = Math.sqrt(difference.reduce((sum, value) => sum + value ** 2, 0) / OUTPUTS);
      expect(deviation).toBeLessThan(((1.7 + 0.17) / 255) * size);
    }
    await session.release();
  });

  test('are near the exact ones for rows that differ in size, far above and below what calibration saw', async () => {
    const session = await nodeRuntime.load(await quantizedProduct(ops.gelu(x)));
    const data = sample.map((value, k) => value * ([1, 20, 500, 3, 5][Math.floor(k / INPUTS)] ?? NaN));
    const { activations, y } = await session.run(rows(data));
    if (activations?.type !== 'float32' || y?.type !== 'float32') throw new TypeError('expected floats');
    for (let row = 0; row < ROWS; row++) expect(error(activations.data, y.data, row)).toBeLessThan(0.02);
    await session.release();
  });
});

describe('large 8-bit products', () => {
  test('of a row of zeros are the bias', async () => {
    const session = await nodeRuntime.load(await quantizedProduct(x));
    const { y } = await session.run(rows(new Float32Array(ROWS * INPUTS)));
    expect(y?.data.subarray(0, OUTPUTS)).toEqual(bias);
    await session.release();
  });

  test('take values beyond the range as its ends', async () => {
    const session = await nodeRuntime.load(
      toOnnx({ y: linear(x) }, { parameters: values, quantize: { weight: [-1, 2] } }),
    );
    const [{ y: beyond }, { y: ends }] = (await Promise.all(
      [sample.map((value) => 9 * Math.sign(value)), sample.map((value) => (value < 0 ? -1 : 2))].map((data) =>
        session.run(rows(data)),
      ),
    )) as [Values, Values];
    expect(beyond).toEqual(ends);
    await session.release();
  });

  test('are refused without the range of their activations', () => {
    expect(() => toOnnx({ y: linear(x) }, { parameters: values, quantize: {} })).toThrow(
      'expected the range of the activations of weight, found none',
    );
  });

  test('take a quarter of the space', () => {
    const whole = toOnnx({ y: linear(x) }, { parameters: values });
    const quantized = toOnnx({ y: linear(x) }, { parameters: values, quantize: { weight: [-1, 1] } });
    expect(quantized.length).toBeLessThan(whole.length / 3.9);
  });
});
