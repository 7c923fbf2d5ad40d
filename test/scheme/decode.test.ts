import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { decodeCells, decodeGrid, flatten, NNW, THW, type GridView, type LabelLayout } from '../../src/scheme/index.js';
import { layoutSize, shown, span } from './support.js';

type Cell = readonly [row: number, column: number, label: number, probability: number, head?: number];

/** A grid whose cells are None for sure, but for the given ones, whose remaining probability is None's. */
function gridOf(words: number, layout: LabelLayout, types: number, cells: readonly Cell[]): GridView {
  const { heads, classes } = layoutSize(layout, types);
  const probabilities = new Float32Array(words * words * heads * classes);
  for (let cell = 0; cell < probabilities.length; cell += classes) probabilities[cell] = 1;
  for (const [row, column, label, probability, head = 0] of cells) {
    const start = ((row * words + column) * heads + head) * classes;
    probabilities[start] = 1 - probability;
    probabilities[start + label] = probability;
  }
  return { probabilities, offset: 0, words, rowStride: words, heads, classes };
}

describe('entities of a grid', () => {
  test("the paper's example: CD - 832 is one entity, calcium another", () => {
    const cells: Cell[] = [
      [1, 1, THW, 0.95],
      [4, 5, NNW, 0.9],
      [5, 6, NNW, 0.8],
      [6, 4, THW, 0.7],
    ];
    const found = decodeGrid(gridOf(8, 'joint', 1, cells), 'joint');
    expect(found.map(({ words }) => words)).toEqual([[1], [4, 5, 6]]);
    expect(found[0]?.score).toBeCloseTo(0.95);
    expect(found[1]?.score).toBeCloseTo(Math.cbrt(0.9 * 0.8 * 0.7));
  });

  test('a tail and head without a path are no entity, nor is a path without them', () => {
    expect(decodeGrid(gridOf(3, 'joint', 1, [[2, 0, THW, 0.9], [0, 1, NNW, 0.9]]), 'joint')).toEqual([]); // prettier-ignore
    expect(decodeGrid(gridOf(3, 'joint', 1, [[0, 1, NNW, 0.9], [1, 2, NNW, 0.9]]), 'joint')).toEqual([]); // prettier-ignore
  });

  test('nested: "breast cancer" and "familial breast cancer" share their path', () => {
    const cells: Cell[] = [
      [0, 1, NNW, 0.9],
      [1, 2, NNW, 0.9],
      [2, 0, THW, 0.9],
      [2, 1, THW + 1, 0.9],
    ];
    expect(shown(decodeGrid(gridOf(3, 'joint', 2, cells), 'joint'))).toEqual(['0: 0 1 2', '1: 1 2']);
  });

  test('discontinuous: "severe pain" and "severe ... fatigue" of "severe joint pain and fatigue"', () => {
    const cells: Cell[] = [
      [0, 1, NNW, 0.9],
      [1, 2, NNW, 0.9],
      [2, 0, THW, 0.9],
      [0, 4, NNW, 0.9],
      [4, 0, THW, 0.9],
    ];
    expect(shown(decodeGrid(gridOf(5, 'joint', 1, cells), 'joint'))).toEqual(['0: 0 1 2', '0: 0 4']);
  });

  test('typed: the grids of two types do not share paths', () => {
    const cells: Cell[] = [
      [0, 1, NNW, 0.9, 0],
      [1, 0, THW, 0.9, 1],
      [2, 2, THW, 0.9, 1],
    ];
    expect(shown(decodeGrid(gridOf(3, 'typed', 2, cells), 'typed'))).toEqual(['1: 2']);
  });

  test('labels where they have no meaning are passed over, and None wins ties', () => {
    const cells: Cell[] = [
      [1, 0, NNW, 0.9],
      [1, 1, NNW, 0.9],
      [0, 1, THW, 0.9],
      [0, 0, THW, 0.5],
    ];
    expect(decodeGrid(gridOf(2, 'joint', 1, cells), 'joint')).toEqual([]);
  });

  test('a sentence of a padded batch is read in place', () => {
    const entities = gridOf(2, 'joint', 1, [[0, 1, NNW, 0.9], [1, 0, THW, 0.9]]); // prettier-ignore
    const [longest, classes] = [4, 3];
    const batch = new Float32Array(2 * longest * longest * classes).fill(1 / 3);
    const offset = longest * longest * classes;
    for (let row = 0; row < 2; row++) {
      const from = entities.probabilities.subarray(row * 2 * classes, (row + 1) * 2 * classes);
      batch.set(from, offset + row * longest * classes);
    }
    const view = { probabilities: batch, offset, words: 2, rowStride: longest, heads: 1, classes };
    expect(decodeGrid(view, 'joint')).toEqual(decodeGrid(entities, 'joint'));
    expect(() => decodeGrid({ ...view, words: 5 }, 'joint')).toThrow(/^expected .* probabilities/);
    expect(() => decodeGrid({ ...view, offset: offset + 40 }, 'joint')).toThrow(/^expected .* probabilities/);
    expect(decodeGrid({ ...view, words: 0 }, 'joint')).toEqual([]);
  });

  test('cells alone give what the whole grid gives', () => {
    const words = 6;
    const arbitrary = fc.array(
      fc.tuple(
        fc.nat(words - 1),
        fc.nat(words - 1),
        fc.nat(1),
        fc.nat(2),
        fc.double({ min: 0.51, max: 1, noNaN: true }),
      ),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(arbitrary, (cells) => {
        const unique = new Map(
          cells.map(([row, column, head, label, p]) => [
            (row * words + column) * 2 + head,
            { label, p: Math.fround(p) },
          ]),
        );
        const view = gridOf(
          words,
          'typed',
          2,
          [...unique].map(([k, { label, p }]): Cell => [Math.floor(k / 2 / words), Math.floor(k / 2) % words, label, label === 0 ? 0 : p, k % 2]),
        ); // prettier-ignore
        const sparse = {
          cells: [...unique.keys()],
          labels: [...unique.values()].map(({ label }) => label),
          probabilities: [...unique.values()].map(({ p }) => p),
          words,
          rowStride: words,
          heads: 2,
        };
        expect(decodeCells(sparse, 'typed')).toEqual(decodeGrid(view, 'typed'));
      }),
    );
  });
});

describe('scrambled grids', () => {
  /** Every word leads to every later word, and every pair is an entity. */
  const dense = (words: number) => {
    const cells: Cell[] = [];
    for (let row = 0; row < words; row++) {
      for (let column = 0; column < words; column++) cells.push([row, column, column > row ? NNW : THW, 0.9]);
    }
    return gridOf(words, 'joint', 1, cells);
  };

  test('every path is found while there are few', () => {
    expect(decodeGrid(dense(5), 'joint')).toHaveLength(2 ** 5 - 1);
  });

  test('paths are bounded for each cell and in all', () => {
    const paths = decodeGrid(dense(40), 'joint', { maxPaths: 8 });
    const each = new Map<string, number>();
    for (const { words } of paths) {
      const key = `${words[0]} ${words.at(-1)}`;
      each.set(key, (each.get(key) ?? 0) + 1);
    }
    expect(Math.max(...each.values())).toBe(8);
    expect(decodeGrid(dense(60), 'joint', { maxEntities: 100 })).toHaveLength(100);
  });

  test('words that do not lead to the tail are not entered', () => {
    const words = 60;
    const cells: Cell[] = [[words - 1, 0, THW, 0.9]];
    for (let row = 0; row < words - 1; row++) {
      for (let column = row + 1; column < words - 1; column++) cells.push([row, column, NNW, 0.9]);
    }
    expect(decodeGrid(gridOf(words, 'joint', 1, cells), 'joint')).toEqual([]);
    const withStep: Cell[] = [...cells, [30, words - 1, NNW, 0.9]];
    expect(decodeGrid(gridOf(words, 'joint', 1, withStep), 'joint')).toHaveLength(64);
  });

  test('where paths are left out, the most probable steps and cells stay', () => {
    const cells: Cell[] = [
      [0, 1, NNW, 0.6],
      [0, 2, NNW, 0.9],
      [1, 3, NNW, 0.9],
      [2, 3, NNW, 0.9],
      [3, 0, THW, 0.9],
      [3, 2, THW, 0.95],
    ];
    const view = gridOf(4, 'joint', 1, cells);
    expect(shown(decodeGrid(view, 'joint', { maxPaths: 1 }))).toEqual(['0: 0 2 3', '0: 2 3']);
    expect(shown(decodeGrid(view, 'joint', { maxEntities: 1 }))).toEqual(['0: 2 3']);
  });

  test('probabilities that are not numbers label nothing', () => {
    const probabilities = new Float32Array(27).fill(NaN);
    expect(decodeGrid({ probabilities, offset: 0, words: 3, rowStride: 3, heads: 1, classes: 3 }, 'joint')).toEqual([]);
  });
});

describe('flat entities', () => {
  test('the higher score wins, then the longer, then the earlier', () => {
    const entities = [
      { ...span(0, 3), score: 0.8 },
      { ...span(2, 4), score: 0.9 },
      { ...span(5, 6), score: 0.7 },
      { ...span(5, 7), score: 0.7 },
      { ...span(8, 10), score: 0.5 },
      { ...span(9, 11), score: 0.5 },
    ];
    expect(shown(flatten(entities))).toEqual(['0: 2 3', '0: 5 6', '0: 8 9']);
  });

  test('discontinuous entities may interleave but not share a word', () => {
    const entities = [
      { type: 0, words: [0, 2], score: 0.9 },
      { type: 1, words: [1, 3], score: 0.8 },
      { type: 1, words: [1, 2], score: 0.7 },
    ];
    expect(shown(flatten(entities))).toEqual(['0: 0 2', '1: 1 3']);
  });

  test('decoding resolves overlaps on request', () => {
    const view = gridOf(2, 'joint', 1, [[0, 1, NNW, 0.9], [1, 0, THW, 0.9], [1, 1, THW, 0.95]]); // prettier-ignore
    expect(shown(decodeGrid(view, 'joint'))).toEqual(['0: 0 1', '0: 1']);
    expect(shown(decodeGrid(view, 'joint', { flat: true }))).toEqual(['0: 1']);
  });
});
