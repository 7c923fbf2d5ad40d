import { describe, expect, test } from 'vitest';
import { gridLabels, NNW, THW, type LabelLayout, type WordEntity } from '../../src/scheme/index.js';
import { span } from './support.js';

/** The cells that are not None, as `row,column,head: label`. */
function labelled(entities: readonly WordEntity[], words: number, layout: LabelLayout, heads: number): string[] {
  const target = new Uint8Array(words * words * heads);
  gridLabels(entities, words, layout, heads, target);
  return [...target.entries()].flatMap(([cell, label]) => {
    const pair = Math.floor(cell / heads);
    return label === 0 ? [] : [`${Math.floor(pair / words)},${pair % words},${cell % heads}: ${label}`];
  });
}

describe('labels of word pairs', () => {
  test("the paper's example: CD - 832 and calcium in 'new calcium antagonist , CD - 832 ,'", () => {
    const [chemical, calcium, cd, hyphen, number] = [0, 1, 4, 5, 6];
    const entities = [
      { type: chemical, words: [calcium] },
      { type: chemical, words: [cd, hyphen, number] },
    ];
    expect(labelled(entities, 8, 'joint', 1)).toEqual([
      `${calcium},${calcium},0: ${THW}`,
      `${cd},${hyphen},0: ${NNW}`,
      `${hyphen},${number},0: ${NNW}`,
      `${number},${cd},0: ${THW}`,
    ]);
  });

  test('a discontinuous entity skips the words between', () => {
    expect(labelled([{ type: 0, words: [0, 1, 4] }], 5, 'joint', 1)).toEqual(['0,1,0: 1', '1,4,0: 1', '4,0,0: 2']);
  });

  test('joint labels number the types after THW, typed ones have a grid for each type', () => {
    const entities = [span(0, 2, 0), span(2, 3, 2)];
    expect(labelled(entities, 3, 'joint', 1)).toEqual(['0,1,0: 1', '1,0,0: 2', '2,2,0: 4']);
    expect(labelled(entities, 3, 'typed', 3)).toEqual(['0,1,0: 1', '1,0,0: 2', '2,2,2: 2']);
  });

  test('a joint cell of two types keeps the first of the list, in whatever order, and says so', () => {
    const entities = [span(1, 3, 2), span(1, 3, 1)];
    for (const order of [entities, [...entities].reverse()]) {
      const target = new Int32Array(9);
      expect(gridLabels(order, 3, 'joint', 1, target)).toEqual([{ tail: 2, head: 1, kept: 1, lost: 2 }]);
      expect(target[2 * 3 + 1]).toBe(THW + 1);
    }
  });

  test('an entity given twice, and typed layouts, collide nowhere', () => {
    expect(gridLabels([span(0, 2), span(0, 2)], 2, 'joint', 1, new Int32Array(4))).toEqual([]);
    expect(gridLabels([span(0, 2, 0), span(0, 2, 1)], 2, 'typed', 2, new Int32Array(8))).toEqual([]);
  });

  test.each<[string, WordEntity]>([
    ['words that do not ascend', { type: 0, words: [2, 1] }],
    ['a word outside', { type: 0, words: [1, 3] }],
    ['no words', { type: 0, words: [] }],
    ['a type outside', { type: 2, words: [1] }],
    ['no type', { type: -1, words: [1] }],
  ])('refuses %s', (_, entity) => {
    expect(() => gridLabels([entity], 3, 'typed', 2, new Int32Array(18))).toThrow(/^expected .*, found/);
  });

  test('refuses a target of another size and a joint layout of several heads', () => {
    expect(() => gridLabels([], 3, 'joint', 1, new Int32Array(10))).toThrow('expected a target of 3 x 3 x 1 labels');
    expect(() => gridLabels([], 3, 'joint', 2, new Int32Array(18))).toThrow('expected 1 head');
  });
});
