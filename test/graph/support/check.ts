import { expect } from 'vitest';
import { evaluateDim, toOnnx, type Shape, type Tensor } from '../../../src/graph/index.js';
import { topologicalOrder } from '../../../src/graph/gradient.js';
import { evaluate, type NdArray } from '../../../src/graph/reference.js';
import { nodeRuntime } from '../../../src/runtime/node.js';
import type { Session, Value, Values } from '../../../src/runtime/index.js';

export type Sizes = Readonly<Record<string, number>>;
/** Values of inputs and parameters by name, exact in float32. */
export type Bindings = ReadonlyMap<string, Float64Array>;

export function sizeMap(sizes: Sizes): Map<string, number> {
  return new Map(Object.entries(sizes));
}

export function concrete(shape: Shape, sizes: Sizes): number[] {
  return shape.map((dim) => evaluateDim(dim, sizeMap(sizes)));
}

export function elements(dims: readonly number[]): number {
  return dims.reduce((a, b) => a * b, 1);
}

/** `items[k]`; a missing one fails the test. */
export function item<T>(items: readonly T[], k: number): T {
  const value = items[k];
  if (value === undefined) throw new Error(`expected an item ${k} of ${items.length}`);
  return value;
}

/** The inputs and parameters that the tensors depend on, and `tensors` of these kinds themselves. */
export function leavesOf(tensors: readonly Tensor[]): { name: string; tensor: Tensor }[] {
  return topologicalOrder(tensors).flatMap((op) =>
    op.kind === 'input' || op.kind === 'parameter' ? [{ name: op.attributes.name, tensor: item(op.outputs, 0) }] : [],
  );
}

export function toValue(tensor: Tensor, dims: readonly number[], data: Float64Array): Value {
  switch (tensor.dtype) {
    case 'int32':
      return { type: 'int32', dims, data: Int32Array.from(data) };
    case 'bool':
      return { type: 'bool', dims, data: Uint8Array.from(data) };
    default:
      return { type: 'float32', dims, data: Float32Array.from(data) };
  }
}

/** The tensors' graph in ONNX Runtime, fed by name. */
export class Executable {
  private constructor(
    private readonly outputs: readonly Tensor[],
    private readonly session: Session,
  ) {}

  static async of(outputs: readonly Tensor[]): Promise<Executable> {
    const named = Object.fromEntries(outputs.map((tensor, k) => [`output ${k}`, tensor]));
    return new Executable(outputs, await nodeRuntime.load(toOnnx(named), { threads: 1 }));
  }

  async run(bindings: Bindings, sizes: Sizes): Promise<NdArray[]> {
    const feeds: Values = Object.fromEntries(
      leavesOf(this.outputs).map(({ name, tensor }) => [
        name,
        toValue(tensor, concrete(tensor.shape, sizes), bindings.get(name) ?? new Float64Array()),
      ]),
    );
    const results = await this.session.run(feeds);
    return this.outputs.map((_, k) => {
      const value = results[`output ${k}`];
      if (value === undefined) throw new Error(`expected an output ${k}`);
      return { shape: value.dims, data: Float64Array.from(value.data) };
    });
  }

  async release(): Promise<void> {
    await this.session.release();
  }
}

function rootMeanSquare(data: Float64Array): number {
  return Math.sqrt(data.reduce((sum, x) => sum + x * x, 0) / Math.max(1, data.length));
}

/**
 * Expects equal shapes and |found - expected| <= tolerance max(|expected|, rms(expected)) at every element, with
 * `floor` absolute where the expected values are all tiny.
 */
export function expectClose(found: NdArray, expected: NdArray, tolerance: number, what: string, floor = 1e-7): void {
  expect([...found.shape], `${what}: shape`).toEqual([...expected.shape]);
  const scale = rootMeanSquare(expected.data);
  for (const [k, y] of expected.data.entries()) {
    const x = found.data[k] ?? NaN;
    const bound = tolerance * Math.max(Math.abs(y), scale) + floor;
    if (!(Math.abs(x - y) <= bound)) expect.fail(`${what}: expected ${y} at ${k} within ${bound}, found ${x}`);
  }
}

/** The gradient of the scalar `loss` with respect to the named leaf, by central differences of the float64 reference. */
export function centralDifferences(
  loss: Tensor,
  name: string,
  bindings: Bindings,
  sizes: Sizes,
  step = 1e-5,
): Float64Array {
  const values = bindings.get(name) ?? new Float64Array();
  const lossAt = (k: number, offset: number): number => {
    const moved = Float64Array.from(values, (x, n) => (n === k ? x + offset : x));
    const [result] = evaluate([loss], new Map([...bindings, [name, moved]]), sizeMap(sizes));
    return result?.data[0] ?? NaN;
  };
  return values.map((_, k) => (lossAt(k, step) - lossAt(k, -step)) / (2 * step));
}
