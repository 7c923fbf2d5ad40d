import { beforeAll, describe, expect, test } from 'vitest';
import { gradient, ops, type Tensor } from '../../src/graph/index.js';
import type { NdArray } from '../../src/graph/reference.js';
import { conditionalNormalisation, distanceBucket, gridFeatures, regionOf } from '../../src/model/grid.js';
import { modelInputs, sizes as modelSizes } from '../../src/model/inputs.js';
import { buildModel, type ModelConfig, type WordPairConfig } from '../../src/model/index.js';
import { wordFeatures } from '../../src/model/words.js';
import { Scope } from '../../src/nn/index.js';
import { Executable, item } from '../graph/support/check.js';
import { array, build, expectClose, largest, masked, pick } from './support/arrays.js';
import { bindingsOf, configOf, Golden } from './support/golden.js';

/** Of float32 in ONNX Runtime against float64 in PyTorch, relative to each value, or to its tensor's root mean square. */
const FORWARD = 2e-5;
const GRADIENT = 1e-4;
/** What float32 leaves of a gradient that is exactly 0. */
const ROUNDING = 1e-6;

interface Results {
  readonly config: ModelConfig;
  readonly golden: Golden;
  readonly parameters: readonly string[];
  get(name: string): NdArray;
}

/** Runs the model of one golden case: every value that PyTorch has too, by PyTorch's names. */
async function runCase(name: string): Promise<Results> {
  const golden = await Golden.read(name);
  const config = configOf(golden);
  const model = buildModel(config, false);
  const { scope, losses } = model;
  const gradients = gradient(
    losses.total,
    scope.parameters.map(({ tensor }) => tensor),
  );
  const { encoder, words } = wordFeatures(new Scope(false), config, modelInputs());
  const pooled = wordFeatures(new Scope(false), withoutLstm(config), modelInputs());
  const outputs: [string, Tensor][] = [
    ...(encoder?.hidden ?? []).map((tensor, k): [string, Tensor] => [`hidden.${k}`, tensor]),
    ...model.maps.map((tensor, k): [string, Tensor] => [`attention.${k}`, tensor]),
    ['words', pooled.words],
    ['logits', model.logits],
    ['probabilities', model.probabilities],
    ['loss_total', losses.total],
    ['loss_ner', losses.ner],
    ...scope.parameters.map(({ name }, k): [string, Tensor] => [`gradients.${name}`, item(gradients, k)]),
  ];
  if (config.kind === 'word-pair') {
    const { gamma, lambda, normalised } = conditionalNormalisation(new Scope(false), words, config.lstm);
    const { sentences, words: length } = modelSizes;
    const ofRow = (x: Tensor): Tensor => ops.reshape(x, [sentences, length, 1, config.lstm]);
    const ofColumn = ops.reshape(normalised, [sentences, 1, length, config.lstm]);
    outputs.push(['lstm', words], ['pointwise', gridFeatures(new Scope(false), config, words)]);
    outputs.push(['normalised', normalised], ['cln', ops.add(ops.mul(ofRow(gamma), ofColumn), ofRow(lambda))]);
  }
  const { withPrefix, withoutPrefix } = losses.guidance ?? {};
  if (withPrefix !== undefined) outputs.push(['loss_p', withPrefix]);
  if (withoutPrefix !== undefined) outputs.push(['loss_o', withoutPrefix]);
  const { bindings, sizes } = bindingsOf(golden);
  const executable = await Executable.of(outputs.map(([, tensor]) => tensor));
  const values = await executable.run(bindings, sizes);
  await executable.release();
  const found = new Map(outputs.map(([key], k) => [key, item(values, k)]));
  return {
    config,
    golden,
    parameters: scope.parameters.map(({ name }) => name),
    get(key) {
      const value = found.get(key);
      if (value === undefined) throw new Error(`expected a result ${key}`);
      return value;
    },
  };
}

/** The sequence model of the same encoder, whose word features are the pooled pieces. */
function withoutLstm(config: ModelConfig): ModelConfig {
  if (config.kind === 'sequence') return config;
  const { types, labels, encoder, words, prefix, guidance, context, featureLayers, featureDropout, characters } =
    config;
  const common = {
    types,
    labels,
    encoder,
    words,
    prefix,
    guidance,
    context,
    featureLayers,
    featureDropout,
    characters,
    gazetteer: null,
  };
  return {
    kind: 'sequence',
    ...common,
    noneBias: config.noneBias,
    scheme: 'BIO',
    lstm: null,
    crf: false,
    constrained: false,
  };
}

describe.each([
  ['prefix', 'guidance over the last four layers'],
  ['layers', 'guidance over one layer with weight 1'],
  ['plain', 'no prefix, no guidance, dilation 2'],
  ['bio', 'the sequence baseline'],
])('%s: %s', (name) => {
  let results: Results;
  let real: NdArray;
  let lengths: Float64Array;
  const isPiece = (b: number, k: number): boolean => pick(real, b, k) === 1;
  const isWord = (b: number, k: number): boolean => k < (lengths[b] ?? 0);

  beforeAll(async () => {
    results = await runCase(name);
    real = results.golden.get('inputs.attention_mask');
    lengths = results.golden.get('inputs.lengths').data;
  });

  /** Compares a result with PyTorch's of the same name, padding set to 0 as there. */
  function expectGolden(key: string, keep: (...index: number[]) => boolean = () => true): void {
    expectClose(masked(results.get(key), keep), results.golden.get(`outputs.${key}`), FORWARD, key);
  }

  test('hidden states', () => {
    for (let k = 0; k <= 5; k++) expectGolden(`hidden.${k}`, (b = 0, l = 0) => isPiece(b, l));
  });

  test('attention maps', () => {
    for (let k = 0; k < 5; k++) {
      expectGolden(`attention.${k}`, (b = 0, _head, query = 0) => isPiece(b, query));
      const map = results.get(`attention.${k}`);
      const { prefix } = results.config;
      const padding = masked(
        map,
        (b = 0, _head, _query, column = 0) => column >= prefix && !isPiece(b, column - prefix),
      );
      expect(largest(padding), 'attention at padding').toBe(0);
    }
  });

  test('pooled words, 0 at padding', () => {
    expectGolden('words');
  });

  test('BiLSTM states, 0 at padding', ({ skip }) => {
    if (results.config.kind !== 'word-pair') skip();
    expectGolden('lstm');
  });

  test('normalised words, and the conditional layer normalisation of every cell', ({ skip }) => {
    if (results.config.kind !== 'word-pair') skip();
    expectGolden('normalised', (b = 0, i = 0) => isWord(b, i));
    expectGolden('cln', (b = 0, i = 0, j = 0) => isWord(b, i) && isWord(b, j));
  });

  test('grid features after the 1x1 convolution', ({ skip }) => {
    if (results.config.kind !== 'word-pair') skip();
    expectGolden('pointwise', (b = 0, i = 0, j = 0) => isWord(b, i) && isWord(b, j));
  });

  test('logits and probabilities', () => {
    const axes = results.config.kind === 'word-pair' ? 2 : 1;
    const keep = (b = 0, ...index: number[]): boolean => index.slice(0, axes).every((k) => isWord(b, k));
    const expected = results.golden.get('outputs.logits');
    const withHeads = (x: NdArray): NdArray => ({ ...x, shape: [...x.shape.slice(0, -1), 1, ...x.shape.slice(-1)] });
    expectClose(masked(results.get('logits'), keep), withHeads(expected), FORWARD, 'logits');
    const classes = expected.shape.at(-1) ?? 0;
    const probabilities = build(expected.shape, (...index) => {
      const row = index.slice(0, -1);
      const powers = Array.from({ length: classes }, (_, k) => Math.exp(pick(expected, ...row, k)));
      return (powers[index.at(-1) ?? 0] ?? 0) / powers.reduce((a, b) => a + b);
    });
    const found = masked(results.get('probabilities'), keep);
    expectClose(found, masked(withHeads(probabilities), keep), FORWARD, 'probabilities');
  });

  test('losses', () => {
    expectGolden('loss_total');
    if (results.config.kind === 'word-pair') expectGolden('loss_ner');
    if (results.config.guidance === null) return;
    expectGolden('loss_p');
    expectGolden('loss_o');
  });

  test('the gradient of the total loss with respect to every parameter', () => {
    const expected = results.golden.group('gradients');
    expect(results.parameters.toSorted()).toEqual([...expected.keys()].sort());
    for (const [parameter, dx] of expected) {
      const isZero = largest(dx) < 1e-12;
      // Without a prefix a key bias moves all scores of a query alike, which softmax does not see.
      expect(isZero, parameter).toBe(results.config.prefix === 0 && parameter.endsWith('self.key.bias'));
      const found = results.get(`gradients.${parameter}`);
      expectClose(found, dx, GRADIENT, `gradient of ${parameter}`, isZero ? ROUNDING : 0);
    }
  });
});

describe('the grid', () => {
  test('distance buckets of offsets from -600 to 600', async () => {
    const golden = await Golden.read('distance');
    const offsets = golden.get('inputs.offset').data;
    expect(Float64Array.from(offsets, distanceBucket)).toEqual(golden.get('outputs.distance').data);
  });

  test('distance and region of every cell', async () => {
    const golden = await Golden.read('prefix');
    const [distances, regions] = [golden.get('outputs.distance'), golden.get('outputs.region')];
    expect(build([6, 6], (i = 0, j = 0) => distanceBucket(j - i))).toEqual(distances);
    expect(build([6, 6], (i = 0, j = 0) => regionOf(j - i))).toEqual(regions);
  });

  /**
   * With identity tables and an identity convolution moved to where GELU is the identity, the features of a cell are
   * its one-hot distance and region themselves.
   */
  test('the graph looks up the distance and the region of every cell', async () => {
    const [length, shift] = [601, 16];
    const config: WordPairConfig = {
      ...(configOf(await Golden.read('prefix')) as WordPairConfig),
      lstm: 2,
      distance: 20,
      region: 2,
      channels: 24,
    };
    const features = gridFeatures(new Scope(false), config, ops.input('h', 'float32', [1, length, 2]));
    const identity = (n: number): Float64Array => build([n, n], (i, j) => Number(i === j)).data;
    const bindings = new Map([
      ['h', new Float64Array(2 * length)],
      ['cln.gamma.weight', new Float64Array(4)],
      ['cln.gamma.bias', new Float64Array(2)],
      ['cln.lambda.weight', new Float64Array(4)],
      ['cln.lambda.bias', new Float64Array(2)],
      ['distance.weight', identity(20)],
      ['region.weight', identity(2)],
      ['convolution.pointwise.weight', identity(24)],
      ['convolution.pointwise.bias', new Float64Array(24).fill(shift)],
    ]);
    const executable = await Executable.of([features]);
    const [found] = await executable.run(bindings, {});
    await executable.release();
    const buckets = (await Golden.read('distance')).get('outputs.distance').data;
    let wrong = 0;
    for (let i = 0; i < length; i++) {
      for (let j = 0; j < length; j++) {
        const cell = (found?.data ?? []).slice((i * length + j) * 24, (i * length + j + 1) * 24);
        const bucket = buckets[j - i + 600] ?? -1;
        const region = j > i ? 0 : 1;
        if (cell.findIndex((x) => x > shift + 0.5) !== 2 + bucket) wrong++;
        if (cell.findLastIndex((x) => x > shift + 0.5) !== 22 + region) wrong++;
      }
    }
    expect(wrong).toBe(0);
  });

  test.each(['prefix', 'plain'])('the dilated depthwise convolution of case %s', async (name) => {
    const golden = await Golden.read(name);
    const { channels, dilation } = configOf(golden) as WordPairConfig;
    const pointwise = golden.get('outputs.pointwise');
    const image = ops.transpose(ops.input('image', 'float32', pointwise.shape), [0, 3, 1, 2]);
    const filters = ops.parameter('convolution.depthwise.weight', [channels, 1, 3, 3]);
    const bias = ops.parameter('convolution.depthwise.bias', [channels]);
    const convolved = ops.gelu(ops.depthwiseConv(image, filters, bias, dilation));
    const executable = await Executable.of([ops.transpose(convolved, [0, 2, 3, 1])]);
    const parameters = [...golden.group('parameters')].map(([key, { data }]): [string, Float64Array] => [key, data]);
    const [found] = await executable.run(new Map([...parameters, ['image', pointwise.data]]), {});
    await executable.release();
    const lengths = golden.get('inputs.lengths').data;
    const inside = (b = 0, i = 0, j = 0): boolean => Math.max(i, j) < (lengths[b] ?? 0);
    expectClose(masked(found ?? array([0], []), inside), golden.get('outputs.depthwise'), FORWARD, 'depthwise');
  });
});
