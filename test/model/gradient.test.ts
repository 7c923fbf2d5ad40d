import { describe, expect, test } from 'vitest';
import { gradient } from '../../src/graph/index.js';
import { buildModel, type ModelConfig } from '../../src/model/index.js';
import { Executable, item } from '../graph/support/check.js';
import { array, expectAgree, largest, noise } from './support/arrays.js';
import {
  batchOf,
  gazetteerOf,
  labelsOf,
  masksOf,
  parametersOf,
  sentence,
  teacherOf,
  tinySequence,
  tinyWords,
  tinyWordPair,
  valueOf,
  valuesOf,
  VOCABULARY,
} from './support/tiny.js';

const STEP = 2e-5;

const characters = { embedding: 3, filters: 4, limit: 6 };

/** Two sentences of 3 and 2 words in windows of their own. */
const { values: inputs, sizes } = batchOf([[sentence(1, 1, 2, 1)], [sentence(2, 2, 1)]]);

/** A config; where one is not annotated, 0 for each sentence and type; the share of teachers in the loss. */
const cases: readonly [string, ModelConfig, readonly number[] | undefined, number?][] = [
  ['word pairs, typed labels, one type not annotated', tinyWordPair({ labels: 'typed' }), [1, 1, 1, 0]],
  ['word pairs, joint labels, dilation 2', tinyWordPair({ dilation: 2, noneBias: 2 }), undefined],
  ['sequence, typed BIOES labels', tinySequence({ labels: 'typed', scheme: 'BIOES' }), [0, 1, 1, 1]],
  [
    'sequence, CRF over typed BIOES labels, Loss_o alone',
    tinySequence({
      labels: 'typed',
      scheme: 'BIOES',
      crf: true,
      guidance: { layers: [0], alpha: 0.5, withPrefix: false },
    }),
    [0, 1, 1, 1],
  ],
  ['sequence, CRF over joint labels', tinySequence({ crf: true, lstm: null, noneBias: 1 }), undefined],
  ['word embeddings, BiLSTM-CRF', tinyWords({ crf: true, characters: { ...characters, reader: 'lstm' } }), undefined],
  ['word pairs, typed labels and teachers', tinyWordPair({ labels: 'typed' }), [1, 1, 1, 0], 0.25],
  ['sequence, typed BIO labels and teachers', tinySequence({ labels: 'typed' }), [0, 1, 1, 1], 0.5],
  ['sequence, CRF over typed labels and teachers', tinySequence({ labels: 'typed', crf: true }), [0, 1, 1, 1], 0.5],
  ['sequence, a gazetteer of two classes', tinySequence({ labels: 'typed', gazetteer: ['A', 'B'] }), [0, 1, 1, 1]],
  ['sequence, BERT + linear', tinySequence({ lstm: null, characters: null, prefix: 0, guidance: null }), undefined],
];

describe.each(cases)('%s', (_, config, annotated, teacherWeight = 0) => {
  const model = buildModel(config, true, teacherWeight);
  const { scope, losses } = model;
  const tensors = scope.parameters.map(({ tensor }) => tensor);
  const parameters = parametersOf(model);
  const labels = [...labelsOf(config, sizes, annotated), ...(teacherWeight === 0 ? [] : teacherOf(config, sizes))];
  const marks = gazetteerOf(config, sizes);
  const others = new Map([...inputs, ...marks, ...masksOf(model, sizes, 7), ...labels]);
  const gradients = gradient(losses.total, tensors);
  const expected = valuesOf([losses.total, ...gradients], sizes, others, parameters);

  test('dropout masks of every kind are on', () => {
    const drawn = masksOf(model, sizes, 7);
    const rates = new Set(scope.masks.map(({ rate }) => rate));
    const expected = [...(config.encoder === null ? [] : [0.1]), 0.5, ...(config.kind === 'word-pair' ? [0.33] : [])];
    expect(rates).toEqual(new Set(expected));
    for (const mask of scope.masks.filter(({ rate }) => rate > 0.3)) {
      const values = drawn.get(mask.name) ?? new Float64Array();
      expect(new Set(values)).toEqual(new Set([0, Math.fround(1 / (1 - mask.rate))]));
    }
  });

  test('the gradient of every parameter agrees with central differences of fourth order along two directions', () => {
    const lossAt = (name: string, along: Float64Array, step: number): number => {
      const start = parameters.get(name) ?? new Float64Array();
      const moved = start.map((x, k) => x + step * (along[k] ?? 0));
      return valueOf(losses.total, sizes, others, parameters, new Map([[name, moved]])).data[0] ?? NaN;
    };
    for (const [k, { name }] of scope.parameters.entries()) {
      const { data } = item(expected, k + 1);
      for (const seed of [1, 2]) {
        const along = noise(data.length, 100 * k + seed);
        const across = (step: number): number => (lossAt(name, along, step) - lossAt(name, along, -step)) / (2 * step);
        const difference = (4 * across(STEP) - across(2 * STEP)) / 3;
        const derivative = data.reduce((sum, dx, n) => sum + dx * (along[n] ?? 0), 0);
        const bound = 1e-5 * Math.abs(difference) + 1e-9;
        if (!(Math.abs(derivative - difference) <= bound)) {
          expect.fail(`${name}: expected ${difference} within ${bound}, found ${derivative}`);
        }
      }
    }
  });

  test('no parameter is without a gradient', () => {
    const silent = scope.parameters
      .filter((_spec, k) => largest(item(expected, k + 1)) < 1e-12)
      .map(({ name }) => name);
    expect(silent).toEqual(
      config.prefix === 0 && config.encoder !== null ? ['bert.encoder.layer.0.attention.self.key.bias'] : [],
    );
  });

  test('ONNX Runtime computes the same loss and gradients', async () => {
    const executable = await Executable.of([losses.total, ...gradients]);
    const found = await executable.run(new Map([...others, ...parameters]), sizes);
    await executable.release();
    expectAgree(item(found, 0), item(expected, 0), 1e-5, 'loss');
    for (const [k, { name }] of scope.parameters.entries()) {
      expectAgree(item(found, k + 1), item(expected, k + 1), 1e-4, `gradient of ${name}`, 1e-6);
    }
  });

  test('gradients of embedding rows add up to the gradient of their table', () => {
    const { parameter, rows, indices } = item(scope.rowAccesses, 0);
    const [ofRows] = valuesOf(gradient(losses.total, [rows]), sizes, others, parameters);
    const sums = new Float64Array(VOCABULARY * 8);
    for (const [k, value] of (ofRows?.data ?? []).entries()) {
      const target = (others.get(indices)?.[Math.floor(k / 8)] ?? NaN) * 8 + (k % 8);
      sums[target] = (sums[target] ?? NaN) + value;
    }
    const table = scope.parameters.findIndex(({ name }) => name === parameter);
    expectAgree(array([VOCABULARY, 8], sums), item(expected, table + 1), 1e-12, 'sums of rows');
  });
});
