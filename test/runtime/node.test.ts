import * as ort from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addDims, ops, symbol, toOnnx } from '../../src/graph/index.js';
import { nodeRuntime } from '../../src/runtime/node.js';
import {
  EMPTY_SEQUENCE,
  onnxRuntime,
  type OnnxRuntimeModule,
  type Runtime,
  type Session,
  type Value,
} from '../../src/runtime/index.js';

type RunArguments = [feeds: Record<string, ort.Tensor>, fetches: Record<string, ort.Tensor | null>];

const [rows, columns] = [symbol('rows'), symbol('columns')];

function floats(dims: readonly number[], ...values: number[]): Value & { type: 'float32' } {
  return { type: 'float32', dims, data: Float32Array.from(values) };
}

describe('a session', () => {
  let session: Session;
  beforeAll(async () => {
    const x = ops.input('x', 'float32', [rows, columns]);
    const y = ops.input('y', 'float32', [columns]);
    const scaled = ops.mul(x, y);
    session = await nodeRuntime.load(
      toOnnx({
        scaled,
        sum: ops.total(scaled),
        positive: ops.less(ops.scalar(0), scaled),
        index: ops.range(x, 1),
        padded: ops.pad(x, 1, 0, addDims(rows, -1)),
      }),
    );
  });
  afterAll(() => session.release());

  test('knows its inputs and outputs', () => {
    expect([...session.inputNames].sort()).toEqual(['x', 'y']);
    expect([...session.outputNames]).toEqual(['scaled', 'sum', 'positive', 'index', 'padded']);
  });

  test('returns every output with its type and its sizes', async () => {
    const results = await session.run({ x: floats([2, 2], 1, -2, 3, 4), y: floats([2], 10, 1) });
    expect(results).toEqual({
      scaled: floats([2, 2], 10, -2, 30, 4),
      sum: floats([], 42),
      positive: { type: 'bool', dims: [2, 2], data: Uint8Array.of(1, 0, 1, 1) },
      index: { type: 'int32', dims: [2], data: Int32Array.of(0, 1) },
      padded: floats([2, 3], 1, -2, 0, 3, 4, 0),
    });
  });

  test('serves batches of every shape', async () => {
    for (const [m, n] of [
      [1, 1],
      [3, 5],
      [7, 2],
      [1, 1],
      [64, 33],
    ] as const) {
      const data = Float32Array.from({ length: m * n }, (_, k) => k % 11);
      const { scaled, sum, index, padded } = await session.run({
        x: { type: 'float32', dims: [m, n], data },
        y: { type: 'float32', dims: [n], data: new Float32Array(n).fill(2) },
      });
      expect(scaled?.dims).toEqual([m, n]);
      expect(scaled?.data).toEqual(data.map((value) => 2 * value));
      expect(sum?.data[0]).toBe(data.reduce((a, value) => a + 2 * value, 0));
      expect(index?.dims).toEqual([n]);
      expect(padded?.dims).toEqual([m, n + m - 1]);
    }
  });

  test('writes outputs into given arrays and allocates the others', async () => {
    const feeds = { x: floats([2, 2], 1, -2, 3, 4), y: floats([2], 10, 1) };
    const target = floats([2, 2], 7, 7, 7, 7);
    const { buffer } = target.data;
    const results = await session.run(feeds, { scaled: target });
    expect(results['scaled']).toBe(target);
    expect(target.data.buffer).toBe(buffer);
    expect(target.data).toEqual(Float32Array.of(10, -2, 30, 4));
    expect(results['sum']).toEqual(floats([], 42));
    expect((await session.run(feeds))['scaled']?.data).toEqual(target.data);
  });

  test('writes into a part of a larger array and leaves the rest alone', async () => {
    const whole = new Float32Array(8).fill(9);
    const scaled = { type: 'float32', dims: [1, 3], data: whole.subarray(2, 5) } as const;
    await session.run({ x: floats([1, 3], 1, 2, 3), y: floats([3], 1, 1, 2) }, { scaled });
    expect(whole).toEqual(Float32Array.of(9, 9, 1, 2, 6, 9, 9, 9));
  });

  test('reads from a part of a larger array', async () => {
    const whole = Float32Array.of(9, 9, 1, 2, 3, 9);
    const x = { type: 'float32', dims: [1, 3], data: whole.subarray(2, 5) } as const;
    const { sum } = await session.run({ x, y: floats([3], 1, 10, 100) });
    expect(sum?.data).toEqual(Float32Array.of(321));
  });

  test('does not copy what it is fed: a changed array changes the result', async () => {
    const x = floats([1, 2], 1, 2);
    const y = floats([2], 1, 1);
    const target = floats([1, 2], 0, 0);
    await session.run({ x, y }, { scaled: target });
    expect(target.data).toEqual(Float32Array.of(1, 2));
    x.data[1] = 5;
    y.data.fill(3);
    const { sum } = await session.run({ x, y }, { scaled: target });
    expect(target.data).toEqual(Float32Array.of(3, 15));
    expect(sum?.data).toEqual(Float32Array.of(18));
  });

  test('an output may be the next input', async () => {
    let x = floats([1, 2], 1, 1);
    let next = floats([1, 2], 0, 0);
    const y = floats([2], 2, 3);
    for (let step = 0; step < 5; step++) {
      await session.run({ x, y }, { scaled: next });
      [x, next] = [next, x];
    }
    expect(x.data).toEqual(Float32Array.of(32, 243));
  });

  test('outputs that it allocated are not overwritten by later runs', async () => {
    const y = floats([2], 1, 1);
    const first = await session.run({ x: floats([1, 2], 1, 2), y });
    await session.run({ x: floats([1, 2], 8, 9), y });
    expect(first['scaled']?.data).toEqual(Float32Array.of(1, 2));
  });

  test('refuses what does not fit, and works on', async () => {
    const y = floats([2], 1, 1);
    await expect(session.run({ y })).rejects.toThrow('x');
    await expect(session.run({ x: floats([1, 3], 1, 2, 3), y })).rejects.toThrow();
    const wrong: Value = { type: 'int32', dims: [1, 2], data: Int32Array.of(1, 2) };
    await expect(session.run({ x: wrong, y })).rejects.toThrow(/int32|type/);
    await expect(session.run({ x: floats([1, 2], 1, 2, 3), y })).rejects.toThrow();
    const small = floats([1, 1], 7);
    await expect(session.run({ x: floats([1, 2], 1, 2), y }, { scaled: small })).rejects.toThrow();
    expect(small.data).toEqual(Float32Array.of(7));
    await expect(session.run({ x: floats([1, 2], 1, 2), y }, { none: small })).rejects.toThrow('none');
    expect((await session.run({ x: floats([1, 2], 1, 2), y }))['sum']?.data).toEqual(Float32Array.of(3));
  });
});

describe('runInto', () => {
  const x = ops.input('x', 'float32', [rows, columns]);
  const outputs = { doubled: ops.mul(x, 2), sum: ops.total(x), index: ops.range(x, 1) };
  const feeds = { x: floats([1, 3], 1, 2, 4) };

  test.each([
    ['with an empty sequence in front', { emptySequence: EMPTY_SEQUENCE }],
    ['without', {}],
  ])('writes the targets and them alone, %s', async (_, options) => {
    const session = await nodeRuntime.load(toOnnx(outputs, options));
    expect(session.outputNames).toEqual(['doubled', 'sum', 'index']);
    const whole = new Float32Array(5).fill(9);
    const doubled = { type: 'float32', dims: [1, 3], data: whole.subarray(1, 4) } as const;
    const sum = floats([], 0);
    await session.runInto(feeds, { doubled, sum });
    expect(whole).toEqual(Float32Array.of(9, 2, 4, 8, 9));
    expect(sum.data[0]).toBe(7);
    expect(await session.run(feeds)).toEqual({
      doubled: floats([1, 3], 2, 4, 8),
      sum: floats([], 7),
      index: { type: 'int32', dims: [3], data: Int32Array.of(0, 1, 2) },
    });

    await expect(session.runInto(feeds, { doubled: floats([1, 2], 0, 0) })).rejects.toThrow();
    await expect(session.runInto({}, { doubled })).rejects.toThrow('x');
    await expect(session.runInto(feeds, { none: sum })).rejects.toThrow('none');
    await session.runInto({ x: floats([1, 3], 3, 0, 1) }, { doubled, sum });
    expect(whole).toEqual(Float32Array.of(9, 6, 0, 2, 9));
    expect(sum.data[0]).toBe(4);
    await session.release();
    await expect(session.runInto(feeds, { doubled })).rejects.toThrow('disposed');
  });

  /** The runtime as another version of the binding might be, which does something else when it is asked for a sequence. */
  function runtimeThat(
    onSequence: (session: ort.InferenceSession, ...args: RunArguments) => Promise<unknown>,
  ): Runtime {
    const create = async (graph: Uint8Array): Promise<unknown> => {
      const session = await ort.InferenceSession.create(graph);
      const run = (...args: RunArguments): Promise<unknown> =>
        EMPTY_SEQUENCE in args[1] ? onSequence(session, ...args) : session.run(...args);
      return {
        ...session,
        inputNames: session.inputNames,
        outputNames: session.outputNames,
        run,
        release: () => session.release(),
      };
    };
    return onnxRuntime({ Tensor: ort.Tensor, InferenceSession: { create } } as unknown as OnnxRuntimeModule);
  }

  test.each([
    [
      'returns sequences',
      (session: ort.InferenceSession, feeds: RunArguments[0], fetches: RunArguments[1]) =>
        session.run(feeds, Object.fromEntries(Object.entries(fetches).filter(([name]) => name !== EMPTY_SEQUENCE))),
    ],
    [
      'refuses sequences before it runs',
      () => Promise.reject(new Error('Non tensor type is temporarily not supported.')),
    ],
  ])('is right with a binding that %s', async (_, onSequence) => {
    const session = await runtimeThat(onSequence).load(toOnnx(outputs, { emptySequence: EMPTY_SEQUENCE }));
    const doubled = floats([1, 3], 0, 0, 0);
    await session.runInto(feeds, { doubled });
    expect(doubled.data).toEqual(Float32Array.of(2, 4, 8));
    await session.release();
  });

  test('allocates nothing of the size of a target where the sequence is in front', async () => {
    const session = await nodeRuntime.load(toOnnx(outputs, { emptySequence: EMPTY_SEQUENCE }));
    const length = 2 ** 20;
    const large = { type: 'float32', dims: [1, length], data: new Float32Array(length).fill(1) } as const;
    const doubled = { type: 'float32', dims: [1, length], data: new Float32Array(length) } as const;
    await session.runInto({ x: large }, { doubled });
    const before = process.memoryUsage().arrayBuffers;
    await session.runInto({ x: large }, { doubled });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(length);
    await session.release();
  });
});

describe('loading', () => {
  test('refuses bytes that are no model', async () => {
    await expect(nodeRuntime.load(new TextEncoder().encode('no model'))).rejects.toThrow();
    const whole = toOnnx({ y: ops.exp(ops.input('x', 'float32', [rows])) });
    await expect(nodeRuntime.load(whole.subarray(0, whole.length - 9))).rejects.toThrow();
  });

  test('a released session does not run', async () => {
    const session = await nodeRuntime.load(toOnnx({ y: ops.exp(ops.input('x', 'float32', [rows])) }));
    await session.release();
    await expect(session.run({ x: floats([1], 0) })).rejects.toThrow();
  });
});
