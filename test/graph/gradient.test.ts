import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addDims, gradient, multiplyDims, ops, type Tensor } from '../../src/graph/index.js';
import { evaluate, type NdArray } from '../../src/graph/reference.js';
import { b, n } from './support/case.js';
import {
  centralDifferences,
  concrete,
  elements,
  Executable,
  expectClose,
  item,
  leavesOf,
  sizeMap,
  type Bindings,
  type Sizes,
} from './support/check.js';
import { draws, expression, floats, programs } from './support/expressions.js';
import { between, seeded } from './support/random.js';

const DIFFERENCES = 1e-6;
const BACKWARD = 1e-4;
/** Constants of the gradient rules are float32 (1 / 3 of a layer norm): what cancels exactly does so to this much. */
const FLOOR = 3e-7;

function bind(tensors: readonly Tensor[], sizes: Sizes, seed: number): Map<string, Float64Array> {
  const random = seeded(seed);
  return new Map(
    leavesOf(tensors).map(({ name, tensor }) => {
      const draw = draws.get(name) ?? between(-1, 1);
      const values = draw(elements(concrete(tensor.shape, sizes)), random, sizeMap(sizes));
      return [name, Float64Array.from(values, Math.fround)];
    }),
  );
}

/** Expects the gradients of `loss` to agree with central differences, and those of ONNX Runtime with them. */
async function checkGradients(
  loss: Tensor,
  targets: readonly Tensor[],
  bindings: Bindings,
  sizes: Sizes,
): Promise<NdArray[]> {
  const grads = gradient(loss, targets);
  const sources = leavesOf([loss, ...targets]);
  const outputs = [loss, ...grads, ...sources.map(({ tensor }) => tensor)];
  const executable = await Executable.of(outputs);
  const found = await executable.run(bindings, sizes);
  await executable.release();
  const expected = evaluate([loss, ...grads], bindings, sizeMap(sizes));
  expectClose(item(found, 0), item(expected, 0), BACKWARD, 'loss', 1e-5);
  targets.forEach((target, k) => {
    const reference = item(expected, k + 1);
    const name = target.op.kind === 'input' || target.op.kind === 'parameter' ? target.op.attributes.name : undefined;
    if (name !== undefined) {
      const differences = centralDifferences(loss, name, bindings, sizes);
      const shape = concrete(target.shape, sizes);
      expectClose(reference, { shape, data: differences }, DIFFERENCES, `gradient of ${name}`, FLOOR);
    }
    expectClose(item(found, k + 1), reference, BACKWARD, `gradient of ${name ?? target.op.kind} in ONNX Runtime`, 1e-5);
  });
  return expected.slice(1);
}

describe('random expressions', () => {
  const size = fc.integer({ min: 2, max: 4 });

  test('gradients agree with central differences and with ONNX Runtime', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(programs, size, fc.nat(), async (program, rows, seed) => {
        const { loss } = expression(program);
        const sizes = { n: rows };
        await checkGradients(loss, floats, bind([loss, ...floats], sizes, seed), sizes);
      }),
      { numRuns: 80, seed: 1 },
    );
  });

  test('the gradient of an intermediate tensor is that of a leaf in its place', () => {
    fc.assert(
      fc.property(programs, size, fc.nat(), fc.nat(), (program, rows, seed, choice) => {
        const { loss, matrices } = expression(program);
        const cut = 2 + (choice % (matrices.length - 2));
        const target = item(matrices, cut);
        const sizes = { n: rows };
        const bindings = bind([loss, target], sizes, seed);
        const [value, found] = evaluate([target, ...gradient(loss, [target])], bindings, sizeMap(sizes));

        const severed = expression(program, cut);
        const leaf = item(severed.matrices, cut);
        const all = new Map([...bindings, ['cut', value?.data ?? new Float64Array()]]);
        const [expected] = evaluate(gradient(severed.loss, [leaf]), all, sizeMap(sizes));
        expect(found?.data).toEqual(expected?.data);
      }),
      { numRuns: 150 },
    );
  });
});

describe('targets', () => {
  const x = ops.input('x', 'float32', [n, 3]);
  const y = ops.input('y', 'float32', [n, 3]);
  const sizes = { n: 2 };
  const bindings = bind([x, y], sizes, 3);
  const [xs, ys] = ['x', 'y'].map((name) => bindings.get(name) ?? new Float64Array()) as [Float64Array, Float64Array];

  test('an unused input gets zeros of its shape', async () => {
    const [dx, dy] = await checkGradients(ops.total(ops.exp(x)), [x, y], bindings, sizes);
    expect(dx?.data).toEqual(xs.map(Math.exp));
    expect(dy).toEqual({ shape: [2, 3], data: new Float64Array(6) });
  });

  test('an input that is used where no gradient flows gets zeros', () => {
    const loss = ops.total(ops.mul(ops.add(ops.cast(ops.less(x, y), 'float32'), ops.stopGradient(y)), y));
    const [dx, dy] = evaluate(gradient(loss, [x, y]), bindings, sizeMap(sizes));
    expect(dx?.data).toEqual(new Float64Array(6));
    expect(dy?.data).toEqual(ys.map((value, k) => Number((xs[k] ?? 0) < value) + value));
  });

  test('a tensor used twice gets the sum', async () => {
    const [dx] = await checkGradients(ops.total(ops.mul(x, x)), [x], bindings, sizes);
    expect(dx?.data).toEqual(xs.map((value) => 2 * value));
    const squared = ops.mul(x, x);
    const [, both] = await checkGradients(
      ops.total(ops.add(ops.mul(squared, y), ops.matmul(squared, ops.matmul(squared, squared, { transposeA: true })))),
      [y, x],
      bindings,
      sizes,
    );
    expect(both?.data.some((value) => value !== 0)).toBe(true);
  });

  test('a target may be repeated, be the loss itself, or lie between other targets', async () => {
    const middle = ops.tanh(ops.mul(x, y));
    const loss = ops.total(ops.mul(middle, middle));
    const [own, dm, again, dx] = await checkGradients(loss, [loss, middle, middle, x], bindings, sizes);
    expect(own).toEqual({ shape: [], data: Float64Array.of(1) });
    const m = xs.map((value, k) => Math.tanh(value * (ys[k] ?? 0)));
    expect(dm?.data).toEqual(m.map((value) => 2 * value));
    expect(again).toEqual(dm);
    expect(dx?.data.length).toBe(6);
  });

  test('an expanded tensor is a target like any other', async () => {
    const row = ops.parameter('row', [3]);
    const wide = ops.expand(row, [n, 3]);
    const loss = ops.total(ops.mul(ops.mul(wide, x), wide));
    const all = bind([loss], sizes, 4);
    const [dWide, dRow] = await checkGradients(loss, [wide, row], all, sizes);
    const [values, weights] = [all.get('x') ?? [], all.get('row') ?? []];
    expectClose(
      dWide ?? { shape: [], data: new Float64Array() },
      { shape: [2, 3], data: Float64Array.from(values, (value, k) => 2 * value * (weights[k % 3] ?? 0)) },
      1e-14,
      'gradient of the expanded tensor',
    );
    expect(dRow?.shape).toEqual([3]);
  });

  test('elements that tie for a maximum share its gradient', () => {
    const tied = new Map([['x', Float64Array.of(1, 3, 3, 2, 2, 2)]]);
    const [dx] = evaluate(gradient(ops.total(ops.reduceMax(x, 1)), [x]), tied, sizeMap(sizes));
    expect(dx?.data).toEqual(Float64Array.of(0, 0.5, 0.5, 1 / 3, 1 / 3, 1 / 3));
  });

  test('only scalars are differentiated', () => {
    expect(() => gradient(x, [x])).toThrow('expected a scalar');
  });
});

describe('gradients through symbolic shapes', () => {
  const sizes: readonly Sizes[] = [
    { n: 3, b: 2 },
    { n: 1, b: 1 },
    { n: 2, b: 4 },
  ];
  const x = ops.input('x', 'float32', [b, n, 4]);
  const y = ops.input('y', 'float32', [n, 2]);
  const z = ops.input('z', 'float32', [b, 2]);
  const square = (t: Tensor): Tensor => ops.total(ops.mul(ops.tanh(t), t));

  const losses: readonly [string, Tensor][] = [
    ['slices at symbolic offsets', square(ops.slice(ops.concat([y, z], 0), 0, addDims(n, -1), addDims(b, 1)))],
    [
      'a part of a concatenation and padding of it',
      square(ops.pad(ops.slice(ops.concat([z, y, z], 0), 0, b, addDims(n, b)), 0, n, multiplyDims(2, b))),
    ],
    [
      'a split into symbolic parts',
      (() => {
        const [first, second] = ops.split(ops.concat([y, z], 0), 0, [b, n]);
        return ops.add(square(first ?? y), ops.total(ops.exp(second ?? z)));
      })(),
    ],
    ['a reshape of several symbols at once', square(ops.reshape(x, [2, n, 2, b]))],
    [
      'reshapes to products',
      square(ops.reshape(ops.exp(ops.reshape(x, [multiplyDims(2, n), 2, b])), [4, multiplyDims(b, n)])),
    ],
    [
      'heads',
      square(
        ops.reshape(ops.transpose(ops.reshape(x, [b, n, 2, 2]), [0, 2, 1, 3]), [
          multiplyDims(b, 2),
          multiplyDims(n, 2),
        ]),
      ),
    ],
    ['positions', square(ops.mul(ops.reshape(ops.cast(ops.range(x, 1), 'float32'), [1, n, 1]), x))],
  ];

  test.each(losses)('%s', async (_, loss) => {
    for (const [seed, one] of sizes.entries()) {
      await checkGradients(loss, [x, y, z], bind([loss, x, y, z], one, seed), one);
    }
  });
});
