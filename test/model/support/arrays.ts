import { expect } from 'vitest';
import type { NdArray } from '../../../src/graph/reference.js';
import { elements, item } from '../../graph/support/check.js';
import { seeded } from '../../graph/support/random.js';

/** The largest absolute value. */
export function largest({ data }: NdArray): number {
  return data.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
}

/** Expects equal shapes, and differences of at most `tolerance` times the largest expected value (or `floor`). */
export function expectAgree(found: NdArray, expected: NdArray, tolerance: number, what: string, floor = 0): void {
  expect([...found.shape], `${what}: shape`).toEqual([...expected.shape]);
  const bound = Math.max(tolerance * largest(expected), floor);
  for (const [k, y] of expected.data.entries()) {
    const x = found.data[k] ?? NaN;
    if (!(Math.abs(x - y) <= bound)) expect.fail(`${what}: expected ${y} at ${k} within ${bound}, found ${x}`);
  }
}

/** Expects equal shapes, and differences of at most `tolerance` times the expected value or the root mean square of all. */
export function expectClose(found: NdArray, expected: NdArray, tolerance: number, what: string, floor = 0): void {
  expect([...found.shape], `${what}: shape`).toEqual([...expected.shape]);
  const rms = Math.sqrt(expected.data.reduce((sum, y) => sum + y * y, 0) / Math.max(1, expected.data.length));
  for (const [k, y] of expected.data.entries()) {
    const x = found.data[k] ?? NaN;
    const bound = Math.max(tolerance * Math.abs(y), tolerance * rms, floor);
    if (!(Math.abs(x - y) <= bound)) expect.fail(`${what}: expected ${y} at ${k} within ${bound}, found ${x}`);
  }
}

/** An array from its values in row-major order. */
export function array(shape: readonly number[], values: ArrayLike<number>): NdArray {
  expect(values.length).toBe(elements(shape));
  return { shape, data: Float64Array.from(values) };
}

/** An array whose elements are computed from their indices. */
export function build(shape: readonly number[], value: (...index: number[]) => number): NdArray {
  const data = Float64Array.from({ length: elements(shape) }, (_, flat) => value(...unravel(shape, flat)));
  return { shape, data };
}

function unravel(shape: readonly number[], flat: number): number[] {
  const index: number[] = [];
  let rest = flat;
  for (const size of shape.toReversed()) {
    index.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return index;
}

/** The element at an index of as many axes as the array has. */
export function pick({ shape, data }: NdArray, ...index: readonly number[]): number {
  expect(index.length).toBe(shape.length);
  const flat = shape.reduce((sum, size, axis) => sum * size + item(index, axis), 0);
  return data[flat] ?? NaN;
}

/** `rows` [start, end) of the first axis. */
export function rowsOf({ shape, data }: NdArray, start: number, end: number): NdArray {
  const width = elements(shape.slice(1));
  return { shape: [end - start, ...shape.slice(1)], data: data.slice(start * width, end * width) };
}

/** x with the elements set to 0 for which `keep` says no. */
export function masked(x: NdArray, keep: (...index: number[]) => boolean): NdArray {
  return { shape: x.shape, data: x.data.map((value, flat) => (keep(...unravel(x.shape, flat)) ? value : 0)) };
}

/** Roughly normal numbers, the same for the same seed. */
export function noise(count: number, seed: number, deviation = 1): Float64Array {
  const random = seeded(seed);
  const draw = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return Float64Array.from({ length: count }, () => Math.fround(deviation * draw()));
}
