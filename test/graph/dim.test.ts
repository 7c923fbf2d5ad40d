import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addDims,
  at,
  broadcastShapes,
  dimKey,
  evaluateDim,
  multiplyDims,
  sameDim,
  sameShape,
  shapeKey,
  sizeOf,
  symbol,
  type Dim,
} from '../../src/graph/dim.js';

const names = ['batch', 'pieces', 'words'];
const polynomial: fc.Arbitrary<Dim> = fc.letrec<{ dim: Dim }>((tie) => ({
  dim: fc.oneof(
    { maxDepth: 3 },
    fc.integer({ min: -3, max: 12 }),
    fc.constantFrom(...names).map(symbol),
    fc.tuple(tie('dim'), tie('dim')).map(([a, b]) => addDims(a, b)),
    fc.tuple(tie('dim'), tie('dim')).map(([a, b]) => multiplyDims(a, b)),
  ),
})).dim;
const sizes = fc
  .tuple(fc.nat(9), fc.nat(9), fc.nat(9))
  .map((values) => new Map(names.map((name, k) => [name, values[k] ?? 0])));

const [batch, pieces, words] = names.map(symbol) as [Dim, Dim, Dim];
const negative = (dim: Dim): Dim => multiplyDims(-1, dim);

describe('sizes', () => {
  test('arithmetic commutes with giving the symbols their sizes', () => {
    fc.assert(
      fc.property(polynomial, polynomial, sizes, (a, b, values) => {
        expect(evaluateDim(addDims(a, b), values)).toBe(evaluateDim(a, values) + evaluateDim(b, values));
        expect(evaluateDim(multiplyDims(a, b), values)).toBeCloseTo(evaluateDim(a, values) * evaluateDim(b, values), 9);
      }),
    );
  });

  test('equal polynomials have one key, however they were made', () => {
    fc.assert(
      fc.property(polynomial, polynomial, polynomial, (a, b, c) => {
        expect(dimKey(addDims(a, b))).toBe(dimKey(addDims(b, a)));
        expect(dimKey(multiplyDims(a, b))).toBe(dimKey(multiplyDims(b, a)));
        expect(dimKey(addDims(addDims(a, b), c))).toBe(dimKey(addDims(a, addDims(b, c))));
        expect(dimKey(multiplyDims(multiplyDims(a, b), c))).toBe(dimKey(multiplyDims(a, b, c)));
        expect(dimKey(multiplyDims(a, addDims(b, c)))).toBe(dimKey(addDims(multiplyDims(a, b), multiplyDims(a, c))));
      }),
    );
  });

  test('what cancels becomes a number', () => {
    fc.assert(
      fc.property(polynomial, fc.integer({ min: 0, max: 9 }), (a, k) => {
        expect(sameDim(addDims(a, negative(a)), 0)).toBe(true);
        expect(sameDim(addDims(addDims(a, k), negative(a)), k)).toBe(true);
        expect(sameDim(multiplyDims(a, 0), 0)).toBe(true);
        expect(sameDim(multiplyDims(a, 1), a)).toBe(true);
        expect(sameDim(addDims(a, 0), a)).toBe(true);
      }),
    );
  });

  test('sizes that agree for all values are the same, others are not', () => {
    expect(sameDim(multiplyDims(words, batch), multiplyDims(batch, words))).toBe(true);
    expect(sameDim(multiplyDims(words, words), multiplyDims(2, words))).toBe(false);
    expect(sameDim(words, pieces)).toBe(false);
    expect(sameDim(addDims(words, 1), words)).toBe(false);
  });

  test('keys read as polynomials, the constant last', () => {
    expect(dimKey(addDims(pieces, 11))).toBe('pieces+11');
    expect(dimKey(multiplyDims(batch, pieces))).toBe('batch*pieces');
    expect(shapeKey([batch, multiplyDims(2, words), 3])).toBe('[batch, 2*words, 3]');
  });

  test('a symbol without a size is an error that names it', () => {
    expect(() => evaluateDim(addDims(words, 1), new Map([['batch', 2]]))).toThrow('expected a size for words');
  });
});

describe('shapes', () => {
  test('the number of elements is the product of the axes', () => {
    expect(sizeOf([])).toBe(1);
    expect(sizeOf([2, 3])).toBe(6);
    expect(dimKey(sizeOf([batch, 3, words, words]))).toBe('3*batch*words*words');
  });

  test('axes count from either end and stay inside the shape', () => {
    expect(at([batch, 3], 0)).toBe(batch);
    expect(at([batch, 3], -1)).toBe(3);
    expect(() => at([batch, 3], 2)).toThrow('expected an axis of [batch, 3], found 2');
    expect(() => at([batch, 3], -3)).toThrow('found -3');
  });

  test('broadcasting stretches axes of size 1 and no others', () => {
    expect(sameShape(broadcastShapes([batch, 1, 3], [words, 1]), [batch, words, 3])).toBe(true);
    expect(sameShape(broadcastShapes([], [words, 1]), [words, 1])).toBe(true);
    expect(sameShape(broadcastShapes([1], [words]), [words])).toBe(true);
    expect(() => broadcastShapes([batch, 3], [words, 3])).toThrow('[batch, 3] and [words, 3]');
    expect(() => broadcastShapes([2], [3])).toThrow('[2] and [3]');
    expect(() => broadcastShapes([words], [2])).toThrow('[words] and [2]');
  });

  test('broadcasting is symmetric', () => {
    const shape = fc.array(fc.constantFrom<Dim>(1, 1, 3, batch, words), { maxLength: 4 });
    const result = (f: () => readonly Dim[]): string => {
      try {
        return shapeKey(f());
      } catch {
        return 'error';
      }
    };
    fc.assert(
      fc.property(shape, shape, (a, b) => {
        expect(result(() => broadcastShapes(a, b))).toBe(result(() => broadcastShapes(b, a)));
      }),
    );
  });
});
