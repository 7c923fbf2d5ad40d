import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/errors.js';
import { ownsMention, planWindows } from '../../src/text/index.js';

const ones = (count: number): number[] => new Array<number>(count).fill(1);

describe('planWindows', () => {
  it('needs no window for nothing and one for what fits', () => {
    expect(planWindows([], 10, 2)).toEqual([]);
    expect(planWindows([3, 3, 4], 10, 2)).toEqual([{ from: 0, to: 3, ownFrom: 0, ownTo: 3 }]);
  });

  it('overlaps, owns up to the middle of the overlap, and fills the last window from the left', () => {
    expect(planWindows(ones(20), 10, 4)).toEqual([
      { from: 0, to: 10, ownFrom: 0, ownTo: 8 },
      { from: 6, to: 16, ownFrom: 8, ownTo: 13 },
      { from: 10, to: 20, ownFrom: 13, ownTo: 20 },
    ]);
  });

  it('gives a word with more pieces than the limit a window to itself', () => {
    expect(planWindows([1, 50, 1], 10, 2).map(({ from, to }) => [from, to])).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
    ]);
  });

  it('refuses impossible limits', () => {
    expect(() => planWindows([1], 0, 0)).toThrow(UsageError);
    expect(() => planWindows([1], 10, -1)).toThrow(UsageError);
  });

  const sentence = fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 80 });

  it('partitions the words into own regions inside windows within the limit', () => {
    fc.assert(
      fc.property(
        sentence,
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 0, max: 20 }),
        (pieces, limit, overlap) => {
          let owned = 0;
          for (const { from, to, ownFrom, ownTo } of planWindows(pieces, limit, overlap)) {
            expect(ownFrom).toBe(owned);
            expect(from <= ownFrom && ownFrom < ownTo && ownTo <= to).toBe(true);
            const total = pieces.slice(from, to).reduce((sum, count) => sum + count, 0);
            expect(total <= limit || to - from === 1).toBe(true);
            owned = ownTo;
          }
          expect(owned).toBe(pieces.length);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('lets exactly one window keep a mention of up to half the overlap, and that window sees it whole', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.nat(), fc.integer({ min: 1, max: 8 }), (count, at, length) => {
        const first = at % count;
        const last = Math.min(count - 1, first + length - 1);
        const keepers = planWindows(ones(count), 40, 16).filter((window) => ownsMention(window, first, last));
        expect(keepers).toHaveLength(1);
        expect(keepers.every(({ from, to }) => from <= first && last < to)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('is linear: a million words', () => {
    const windows = planWindows(ones(1_000_000), 510, 64);
    expect(windows.at(-1)?.ownTo).toBe(1_000_000);
  });
});
