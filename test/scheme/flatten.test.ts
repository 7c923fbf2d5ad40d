import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { flatten, isFlat, type WordEntity } from '../../src/scheme/index.js';

const entity = (type: number, ...words: number[]): WordEntity => ({ type, words });

describe('isFlat', () => {
  test.each<[string, boolean, readonly WordEntity[]]>([
    ['nothing', true, []],
    ['neighbours', true, [entity(0, 2, 3), entity(1, 0, 1), entity(0, 4)]],
    ['one entity twice', true, [entity(0, 1, 2), entity(0, 1, 2)]],
    ['nested', false, [entity(0, 1, 2), entity(0, 2)]],
    ['overlapping', false, [entity(0, 1, 2), entity(1, 2, 3)]],
    ['two types of the same words', false, [entity(0, 1), entity(1, 1)]],
    ['discontinuous', false, [entity(0, 1, 3)]],
  ])('%s: %s', (_, expected, entities) => {
    expect(isFlat(entities)).toBe(expected);
  });

  test('flattening keeps flat entities as they are', () => {
    const runs = fc.tuple(fc.nat(2), fc.nat(8), fc.integer({ min: 1, max: 3 }), fc.double({ min: 0, max: 1 }));
    const entities = fc.array(
      runs.map(([type, first, length, score]) => ({ ...entity(type, ...Array.from({ length }, (__, k) => first + k)), score })), // prettier-ignore
      { maxLength: 4 },
    );
    fc.assert(
      fc.property(entities, (list) => {
        const kept = flatten(list);
        expect(isFlat(kept)).toBe(true);
        if (isFlat(list)) {
          const places = (all: readonly WordEntity[]) =>
            new Set(all.map(({ type, words }) => `${type} ${words.join()}`));
          expect(places(kept)).toEqual(places(list));
        }
      }),
    );
  });
});
