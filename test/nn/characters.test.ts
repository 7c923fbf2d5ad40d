import { describe, expect, test } from 'vitest';
import { gradient, ops, symbol, type Tensor } from '../../src/graph/index.js';
import { evaluate, type NdArray } from '../../src/graph/reference.js';
import { characterFeatures, Scope } from '../../src/nn/index.js';
import { elements, Executable, item, sizeMap, type Bindings } from '../graph/support/check.js';
import { array, build, expectAgree, noise, pick } from '../model/support/arrays.js';

const [alphabet, embedding, filters] = [7, 3, 4];
const ids = ops.input('characters', 'int32', [symbol('sentences'), symbol('words'), symbol('letters')]);
type Lookup = (name: string) => NdArray;

interface Reader {
  readonly scope: Scope;
  readonly features: Tensor;
  readonly parameters: ReadonlyMap<string, NdArray>;
  readonly parameter: Lookup;
}

function reader(kind: 'convolution' | 'lstm'): Reader {
  const scope = new Scope(false);
  const features = characterFeatures(scope, ids, { reader: kind, alphabet, embedding, filters });
  const sized = (shape: readonly number[], k: number): NdArray => array(shape, noise(elements(shape), k));
  const parameters = new Map(scope.parameters.map(({ name, shape }, k) => [name, sized(shape, k)]));
  return {
    scope,
    features,
    parameters,
    parameter(name) {
      const value = parameters.get(name);
      if (value === undefined)
        throw new Error(`expected a parameter ${name} among ${[...parameters.keys()].join(', ')}`);
      return value;
    },
  };
}

/** Values of the parameters, and words given by their characters' ids, padded to `letters`. */
function bindings({ parameters }: Reader, words: readonly (readonly number[])[], letters: number): Bindings {
  const padded = words.flatMap((word) => [...word, ...Array<number>(letters - word.length).fill(0)]);
  const values = new Map([...parameters].map(([name, { data }]) => [name, data]));
  return values.set('characters', Float64Array.from(padded));
}

function featuresOf(of: Reader, words: readonly (readonly number[])[], letters: number): NdArray {
  const sizes = sizeMap({ sentences: 1, words: words.length, letters });
  return item(evaluate([of.features], bindings(of, words, letters), sizes), 0);
}

/** max over the word's positions of relu(convolution of width 3), a word at a time. */
function maxima(word: readonly number[], parameter: Lookup): number[] {
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

/** The last states of two LSTMs, one from the first letter to the last and one back, a word at a time. */
function lastStates(word: readonly number[], parameter: Lookup): number[] {
  const table = parameter('characters.embedding.weight');
  const hidden = filters / 2;
  const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
  return ['', '_reverse'].flatMap((suffix) => {
    const [wx, wh, bx, bh] = ['weight_ih', 'weight_hh', 'bias_ih', 'bias_hh'].map((name) =>
      parameter(`characters.lstm.${name}_l0${suffix}`),
    ) as [NdArray, NdArray, NdArray, NdArray];
    let h = Array<number>(hidden).fill(0);
    let c = [...h];
    for (const id of suffix === '' ? word : word.toReversed()) {
      const before = h;
      const gate = (k: number): number => {
        let sum = pick(bx, k) + pick(bh, k);
        for (let e = 0; e < embedding; e++) sum += pick(wx, k, e) * pick(table, id, e);
        for (const [n, x] of before.entries()) sum += pick(wh, k, n) * x;
        return sum;
      };
      c = c.map((x, k) => sigmoid(gate(hidden + k)) * x + sigmoid(gate(k)) * Math.tanh(gate(2 * hidden + k)));
      h = c.map((x, k) => sigmoid(gate(3 * hidden + k)) * Math.tanh(x));
    }
    return h;
  });
}

describe.each([
  ['convolution', 'the maximum of its own convolution', maxima],
  ['lstm', 'the last states of its own LSTMs', lastStates],
] as const)('spelling features by %s', (kind, what, naive) => {
  const words = [[1, 2, 3, 4, 5], [6], [2, 2], [5, 1, 6]];
  const of = reader(kind);

  test(`each word has ${what}`, () => {
    const expected = words.map((word) => naive(word, of.parameter));
    const array = build([1, 4, filters], (_, n, f) => item(item(expected, n), f));
    expectAgree(featuresOf(of, words, 5), array, 1e-12, 'features');
  });

  test('more padding changes nothing', () => {
    expect(featuresOf(of, words, 9)).toEqual(featuresOf(of, words, 5));
  });

  test('a word of no characters (padding) is 0', () => {
    expect(
      featuresOf(of, [[], [1]], 2)
        .data.slice(0, filters)
        .map(Math.abs),
    ).toEqual(new Float64Array(filters));
  });

  test('padding characters get no gradient', () => {
    const table = item(of.scope.parameters, 0);
    const loss = ops.total(ops.mul(of.features, of.features));
    const values = bindings(of, [[1, 2], [3], []], 3);
    const sizes = sizeMap({ sentences: 1, words: 3, letters: 3 });
    const dx = item(evaluate(gradient(loss, [table.tensor]), values, sizes), 0);
    expect(dx.data.slice(0, embedding).map(Math.abs)).toEqual(new Float64Array(embedding));
    expect(dx.data.slice(embedding).some((value) => value !== 0)).toBe(true);
  });

  test('ONNX Runtime computes the same features and gradients', async () => {
    const loss = ops.total(ops.mul(of.features, of.features));
    const outputs = [of.features, ...gradient(loss, of.scope.parameters.map(({ tensor }) => tensor))]; // prettier-ignore
    const sizes = { sentences: 1, words: 5, letters: 6 };
    const values = bindings(of, [...words, []], 6);
    const executable = await Executable.of(outputs);
    const found = await executable.run(values, sizes);
    await executable.release();
    for (const [k, value] of evaluate(outputs, values, sizeMap(sizes)).entries()) {
      expectAgree(item(found, k), value, 1e-5, `output ${k}`);
    }
  });
});
