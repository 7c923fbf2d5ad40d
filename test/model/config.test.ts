import { describe, expect, test } from 'vitest';
import { buildModel, modelConfigSchema } from '../../src/model/index.js';
import { item } from '../graph/support/check.js';
import { batchOf, labelsOf, masksOf, parametersOf, sentence, tinyEncoder, tinySequence, valuesOf } from './support/tiny.js'; // prettier-ignore

const twoLayers = { ...tinyEncoder, num_hidden_layers: 2 };

function problemsOf(changes: Readonly<Record<string, unknown>>): string[] {
  const result = modelConfigSchema.safeParse({ kind: 'sequence', types: ['A'], encoder: twoLayers, ...changes });
  return result.error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];
}

describe('a config that does not fit its encoder', () => {
  test.each([
    [{ guidance: { layers: [-2, 2], alpha: 1 } }, 'guidance.layers: expected layers from -2 to 1, found 2'],
    [{ guidance: { layers: [-3], alpha: 1 } }, 'guidance.layers: expected layers from -2 to 1, found -3'],
    [
      { guidance: { layers: [-1, 1], alpha: 1 } },
      'guidance.layers: expected each layer once, found layer 1 as -1 and 1',
    ],
    [
      { guidance: { layers: [1, 0, 0], alpha: 1 } },
      'guidance.layers: expected each layer once, found layer 0 as 0 and 0',
    ],
    [{ featureLayers: 3 }, "featureLayers: expected at most the encoder's 2 layers, found 3"],
  ])('%j', (changes, message) => {
    expect(problemsOf(changes)).toEqual([message]);
  });

  test('the edges fit', () => {
    expect(problemsOf({ guidance: { layers: [-2, -1], alpha: 1 }, featureLayers: 2 })).toEqual([]);
    expect(problemsOf({ guidance: { layers: [0, 1], alpha: 1 } })).toEqual([]);
    expect(problemsOf({ guidance: { layers: [-1, 0], alpha: 1 } })).toEqual([]);
  });

  test('without featureLayers, four layers are averaged, or all of fewer', () => {
    expect(tinySequence({ encoder: twoLayers }).featureLayers).toBe(2);
    expect(tinySequence({ encoder: { ...twoLayers, num_hidden_layers: 7 } }).featureLayers).toBe(4);
  });
});

test('two directions share an even width', () => {
  const [odd, message] = [
    { reader: 'lstm', filters: 5 },
    'expected an even number for two directions, found an odd one',
  ];
  expect(problemsOf({ characters: odd })).toEqual([`characters.filters: ${message}`]);
  expect(problemsOf({ characters: { ...odd, reader: 'convolution' } })).toEqual([]);
});

describe('a config without an encoder', () => {
  const words = { vocabulary: 10 };
  test.each([
    [{ encoder: null }, 'words: expected word embeddings in place of an encoder, found null'],
    [{ words }, 'words: expected null beside an encoder, found settings'],
    [{ encoder: null, words, prefix: 3 }, 'prefix: expected 0 without an encoder, found 3'],
    [{ encoder: null, words, guidance: { layers: [-1], alpha: 1 } }, 'guidance: expected null without an encoder, found settings'], // prettier-ignore
  ])('%j', (changes, message) => {
    expect(problemsOf(changes)).toEqual([message]);
  });

  test('has no prefix and reads words as the defaults say', () => {
    const config = modelConfigSchema.parse({ kind: 'sequence', types: ['A'], encoder: null, words });
    expect(config).toMatchObject({ prefix: 0, words: { embedding: 200, minCount: 2, lowercase: true } });
  });
});

describe('guidance', () => {
  test('without both of its terms is refused', () => {
    const guidance = { layers: [-1], alpha: 1, withPrefix: false, withoutPrefix: false };
    expect(problemsOf({ guidance })).toEqual([
      'guidance: expected withPrefix or withoutPrefix, found neither: null switches the guidance off',
    ]);
  });

  test('adds alpha / 2 of each term that is on', () => {
    const { values, sizes } = batchOf([[sentence(1, 1, 2)]]);
    const totals = (guidance: Record<string, unknown> | null): number[] => {
      const config = tinySequence({
        guidance: guidance === null ? null : { layers: [-1], alpha: 0.5, ...guidance },
      });
      const model = buildModel(config, true);
      const { total, guidance: terms } = model.losses;
      const tensors = [total, ...[terms?.withPrefix, terms?.withoutPrefix].filter((x) => x !== undefined)];
      const others = [values, masksOf(model, sizes, 'ones'), labelsOf(config, sizes), parametersOf(model)];
      return valuesOf(tensors, sizes, ...others).map((value) => value.data[0] ?? NaN);
    };
    const [ner = NaN] = totals(null);
    const [both = NaN, p = NaN, o = NaN] = totals({});
    expect(both).toBeCloseTo(ner + 0.25 * (p + o), 12);
    const [onlyP, alsoP] = totals({ withoutPrefix: false });
    expect([item([onlyP], 0), alsoP]).toEqual([expect.closeTo(ner + 0.25 * p, 12), p]);
    const [onlyO, alsoO] = totals({ withPrefix: false });
    expect([item([onlyO], 0), alsoO]).toEqual([expect.closeTo(ner + 0.25 * o, 12), o]);
    expect(p).not.toBeCloseTo(o, 3);
  });
});
