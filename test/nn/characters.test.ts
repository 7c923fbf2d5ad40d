import { describe, expect, test } from 'vitest';
import { gradient, ops, symbol } from '../../src/graph/index.js';
import { evaluate, type NdArray } from '../../src/graph/reference.js';
import { characterFeatures, Scope } from '../../src/nn/index.js';
import { item, sizeMap } from '../graph/support/check.js';
import { array, build, expectAgree, noise, pick } from '../model/support/arrays.js';

const [alphabet, embedding, filters] = [7, 3, 4];
const ids = ops.input('characters', 'int32', [symbol('sentences'), symbol('words'), symbol('letters')]);
const scope = new Scope(false);
const features = characterFeatures(scope, ids, { alphabet, embedding, filters });
const parameters = new Map(
  scope.parameters.map(({ name, shape }, k) => [
    name,
    array(
      shape,
      noise(
        shape.reduce((a, b) => a * b, 1),
        k,
      ),
    ),
  ]),
);

function parameter(name: string): NdArray {
  const value = parameters.get(name);
  if (value === undefined) throw new Error(`expected a parameter ${name} among ${[...parameters.keys()].join(', ')}`);
  return value;
}

/** Features of words given by their characters' ids, padded to `letters`. */
function featuresOf(words: readonly (readonly number[])[], letters: number): NdArray {
  const padded = words.flatMap((word) => [...word, ...Array<number>(letters - word.length).fill(0)]);
  const values = new Map([...parameters].map(([name, { data }]) => [name, data]));
  values.set('characters', Float64Array.from(padded));
  const [found] = evaluate([features], values, sizeMap({ sentences: 1, words: words.length, letters }));
  return item([found], 0) ?? array([0], []);
}

/** max over the word's positions of relu(convolution of width 3), a word at a time. */
function naive(word: readonly number[]): number[] {
  const table = parameter('characters.embedding.weight');
  const [weight, bias] = [parameter('characters.convolution.weight'), parameter('characters.convolution.bias')];
  return Array.from({ length: filters }, (_, f) => {
    const responses = word.map((_, t) => {
      let sum = pick(bias, f);
      for (const offset of [-1, 0, 1]) {
        const id = word[t + offset];
        if (id === undefined) continue;
        for (let e = 0; e < embedding; e++) sum += pick(weight, f, (offset + 1) * embedding + e) * pick(table, id, e);
      }
      return Math.max(0, sum);
    });
    return Math.max(...responses);
  });
}

describe('characterFeatures', () => {
  const words = [[1, 2, 3, 4, 5], [6], [2, 2], [5, 1, 6]];

  test('each word has the maximum of its own convolution', () => {
    const expected = words.map(naive);
    expectAgree(
      featuresOf(words, 5),
      build([1, 4, filters], (_, n, f) => item(item(expected, n), f)),
      1e-12,
      'features',
    );
  });

  test('more padding changes nothing', () => {
    expect(featuresOf(words, 9)).toEqual(featuresOf(words, 5));
  });

  test('a word of no characters (padding) is 0', () => {
    expect(featuresOf([[], [1]], 2).data.slice(0, filters)).toEqual(new Float64Array(filters));
  });

  test('padding characters get no gradient', () => {
    const table = item(scope.parameters, 0);
    const loss = ops.total(ops.mul(features, features));
    const values = new Map([...parameters].map(([name, { data }]) => [name, data]));
    values.set('characters', Float64Array.of(1, 2, 0, 3, 0, 0));
    const [dx] = evaluate(gradient(loss, [table.tensor]), values, sizeMap({ sentences: 1, words: 2, letters: 3 }));
    expect(dx?.data.slice(0, embedding)).toEqual(new Float64Array(embedding));
    expect(dx?.data.slice(embedding).some((value) => value !== 0)).toBe(true);
  });
});
