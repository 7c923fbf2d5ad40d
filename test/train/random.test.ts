import { describe, expect, test } from 'vitest';
import { UsageError } from '../../src/errors.js';
import { inverseNormal } from '../../src/train/inverse-normal.js';
import {
  type Words,
  fillDropoutMask,
  fillDropoutMaskBytes,
  normal,
  philox4x32,
  shuffle,
} from '../../src/train/random.js';

const hex = (words: readonly number[]): string => words.map((word) => word.toString(16).padStart(8, '0')).join(' ');

function bytes(length: number, keep: number, seed = 1, step = 0, site = 0): Uint8Array {
  const out = new Uint8Array(length);
  fillDropoutMaskBytes(out, keep, { seed, step, site });
  return out;
}

/** Correlation coefficient of two masks. */
function correlation(a: Uint8Array, b: Uint8Array): number {
  const mean = (x: Uint8Array): number => x.reduce((sum, value) => sum + value, 0) / x.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  let [product, squareA, squareB] = [0, 0, 0];
  a.forEach((value, k) => {
    const [x, y] = [value - meanA, (b[k] ?? 0) - meanB];
    product += x * y;
    squareA += x * x;
    squareB += y * y;
  });
  return product / Math.sqrt(squareA * squareB);
}

describe('philox4x32', () => {
  test.each<[Words, [number, number], string]>([
    [[0, 0, 0, 0], [0, 0], '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
    [[0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff], [0xffffffff, 0xffffffff], '408f276d 41c83b0e a20bc7c6 6d5451fd'],
    [[0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0], 'd16cfe09 94fdcceb 5001e420 24126ea1'],
  ])('gives the known answers of Random123 for %j', (counter, key, expected) => {
    expect(hex(philox4x32(counter, key))).toBe(expected);
  });
});

describe('dropout masks', () => {
  const keep = 0.9;

  test('are the 16-bit halves of the Philox words of (block, step, site), low halves first, four blocks at a time', () => {
    const seed = 2 ** 33 + 5;
    const mask = bytes(64, keep, seed, 7, 3);
    const threshold = Math.round(keep * 65536);
    for (let index = 0; index < mask.length; index++) {
      const inGroup = index % 32;
      const block = 4 * Math.floor(index / 32) + (inGroup % 4);
      const word = philox4x32([block, 7, 3, 1], [5, 2])[Math.floor(inGroup / 8)] ?? 0;
      const half = inGroup % 8 < 4 ? word & 0xffff : word >>> 16;
      expect(mask[index]).toBe(half < threshold ? 1 : 0);
    }
  });

  test.each([1, 31, 32, 33, 16_384, 16_385, 70_001])('of %i floats agree with the bytes and scale by 1/keep', (n) => {
    const floats = new Float32Array(n);
    fillDropoutMask(floats, keep, { seed: 1, step: 0, site: 0 });
    const expected = Float32Array.from(bytes(n, keep), (bit) => bit / keep);
    expect(floats).toEqual(expected);
  });

  test('of different lengths share their beginning', () => {
    expect(bytes(100_000, keep).subarray(0, 777)).toEqual(bytes(777, keep));
  });

  test.each([0.1, 0.5, 0.67, 0.9])('keep the share %f within four standard deviations', (probability) => {
    const n = 1_000_000;
    const kept = bytes(n, probability).reduce((sum, bit) => sum + bit, 0);
    expect(Math.abs(kept / n - probability)).toBeLessThan(4 * Math.sqrt((probability * (1 - probability)) / n));
  });

  test('keep everything at probability 1', () => {
    expect(bytes(1000, 1).every((bit) => bit === 1)).toBe(true);
  });

  test('are uncorrelated between seeds, steps, sites and neighbouring elements', () => {
    const n = 200_000;
    const base = bytes(n + 64, 0.5, 1, 5, 5);
    const first = base.subarray(0, n);
    const others = [
      bytes(n, 0.5, 2, 5, 5),
      bytes(n, 0.5, 1 + 2 ** 32, 5, 5),
      bytes(n, 0.5, 1, 6, 5),
      bytes(n, 0.5, 1, 5, 6),
      ...[1, 4, 8, 16, 32, 64].map((shift) => base.subarray(shift, n + shift)),
    ];
    for (const other of others) expect(Math.abs(correlation(first, other))).toBeLessThan(4.5 / Math.sqrt(n));
  });

  test('refuse an impossible probability or seed', () => {
    expect(() => bytes(1, 0)).toThrow(UsageError);
    expect(() => bytes(1, 1.1)).toThrow(/above 0 and at most 1, found 1.1/);
    expect(() => bytes(1, 0.5, -1)).toThrow(/seed/);
  });
});

describe('shuffle', () => {
  test('is a permutation that depends on seed, epoch and stream alone', () => {
    const order = shuffle(3, 1, 1000);
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, k) => k));
    expect(shuffle(3, 1, 1000)).toEqual(order);
    for (const other of [shuffle(4, 1, 1000), shuffle(3, 2, 1000), shuffle(3, 1, 1000, 1)]) {
      expect(other).not.toEqual(order);
    }
    expect(shuffle(3, 1, 0)).toHaveLength(0);
  });

  test('puts every element everywhere equally often', () => {
    const [n, runs] = [6, 12_000];
    const counts = Array.from({ length: n }, () => new Array<number>(n).fill(0));
    for (let seed = 0; seed < runs; seed++) {
      shuffle(seed, 0, n).forEach((element, place) => {
        const row = counts[place];
        if (row !== undefined) row[element] = (row[element] ?? 0) + 1;
      });
    }
    const expected = runs / n;
    const chiSquare = counts.flat().reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    expect(chiSquare).toBeLessThan(52.6); // 99.9th percentile with 25 degrees of freedom
  });

  test('has not changed: an order is part of what a seed means', () => {
    expect([...shuffle(1, 0, 10)]).toEqual([1, 9, 8, 3, 4, 0, 5, 7, 6, 2]);
  });
});

describe('normal', () => {
  test('has the moments of the standard normal distribution', () => {
    const n = 200_000;
    const sample = normal(1, 1, n);
    const moment = (power: number): number => sample.reduce((sum, x) => sum + x ** power, 0) / n;
    expect(Math.abs(moment(1))).toBeLessThan(4 / Math.sqrt(n));
    expect(Math.abs(moment(2) - 1)).toBeLessThan(4 * Math.sqrt(2 / n));
    expect(Math.abs(moment(3))).toBeLessThan(4 * Math.sqrt(15 / n));
    expect(Math.abs(moment(4) - 3)).toBeLessThan(4 * Math.sqrt(96 / n));
  });

  test('differs between streams, and a shorter sample is the beginning of a longer one', () => {
    expect(normal(1, 2, 8)).not.toEqual(normal(1, 1, 8));
    expect(normal(1, 1, 100).subarray(0, 7)).toEqual(normal(1, 1, 7));
  });

  test('has the same bits everywhere', () => {
    const bits = new Uint32Array(normal(42, 0, 4).buffer);
    expect(hex([...bits])).toBe('3ebddba2 bf000afc be1f1f04 3f3a64fc');
  });

  test('inverts the distribution function: published quantiles to 15 digits', () => {
    const quantiles: [number, number][] = [
      [0.5, 0],
      [0.975, 1.959963984540054],
      [0.999, 3.090232306167813],
      [1e-9, -5.997807015007686],
      [1e-20, -9.262340089798409],
    ];
    for (const [p, z] of quantiles) expect(inverseNormal(p)).toBeCloseTo(z, 13);
  });
});
