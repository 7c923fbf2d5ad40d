import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { scoresOf, spansKey, StrictScorer, wordsKey, type Keyed } from '../../src/score/index.js';

const entity = (type: string, ...words: number[]): Keyed => ({ type, key: wordsKey(words) });

describe('strict scores', () => {
  test('type and words must both be right', () => {
    const scorer = new StrictScorer();
    scorer.add(
      [entity('Gene', 0, 1), entity('Disease', 4), entity('Disease', 6, 7), entity('Gene', 9)],
      [entity('Gene', 0, 1), entity('Gene', 4), entity('Disease', 6), entity('Disease', 6, 7)],
    );
    expect(scorer.result()).toEqual({
      overall: { precision: 0.5, recall: 0.5, f1: 0.5, gold: 4, predicted: 4, correct: 2 },
      types: {
        Disease: { precision: 0.5, recall: 0.5, f1: 0.5, gold: 2, predicted: 2, correct: 1 },
        Gene: { precision: 0.5, recall: 0.5, f1: 0.5, gold: 2, predicted: 2, correct: 1 },
      },
    });
  });

  test('a discontinuous entity is its words, not its hull', () => {
    const scorer = new StrictScorer();
    scorer.add([entity('Disease', 0, 4)], [entity('Disease', 0, 1, 2, 3, 4)]);
    expect(scorer.result().overall.correct).toBe(0);
    expect(spansKey([{ start: 0, end: 4 }, { start: 9, end: 12 }])).not.toBe(spansKey([{ start: 0, end: 12 }])); // prettier-ignore
  });

  test('what is said twice in a unit counts once; equal places in two units are two entities', () => {
    const scorer = new StrictScorer();
    scorer.add([entity('Gene', 1), entity('Gene', 1)], [entity('Gene', 1), entity('Gene', 1), entity('Gene', 1)]);
    scorer.add([entity('Gene', 1)], []);
    expect(scorer.result().overall).toEqual({
      precision: 1,
      recall: 0.5,
      f1: 2 / 3,
      gold: 2,
      predicted: 1,
      correct: 1,
    });
  });

  test('what is undefined is 0: nothing predicted, nothing gold, nothing at all', () => {
    const nothing = { precision: 0, recall: 0, f1: 0, gold: 0, predicted: 0, correct: 0 };
    expect(new StrictScorer().result()).toEqual({ overall: nothing, types: {} });
    expect(new StrictScorer(['Gene']).result()).toEqual({ overall: nothing, types: { Gene: nothing } });
    const silent = new StrictScorer();
    silent.add([entity('Gene', 1)], []);
    expect(silent.result().overall).toEqual({ ...nothing, gold: 1 });
    const loud = new StrictScorer();
    loud.add([], [entity('Gene', 1)]);
    expect(loud.result().overall).toEqual({ ...nothing, predicted: 1 });
  });

  test('types are sorted, and may have any name', () => {
    const scorer = new StrictScorer();
    scorer.add([entity('b', 1), entity('__proto__', 2), entity('a', 3)], []);
    expect(Object.keys(scorer.result().types)).toEqual(['__proto__', 'a', 'b']);
  });

  test('units keep their counts: any selection can be scored', () => {
    const scorer = new StrictScorer();
    scorer.add([entity('Gene', 1)], [entity('Gene', 1)]);
    scorer.add([entity('Gene', 1)], [entity('Gene', 2)]);
    expect(scorer.units).toHaveLength(2);
    expect(scoresOf(scorer.units.slice(0, 1)).overall.f1).toBe(1);
    expect(scoresOf(scorer.units.slice(1)).overall.f1).toBe(0);
  });

  test('counts add up, and rates are fractions of them', () => {
    const keyed = fc.record({ type: fc.constantFrom('a', 'b', 'c'), key: fc.constantFrom('1', '2', '3', '4') });
    const units = fc.array(fc.tuple(fc.array(keyed, { maxLength: 6 }), fc.array(keyed, { maxLength: 6 })));
    fc.assert(
      fc.property(units, (all) => {
        const scorer = new StrictScorer();
        for (const [gold, predicted] of all) scorer.add(gold, predicted);
        const { overall, types } = scorer.result();
        for (const count of ['gold', 'predicted', 'correct'] as const) {
          expect(Object.values(types).reduce((sum, score) => sum + score[count], 0)).toBe(overall[count]);
        }
        for (const { precision, recall, f1, gold, predicted, correct } of [overall, ...Object.values(types)]) {
          expect(precision * predicted).toBeCloseTo(correct);
          expect(recall * gold).toBeCloseTo(correct);
          expect(f1 * (precision + recall)).toBeCloseTo(2 * precision * recall);
        }
      }),
    );
  });
});
