import { describe, expect, test } from 'vitest';
import { at, gradient, ops, symbol, toOnnx } from '../../src/graph/index.js';
import { nodeRuntime } from '../../src/runtime/node.js';
import type { Session, Value } from '../../src/runtime/index.js';
import { memory } from './support/memory.js';

const [INPUTS, HIDDEN, CLASSES] = [128, 256, 10];
/** MiB: a quarter of what one copy of the parameters (36,000 floats) kept from each of 1,000 steps would take. */
const ALLOWANCE = 36;
const shapes = { w1: [HIDDEN, INPUTS], b1: [HIDDEN], w2: [CLASSES, HIDDEN], b2: [CLASSES] } as const;
type Name = keyof typeof shapes;
const names = Object.keys(shapes) as Name[];

type Floats = Value & { readonly type: 'float32' };

function wave(dims: readonly number[], phase: number): Floats {
  const length = dims.reduce((a, b) => a * b, 1);
  return { type: 'float32', dims, data: Float32Array.from({ length }, (_, k) => Math.sin(k * 1.37 + phase) / 8) };
}

/** The loss of a perceptron of two layers over examples x [batch, 128] with classes [batch], and its gradients. */
function perceptron(): Uint8Array {
  const batch = symbol('batch');
  const x = ops.input('x', 'float32', [batch, INPUTS]);
  const classes = ops.input('classes', 'int32', [batch]);
  const parameters = names.map((name) => ops.parameter(name, shapes[name]));
  const [w1, b1, w2, b2] = parameters as [typeof x, typeof x, typeof x, typeof x];
  const scores = ops.logSoftmax(ops.linear(ops.gelu(ops.linear(x, w1, b1)), w2, b2));
  const columns = ops.reshape(ops.range(b2, 0), [1, CLASSES]);
  const chosen = ops.equal(columns, ops.reshape(classes, [at(classes.shape, 0), 1]));
  const loss = ops.neg(ops.total(ops.where(chosen, scores, 0)));
  const gradients = gradient(loss, parameters);
  return toOnnx({ loss, ...Object.fromEntries(names.map((name, k) => [`d${name}`, gradients[k] ?? loss])) });
}

/** Plain gradient descent whose parameters, gradients and loss stay in the same arrays. */
class Descent {
  readonly parameters = Object.fromEntries(names.map((name, k) => [name, wave(shapes[name], k)])) as Record<
    Name,
    Floats
  >;
  private readonly targets: Record<string, Floats> = {
    loss: wave([], 0),
    ...Object.fromEntries(names.map((name) => [`d${name}`, wave(shapes[name], 0)])),
  };
  private readonly batches = [32, 7, 19].map((size, k) => ({
    x: wave([size, INPUTS], k),
    classes: { type: 'int32', dims: [size], data: Int32Array.from({ length: size }, (_, n) => (n * 7 + k) % CLASSES) },
  })) satisfies Record<string, Value>[];

  constructor(private readonly session: Session) {}

  async step(number: number): Promise<number> {
    const batch = this.batches[number % this.batches.length];
    await this.session.run({ ...batch, ...this.parameters }, this.targets);
    for (const name of names) {
      const { data } = this.parameters[name];
      const slope = this.targets[`d${name}`]?.data ?? [];
      for (let k = 0; k < data.length; k++) data[k] = (data[k] ?? 0) - 0.01 * (slope[k] ?? 0);
    }
    return this.targets['loss']?.data[0] ?? NaN;
  }

  async steps(from: number, to: number): Promise<number[]> {
    const losses: number[] = [];
    for (let number = from; number < to; number++) losses.push(await this.step(number));
    return losses;
  }
}

describe('training step after step', () => {
  test('a thousand steps do not grow memory', async () => {
    const session = await nodeRuntime.load(perceptron());
    const descent = new Descent(session);
    const arrays = names.map((name) => descent.parameters[name].data.buffer);
    const [first = NaN] = await descent.steps(0, 300);
    const before = await memory();
    const losses = await descent.steps(300, 1300);
    const after = await memory();
    expect(after.resident - before.resident).toBeLessThan(ALLOWANCE);
    expect(after.arrays - before.arrays).toBeLessThan(ALLOWANCE);
    expect(after.heap - before.heap).toBeLessThan(2);
    expect(names.map((name) => descent.parameters[name].data.buffer)).toEqual(arrays);
    expect(losses.at(-1)).toBeLessThan(first);
    await session.release();
  });

  test('the same steps give the same bits, in one session and in another', async () => {
    const model = perceptron();
    const run = async (session: Session): Promise<{ losses: number[]; parameters: Uint8Array[] }> => {
      const descent = new Descent(session);
      const losses = await descent.steps(0, 100);
      return { losses, parameters: names.map((name) => new Uint8Array(descent.parameters[name].data.buffer)) };
    };
    const [one, other] = [await nodeRuntime.load(model), await nodeRuntime.load(model)];
    const first = await run(one);
    expect(first.losses.at(-1)).toBeLessThan(first.losses[0] ?? 0);
    expect(await run(one)).toEqual(first);
    expect(await run(other)).toEqual(first);
    await Promise.all([one.release(), other.release()]);
  });
});
