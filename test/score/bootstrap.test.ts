import { describe, expect, test } from 'vitest';
import { philox2x32, uniforms } from '../../src/score/random.js';
import { drawUnits, percentileInterval } from '../../src/score/resample.js';
import { bootstrapIntervals, compareSystems, scoresOf, type Counts, type UnitCounts } from '../../src/score/index.js';

const unit = (counts: Record<string, [gold: number, predicted: number, correct: number]>): UnitCounts =>
  new Map(
    Object.entries(counts).map(([type, [gold, predicted, correct]]): [string, Counts] => [
      type,
      { gold, predicted, correct },
    ]),
  );

/** Units of one gold and one predicted entity each, right with the given probability. */
function units(count: number, accuracy: number, seed: number): UnitCounts[] {
  return Array.from(uniforms(seed, 0, count), (u) => unit({ Gene: [1, 1, Number(u < accuracy)] }));
}

describe('random numbers', () => {
  test.each([
    [[0x00000000, 0x00000000], 0x00000000, [0xff1dae59, 0x6cd10df2]],
    [[0xffffffff, 0xffffffff], 0xffffffff, [0x2c3f628b, 0xab4fd7ad]],
    [[0x243f6a88, 0x85a308d3], 0x13198a2e, [0xdd7ce038, 0xf62a4c12]],
  ] as [[number, number], number, [number, number]][])(
    'the known answers of Random123 for Philox2x32-10: %j',
    (counter, key, expected) => {
      expect(philox2x32(counter, key)).toEqual(expected);
    },
  );

  test('units are drawn evenly, as many as there are, and the same again for the same seed', () => {
    const times = new Int32Array(10);
    for (let sample = 0; sample < 10_000; sample++) {
      for (const k of drawUnits(10, 7, sample)) times[k] = (times[k] ?? 0) + 1;
    }
    for (const count of times) expect(Math.abs(count - 10_000)).toBeLessThan(5 * Math.sqrt(10_000));
    expect([...drawUnits(7, 1, 2)]).toEqual([...drawUnits(7, 1, 2)]);
    expect([...drawUnits(7, 1, 2)]).not.toEqual([...drawUnits(7, 1, 3)]);
    expect([...drawUnits(7, 1, 2)]).not.toEqual([...drawUnits(7, 2, 2)]);
    expect([...drawUnits(7, 1, 2)]).toHaveLength(7);
  });
});

describe('bootstrap intervals', () => {
  test('percentiles are interpolated as NumPy does', () => {
    const values = Float64Array.of(4, 1, 3, 2, 10);
    expect(percentileInterval(values, 0.5)).toEqual({ low: 2, high: 4 });
    const { low, high } = percentileInterval(values, 0.95);
    expect(low).toBeCloseTo(1.1);
    expect(high).toBeCloseTo(9.4);
  });

  test('has the width that the binomial distribution has', () => {
    const all = units(1000, 0.8, 3);
    const { precision } = scoresOf(all).overall;
    const deviation = Math.sqrt((precision * (1 - precision)) / 1000);
    const { low, high } = bootstrapIntervals(all, { samples: 2000, seed: 5 }).overall.precision;
    expect(precision - low).toBeCloseTo(1.96 * deviation, 2);
    expect(high - precision).toBeCloseTo(1.96 * deviation, 2);
    const half = bootstrapIntervals(all, { samples: 2000, seed: 5, level: 0.5 }).overall.precision;
    expect((half.high - half.low) / (high - low)).toBeCloseTo(0.674 / 1.96, 1);
  });

  test('covers the true value as often as it says', () => {
    let covered = 0;
    for (let seed = 0; seed < 200; seed++) {
      const { low, high } = bootstrapIntervals(units(200, 0.8, seed), { samples: 200, seed }).overall.recall;
      if (low <= 0.8 && 0.8 <= high) covered++;
    }
    expect(covered / 200).toBeGreaterThan(0.88);
    expect(covered / 200).toBeLessThan(0.99);
  });

  test('every type has its own, and overall holds all', () => {
    const all = Array.from({ length: 40 }, (_, k) => unit({ Gene: [1, 1, 1], Disease: [2, 1, k % 2] }));
    const { overall, types } = bootstrapIntervals(all);
    expect(types['Gene']?.f1).toEqual({ low: 1, high: 1 });
    expect(types['Disease']?.recall.high).toBeLessThan(0.5);
    expect(overall.f1.low).toBeGreaterThan(types['Disease']?.f1.high ?? 1);
    expect(bootstrapIntervals(all)).toEqual(bootstrapIntervals(all, { seed: 0, samples: 1000, level: 0.95 }));
    expect(bootstrapIntervals(all, { seed: 1 })).not.toEqual(bootstrapIntervals(all));
  });

  test('of nothing is nothing', () => {
    const none = { low: 0, high: 0 };
    expect(bootstrapIntervals([])).toEqual({ overall: { precision: none, recall: none, f1: none }, types: {} });
  });

  test.each([{ samples: 0 }, { samples: 1.5 }, { level: 1 }, { level: 0 }, { seed: -1 }, { seed: 2 ** 32 }])(
    'refuses %j',
    (options) => {
      expect(() => bootstrapIntervals(units(3, 1, 0), options)).toThrow(/^expected .*, found/);
    },
  );
});

describe('two systems on the same units', () => {
  test('equal systems do not differ', () => {
    const all = units(50, 0.7, 1);
    expect(compareSystems(all, all)).toEqual({ difference: 0, interval: { low: 0, high: 0 }, pValue: 1 });
  });

  test('a large difference is sure, and changes its sign with the order', () => {
    const [good, bad] = [units(200, 0.95, 1), units(200, 0.6, 2)];
    const { difference, interval, pValue } = compareSystems(good, bad);
    expect(difference).toBeCloseTo(scoresOf(good).overall.f1 - scoresOf(bad).overall.f1);
    expect(interval.low).toBeGreaterThan(0);
    expect(pValue).toBeCloseTo(1 / 1001);
    const back = compareSystems(bad, good);
    expect(back.difference).toBe(-difference);
    expect(back.interval.low).toBeCloseTo(-interval.high);
    expect(back.pValue).toBe(pValue);
  });

  test('the p-value approaches that of all exchanges', () => {
    const first = [[2, 2, 2], [1, 2, 1], [3, 2, 2], [1, 1, 1], [2, 3, 2], [0, 1, 0], [2, 2, 2], [1, 1, 0]] as const; // prettier-ignore
    const second = [[2, 1, 1], [1, 1, 0], [3, 2, 1], [1, 1, 1], [2, 2, 1], [0, 0, 0], [2, 3, 2], [1, 1, 1]] as const; // prettier-ignore
    const [a, b] = [first, second].map((rows) => rows.map((row) => unit({ Gene: [...row] }))) as [UnitCounts[], UnitCounts[]]; // prettier-ignore
    const difference = (swaps: number): number => {
      const swapped = (k: number) => (swaps >> k) % 2 === 1;
      const mine = a.map((own, k) => (swapped(k) ? (b[k] ?? own) : own));
      const theirs = b.map((own, k) => (swapped(k) ? (a[k] ?? own) : own));
      return scoresOf(mine).overall.f1 - scoresOf(theirs).overall.f1;
    };
    const observed = Math.abs(difference(0)) - 1e-12;
    const all = Array.from({ length: 256 }, (_, swaps) => Math.abs(difference(swaps)));
    const exact = all.filter((value) => value >= observed).length / 256;
    expect(compareSystems(a, b, { samples: 10_000 }).pValue).toBeCloseTo(exact, 1.7);
  });

  test('by measure and type', () => {
    const first = [unit({ Gene: [1, 2, 1], Disease: [1, 1, 1] })];
    const second = [unit({ Gene: [1, 1, 1], Disease: [1, 1, 0] })];
    expect(compareSystems(first, second, { measure: 'precision', type: 'Gene' }).difference).toBe(-0.5);
    expect(compareSystems(first, second, { measure: 'recall', type: 'Disease' }).difference).toBe(1);
    expect(compareSystems(first, second, { measure: 'recall' }).difference).toBe(0.5);
    expect(compareSystems(first, second, { type: 'Chemical' }).difference).toBe(0);
  });

  test('refuses other units and other gold', () => {
    const one = [unit({ Gene: [1, 1, 1] })];
    expect(() => compareSystems(one, [])).toThrow('expected the same units, found 1 and 0');
    expect(() => compareSystems(one, [unit({ Gene: [2, 1, 1] })])).toThrow('found 1 and 2 Gene in unit 0');
    expect(() => compareSystems(one, [unit({ Disease: [1, 1, 1] })])).toThrow('expected the same gold entities');
  });
});
