import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UsageError } from '../../src/errors.js';
import { type BatchLimit, type WindowSize, countBatches, planBatches } from '../../src/train/batching.js';
import { normal } from '../../src/train/random.js';

const size = fc.record({
  pieces: fc.integer({ min: 3, max: 200 }),
  words: fc.integer({ min: 1, max: 120 }),
  sentences: fc.integer({ min: 1, max: 5 }),
});
const limits = fc.oneof(
  fc.record({ kind: fc.constant('fixed' as const), sentences: fc.integer({ min: 1, max: 12 }) }),
  fc.record({
    kind: fc.constant('budget' as const),
    pieces: fc.integer({ min: 50, max: 600 }),
    cells: fc.integer({ min: 500, max: 20_000 }),
    sentences: fc.integer({ min: 1, max: 40 }),
  }),
);

/** Sentence lengths spread like those of abstracts: a median of 23 words, some above 60. */
const typicalSizes: WindowSize[] = Array.from(normal(1, 0, 5000), (z) => {
  const words = Math.max(1, Math.round(23 * Math.exp(0.5 * z)));
  return { words, pieces: Math.round(1.4 * words) + 2, sentences: 1 };
});

describe('planBatches', () => {
  test('has every window once, within the limit unless alone', () => {
    const property = (sizes: WindowSize[], limit: BatchLimit, poolSize: number, seed: number): void => {
      const { batches, padding } = planBatches(sizes, { limit, poolSize }, seed, 0);
      expect(batches.flatMap((batch) => [...batch]).sort((a, b) => a - b)).toEqual([...sizes.keys()]);
      for (const batch of batches) {
        const members = [...batch].map((index) => sizes[index] ?? { pieces: 0, words: 0, sentences: 0 });
        const pieces = members.length * Math.max(...members.map((member) => member.pieces));
        const sentences = members.reduce((sum, member) => sum + member.sentences, 0);
        const cells = sentences * Math.max(...members.map((member) => member.words)) ** 2;
        if (batch.length > 1) expect(sentences).toBeLessThanOrEqual(limit.sentences ?? Infinity);
        if (limit.kind === 'budget' && batch.length > 1) {
          expect(pieces).toBeLessThanOrEqual(limit.pieces);
          expect(cells).toBeLessThanOrEqual(limit.cells);
        }
      }
      for (const share of [padding.pieces, padding.cells]) {
        expect(share).toBeGreaterThanOrEqual(0);
        expect(share).toBeLessThan(1);
      }
    };
    fc.assert(fc.property(fc.array(size, { maxLength: 120 }), limits, fc.nat(50), fc.nat(), property));
  });

  test('is a function of seed and epoch', () => {
    const config = { limit: { kind: 'fixed', sentences: 8 }, poolSize: 512 } as const;
    const plan = planBatches(typicalSizes, config, 1, 0);
    expect(planBatches(typicalSizes, config, 1, 0)).toEqual(plan);
    expect(planBatches(typicalSizes, config, 2, 0)).not.toEqual(plan);
    expect(planBatches(typicalSizes, config, 1, 1)).not.toEqual(plan);
  });

  test('sorting within pools saves most of the padding, and lengths do not come in order', () => {
    const limit = { kind: 'fixed', sentences: 8 } as const;
    const mixed = planBatches(typicalSizes, { limit, poolSize: 0 }, 1, 0).padding;
    const { padding, batches } = planBatches(typicalSizes, { limit, poolSize: 1024 }, 1, 0);
    expect(mixed.cells).toBeGreaterThan(0.6);
    expect(padding.cells).toBeLessThan(0.1);
    expect(padding.pieces).toBeLessThan(0.05);
    const firstWords = batches.map(([index = 0]) => typicalSizes[index]?.words ?? 0);
    const rises = firstWords.filter((words, k) => words > (firstWords[k - 1] ?? Infinity)).length;
    expect(rises / batches.length).toBeGreaterThan(0.4);
    expect(rises / batches.length).toBeLessThan(0.6);
  });

  test('counts the batches of all epochs', () => {
    const config = { limit: { kind: 'budget', pieces: 512, cells: 16_384 }, poolSize: 256 } as const;
    const counts = [0, 1, 2].map((epoch) => planBatches(typicalSizes, config, 5, epoch).batches.length);
    expect(countBatches(typicalSizes, config, 5, 3)).toBe(counts.reduce((sum, count) => sum + count, 0));
  });

  test('a window over the budget is a batch alone', () => {
    const sizes = [4, 400, 5].map((words) => ({ words, pieces: words, sentences: 1 }));
    const limit = { kind: 'budget', pieces: 100, cells: 1000 } as const;
    const { batches } = planBatches(sizes, { limit, poolSize: 10 }, 1, 0);
    expect(batches.map((batch) => [...batch].sort()).sort()).toEqual([[0, 2], [1]]);
  });

  test('no sentences, no batches; limits that cannot be meant are refused', () => {
    expect(planBatches([], { limit: { kind: 'fixed', sentences: 8 }, poolSize: 8 }, 1, 0).batches).toEqual([]);
    const bad = { limit: { kind: 'budget', pieces: 0, cells: 1 }, poolSize: 8 } as const;
    expect(() => planBatches([], bad, 1, 0)).toThrow(UsageError);
  });
});
