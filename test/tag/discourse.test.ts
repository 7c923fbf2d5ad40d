import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { WordEntity } from '../../src/scheme/index.js';
import { oneSensePerDiscourse } from '../../src/tag/discourse.js';

const CHEMICAL = 1;
const text = (...sentences: string[]) => sentences.map((s, k) => ({ words: s.split(' '), follows: k > 0 }));
const entity = (first: number, length = 1, score = 0.95, type = CHEMICAL): WordEntity => ({
  type,
  words: Array.from({ length }, (_, k) => first + k),
  score,
});
const places = (found: readonly (readonly WordEntity[])[]) =>
  found.map((entities) => entities.map(({ words }) => words));

describe('oneSensePerDiscourse', () => {
  test('marks a name in the places that were missed', () => {
    const sentences = text('PTU was given', 'high PTU dose', 'and PTU', 'less PTU');
    const found = oneSensePerDiscourse(sentences, [[entity(0)], [], [entity(1)], []]);
    expect(places(found)).toEqual([[[0]], [[1]], [[1]], [[1]]]);
    expect(found[1]?.[0]).toEqual({ type: CHEMICAL, words: [1], score: 0.95 * 0.5 });
  });

  test('takes back what few of several places say', () => {
    const sentences = text('a control', 'the control', 'no control', 'control group');
    expect(places(oneSensePerDiscourse(sentences, [[entity(1)], [], [], []]))).toEqual([[], [], [], []]);
  });

  test('a name of two places keeps its one mark, and unsure marks do not spread', () => {
    const sentences = text('a NO donor', 'released NO');
    expect(places(oneSensePerDiscourse(sentences, [[entity(1, 1, 0.6)], []]))).toEqual([[[1]], []]);
  });

  test('what lies inside a longer entity counts as marked and is not marked again', () => {
    const sentences = text('sodium chloride', 'chloride', 'chloride');
    const found = oneSensePerDiscourse(sentences, [[entity(0, 2)], [entity(0)], [entity(0)]]);
    expect(places(found)).toEqual([[[0, 1]], [[0]], [[0]]]);
  });

  test('the longer name wins where both would be marked', () => {
    const sentences = text('acetic acid', 'acid', 'acid', 'acetic acid');
    const found = oneSensePerDiscourse(sentences, [[entity(0, 2)], [entity(0)], [entity(0)], []]);
    expect(places(found)[3]).toEqual([[0, 1]]);
  });

  test('the whole name takes the place of a part of it, of its type and without a gap', () => {
    const sentences = text('chronic fatigue syndrome', 'a chronic fatigue syndrome');
    const whole = [entity(0, 3)];
    expect(places(oneSensePerDiscourse(sentences, [whole, [entity(2)]]))[1]).toEqual([[1, 2, 3]]);
    expect(places(oneSensePerDiscourse(sentences, [whole, [entity(2, 1, 0.95, 0)]]))[1]).toEqual([[2]]);
    expect(places(oneSensePerDiscourse(sentences, [whole, [entity(3, 1), entity(0, 2)]]))[1]).toEqual([[0, 1], [3]]); // prettier-ignore
    const gap = { ...entity(1), words: [1, 3] };
    expect(places(oneSensePerDiscourse(sentences, [whole, [gap]]))[1]).toEqual([[1, 3]]);
  });

  test('where entities may be nested, the whole name is marked beside what lies inside it', () => {
    const sentences = text('chronic fatigue syndrome', 'a chronic fatigue syndrome');
    const found = (part: WordEntity) => places(oneSensePerDiscourse(sentences, [[entity(0, 3)], [part]], false))[1];
    expect(found(entity(2))).toEqual([[1, 2, 3], [2]]);
    expect(found(entity(2, 1, 0.95, 0))).toEqual([[1, 2, 3], [2]]);
    expect(found(entity(0, 2))).toEqual([[0, 1]]);
  });

  test('other texts and places out of reach do not vote; of types the majority wins', () => {
    const two = [...text('PTU here'), ...text('PTU there')];
    expect(places(oneSensePerDiscourse(two, [[entity(0)], []]))).toEqual([[[0]], []]);
    const far = text('PTU here', ...Array<string>(12).fill('nothing'), 'PTU there');
    expect(places(oneSensePerDiscourse(far, [[entity(0)], ...Array<WordEntity[]>(13).fill([])])).at(-1)).toEqual([]);
    const genes = text('PTU', 'PTU', 'PTU', 'PTU');
    const found = oneSensePerDiscourse(genes, [[entity(0, 1, 0.95, 0)], [entity(0)], [entity(0)], []]);
    expect(found.map(([first]) => first?.type)).toEqual([CHEMICAL, CHEMICAL, CHEMICAL, CHEMICAL]);
  });

  test('entities stay in order, inside their sentences, and free of new overlaps; discontinuous ones stay', () => {
    const words = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 6 });
    const marked = words.chain((list) =>
      fc.tuple(
        fc.constant(list),
        fc.array(fc.tuple(fc.nat(list.length - 1), fc.integer({ min: 1, max: 3 }), fc.constantFrom(0.5, 0.95))),
        fc.boolean(),
      ),
    );
    fc.assert(
      fc.property(fc.array(marked, { maxLength: 8 }), (list) => {
        const sentences = list.map(([words, , follows]) => ({ words, follows }));
        const given = list.map(([words, marks]) => {
          const used = new Set<number>();
          return marks
            .map(([first, length, score]) => entity(first, Math.min(length, words.length - first), score))
            .filter(
              (e) =>
                e.words.every((word) => !used.has(word)) && e.words.forEach((word) => used.add(word)) === undefined,
            )
            .sort((x, y) => (x.words[0] ?? 0) - (y.words[0] ?? 0));
        });
        const result = oneSensePerDiscourse(sentences, given);
        expect(result).toHaveLength(sentences.length);
        for (const [k, entities] of result.entries()) {
          const all = entities.flatMap((e) => e.words);
          expect(all).toEqual([...new Set(all)].sort((x, y) => x - y));
          for (const word of all) expect(word).toBeLessThan(sentences[k]?.words.length ?? 0);
        }
      }),
    );
    const split: WordEntity = { type: 0, words: [0, 2], score: 0.1 };
    expect(oneSensePerDiscourse(text('a b c', 'a b c'), [[split], []])).toEqual([[split], []]);
  });
});
