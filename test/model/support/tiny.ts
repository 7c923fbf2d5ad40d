import { evaluateDim, type Tensor } from '../../../src/graph/index.js';
import { evaluate, type NdArray } from '../../../src/graph/reference.js';
import { labelSpace, modelConfigSchema, type ModelConfig, type ModelGraph } from '../../../src/model/index.js';
import { PLACES } from '../../../src/text/index.js';
import { elements, item, sizeMap, type Sizes } from '../../graph/support/check.js';
import { seeded } from '../../graph/support/random.js';
import { array, noise } from './arrays.js';

const CLS = 1;
const SEP = 2;
export const VOCABULARY = 12;

export const tinyEncoder = {
  vocab_size: VOCABULARY,
  hidden_size: 8,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  intermediate_size: 10,
  max_position_embeddings: 20,
  type_vocab_size: 2,
  layer_norm_eps: 1e-12,
  hidden_dropout_prob: 0.1,
  attention_probs_dropout_prob: 0.1,
  initializer_range: 0.02,
};

const common = {
  types: ['A', 'B'],
  encoder: tinyEncoder,
  prefix: 2,
  guidance: { layers: [-1], temperature: 2, alpha: 0.5 },
  characters: { embedding: 3, filters: 4, limit: 6 },
};

/** A complete word-pair model of one layer and two heads, all parts on. */
export function tinyWordPair(changes: Readonly<Record<string, unknown>> = {}): ModelConfig {
  const grid = { lstm: 6, distance: 3, region: 2, channels: 4, mlp: 5 };
  return modelConfigSchema.parse({ kind: 'word-pair', ...common, ...grid, ...changes });
}

/** The sequence model over the same encoder. */
export function tinySequence(changes: Readonly<Record<string, unknown>> = {}): ModelConfig {
  return modelConfigSchema.parse({ kind: 'sequence', ...common, lstm: 6, ...changes });
}

/** A sequence model over word embeddings in place of an encoder. */
export function tinyWords(changes: Readonly<Record<string, unknown>> = {}): ModelConfig {
  const words = { embedding: 8, minCount: 1, vocabulary: VOCABULARY };
  return tinySequence({ encoder: null, words, prefix: 0, guidance: null, ...changes });
}

/** The pieces and the letters of each word. */
export interface Sentence {
  readonly pieces: readonly (readonly number[])[];
  readonly letters: readonly (readonly number[])[];
}

/** A sentence of words with the given numbers of pieces. */
export function sentence(seed: number, ...piecesPerWord: number[]): Sentence {
  const random = seeded(seed);
  const draw = (low: number, high: number): number => low + Math.floor(random() * (high - low));
  return {
    pieces: piecesPerWord.map((count) => Array.from({ length: count }, () => draw(3, VOCABULARY))),
    letters: piecesPerWord.map(() => Array.from({ length: draw(1, 5) }, () => draw(1, 30))),
  };
}

export interface Batch {
  readonly values: ReadonlyMap<string, Float64Array>;
  readonly sizes: Sizes;
}

/** Model inputs for windows [CLS] s1 s2 ... [SEP], with `padding` more pieces, words and letters than needed. */
export function batchOf(windows: readonly (readonly Sentence[])[], padding = 0): Batch {
  const sentences = windows.flat();
  const counts = windows.map((window) => 2 + window.flatMap(({ pieces }) => pieces.flat()).length);
  const pieces = Math.max(...counts) + padding;
  const words = Math.max(...sentences.map((s) => s.pieces.length)) + padding;
  const letters = Math.max(...sentences.flatMap((s) => s.letters.map((word) => word.length))) + padding;
  const pieceRows: number[] = [];
  const pieceWords: number[] = [];
  const ids: number[] = [];
  for (const [w, window] of windows.entries()) {
    const row = [CLS];
    for (const part of window) {
      for (const [n, word] of part.pieces.entries()) {
        for (const id of word) {
          pieceRows.push(w * pieces + row.length);
          pieceWords.push(sentences.indexOf(part) * words + n);
          row.push(id);
        }
      }
    }
    row.push(SEP);
    ids.push(...row, ...Array<number>(pieces - row.length).fill(0));
  }
  const perWord = (value: (s: Sentence, n: number) => readonly number[]): number[] =>
    sentences.flatMap((s) => Array.from({ length: words }, (_, n) => value(s, n)).flat());
  const values: Record<string, readonly number[]> = {
    input_ids: ids,
    piece_counts: counts,
    word_mask: perWord((s, n) => [Number(n < s.pieces.length)]),
    piece_rows: pieceRows,
    piece_words: pieceWords,
    characters: perWord((s, n) => {
      const word = s.letters[n] ?? [];
      return [...word, ...Array<number>(letters - word.length).fill(0)];
    }),
  };
  return {
    values: new Map(Object.entries(values).map(([name, data]) => [name, Float64Array.from(data)])),
    sizes: { windows: windows.length, pieces, sentences: sentences.length, words, rows: pieceRows.length, letters },
  };
}

/** Values of every parameter: large enough that attention is uneven and no gradient is tiny. */
export function parametersOf(model: ModelGraph, seed = 1): Map<string, Float64Array> {
  return new Map(
    model.scope.parameters.map(({ name, shape }, k) => {
      const drawn = noise(elements(shape), seed * 1000 + k, 0.4);
      return [name, name.endsWith('LayerNorm.weight') ? drawn.map((x) => 1 + x / 2) : drawn];
    }),
  );
}

/** One value a dropout mask of the model's, drawn at the mask's rate or constant. */
export function masksOf(model: ModelGraph, sizes: Sizes, seed: number | 'ones'): Map<string, Float64Array> {
  const random = seed === 'ones' ? (): number => 1 : seeded(seed);
  return new Map(
    model.scope.masks.map(({ name, shape, rate }) => {
      const kept = seed === 'ones' ? 1 : 1 / (1 - rate);
      const length = elements(shape.map((dim) => evaluateDim(dim, sizeMap(sizes))));
      return [name, Float64Array.from({ length }, () => (random() < rate ? 0 : Math.fround(kept)))];
    }),
  );
}

/** Drawn labels of the shape of the logits; -1 where the given rows of `annotated` [sentences, heads] have 0. */
export function labelsOf(config: ModelConfig, sizes: Sizes, annotated?: readonly number[]): Map<string, Float64Array> {
  const { heads, classes } = labelSpace(config);
  const { sentences = 0, words = 0 } = sizes;
  const random = seeded(sentences + 10 * words);
  const cells = words ** (config.kind === 'word-pair' ? 2 : 1);
  const labels = Float64Array.from({ length: sentences * cells * heads }, (_, k) => {
    const label = Math.floor(random() * classes);
    return annotated?.[Math.floor(k / (cells * heads)) * heads + (k % heads)] === 0 ? -1 : label;
  });
  return new Map([['labels', labels]]);
}

/** Drawn probabilities of teachers, of the shape of the model's. */
export function teacherOf(config: ModelConfig, { sentences = 0, words = 0 }: Sizes): Map<string, Float64Array> {
  const { heads, classes } = labelSpace(config);
  const cells = sentences * words ** (config.kind === 'word-pair' ? 2 : 1) * heads;
  const shares = Float64Array.from(noise(cells * classes, 11), (x) => Math.exp(2 * x));
  const sums = Float64Array.from({ length: cells }, (_, k) =>
    shares.subarray(k * classes, (k + 1) * classes).reduce((a, b) => a + b, 0),
  );
  return new Map([['teacher', shares.map((share, k) => Math.fround(share / (sums[Math.floor(k / classes)] ?? NaN)))]]);
}

/** Drawn marks of the gazetteer at pieces, of a model that has one. */
export function gazetteerOf({ gazetteer }: ModelConfig, { windows = 0, pieces = 0 }: Sizes): Map<string, Float64Array> {
  if (gazetteer === null) return new Map();
  const random = seeded(13);
  const length = windows * pieces * PLACES * gazetteer.length;
  return new Map([['gazetteer', Float64Array.from({ length }, () => (random() < 0.3 ? 1 : 0))]]);
}

/** Values of tensors by the float64 reference. */
export function valuesOf(
  tensors: readonly Tensor[],
  sizes: Sizes,
  ...values: readonly ReadonlyMap<string, Float64Array>[]
): NdArray[] {
  return evaluate(tensors, new Map(values.flatMap((map) => [...map])), sizeMap(sizes));
}

/** The value of one tensor by the float64 reference. */
export function valueOf(
  tensor: Tensor,
  sizes: Sizes,
  ...values: readonly ReadonlyMap<string, Float64Array>[]
): NdArray {
  return item(valuesOf([tensor], sizes, ...values), 0);
}

/** Parameters and other values as arrays, for comparisons. */
export function arrayOf(model: ModelGraph, values: ReadonlyMap<string, Float64Array>, name: string): NdArray {
  const spec = model.scope.parameters.find((parameter) => parameter.name === name);
  return array(spec?.shape ?? [], values.get(name) ?? []);
}
