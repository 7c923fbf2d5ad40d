import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { InternalError, UsageError } from '../../src/errors.js';
import { type ParameterSpec, ParameterStore } from '../../src/train/parameters.js';
import { sumModel } from './support/sum-model.js';

const specs: ParameterSpec[] = [
  { name: 'a', shape: [3, 5], group: 'encoder', decay: true },
  { name: 'b', shape: [7], group: 'head', decay: false },
  { name: 'table', shape: [4, 8], group: 'encoder', decay: true, sparseRows: true },
];

describe('ParameterStore', () => {
  test('gives every parameter its own slice of every region', () => {
    const store = new ParameterStore(specs, { accumulate: true, average: true });
    expect(store.parameterCount).toBe(15 + 7 + 32);
    const regions = ['values', 'gradients', 'firstMoments', 'secondMoments', 'accumulated', 'average'] as const;
    const views = regions.flatMap((region) => specs.map(({ name }) => store.view(region, name)));
    views.forEach((view, k) => view.fill(k + 1));
    views.forEach((view, k) => expect(view.every((x) => x === k + 1)).toBe(true));
    expect(store.value('a')).toHaveLength(15);
    expect(store.value('a')).toBe(store.view('values', 'a'));
    expect(new Set(views.map(({ buffer }) => buffer)).size).toBe(1);
    expect(views.every(({ byteOffset }) => byteOffset % 64 === 0)).toBe(true);
  });

  test('holds BERT-base with its optimiser state, and refuses what 4 GiB cannot hold', () => {
    const base = new ParameterStore([{ name: 'all', shape: [110_000_000], group: 'encoder', decay: true }]);
    const last = base.view('secondMoments', 'all');
    last[last.length - 1] = 1;
    expect(base.region('secondMoments').at(-1)).toBe(1);
    const sized = (size: number): ParameterSpec[] => [{ name: 'all', shape: [size], group: 'encoder', decay: true }];
    expect(() => new ParameterStore(sized(335_000_000))).toThrow(/at most 4 GiB, found 5.0 GiB/);
    // As docs/training.md says.
    expect(() => new ParameterStore(sized(269_000_000))).toThrow(/\(4 arrays of 269000000 floats\)/);
    expect(() => new ParameterStore(sized(215_000_000), { average: true })).toThrow(/5 arrays/);
    expect(() => new ParameterStore(sized(179_000_000), { average: true, accumulate: true })).toThrow(/6 arrays/);
    expect(new ParameterStore(sized(268_000_000)).parameterCount).toBe(268_000_000);
  });

  test('ONNX Runtime reads values and writes gradients in place, above 2 GiB too', async () => {
    const store = new ParameterStore([
      { name: 'first', shape: [170_000_000], group: 'encoder', decay: true },
      { name: 'last', shape: [1000], group: 'encoder', decay: true },
    ]);
    const session = await InferenceSession.create(sumModel());
    const input = store.value('last');
    const output = store.view('secondMoments', 'last');
    expect(output.byteOffset).toBeGreaterThan(2 ** 31);
    for (const value of [1.5, 4]) {
      input.fill(value);
      await session.run({ X: new Tensor('float32', input, [1000]) }, { Y: new Tensor('float32', output, [1000]) });
      expect(output.every((x) => x === 2 * value)).toBe(true);
    }
    await session.release();
  });

  test('refuses specs and calls that cannot be meant', () => {
    const [a] = specs;
    if (a === undefined) throw new Error('there is a spec');
    expect(() => new ParameterStore([a, a])).toThrow(UsageError);
    expect(() => new ParameterStore([{ ...a, shape: [0] }])).toThrow(/positive whole dimensions for parameter 'a'/);
    expect(() => new ParameterStore([{ ...a, sparseRows: true }])).toThrow(/multiple of 8\], found \[3, 5\]/);
    const store = new ParameterStore(specs);
    expect(() => store.value('c')).toThrow(InternalError);
    expect(() => store.view('average', 'a')).toThrow(/without 'average'/);
    expect(() => store.addGradientRows('a', Int32Array.of(0), new Float32Array(5))).toThrow(InternalError);
    expect(() => store.addGradientRows('table', Int32Array.of(4), new Float32Array(8))).toThrow(/below 4, found 4/);
    expect(() => store.addGradientRows('table', Int32Array.of(1), new Float32Array(9))).toThrow(/1 rows of 8/);
  });
});
