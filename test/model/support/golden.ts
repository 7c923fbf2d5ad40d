import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { NdArray } from '../../../src/graph/reference.js';
import { modelConfigSchema, type ModelConfig } from '../../../src/model/index.js';
import { readSafetensors } from '../../../src/weights/safetensors.js';
import type { Bindings, Sizes } from '../../graph/support/check.js';

/** Values from PyTorch (see test/golden/model.py): `parameters.X`, `inputs.X`, `outputs.X`, `gradients.X`. */
export class Golden {
  private constructor(
    readonly config: Readonly<Record<string, unknown>>,
    private readonly tensors: ReadonlyMap<string, NdArray>,
  ) {}

  static async read(name: string): Promise<Golden> {
    const base = new URL(`../../golden/data/model/${name}`, import.meta.url);
    const { config } = JSON.parse(await readFile(`${fileURLToPath(base)}.json`, 'utf8')) as {
      config: Record<string, unknown>;
    };
    const { tensors } = await readSafetensors(`${fileURLToPath(base)}.safetensors`);
    const arrays = [...tensors].map(([key, { shape, data }]): [string, NdArray] => [
      key,
      { shape, data: Float64Array.from(data, Number) },
    ]);
    return new Golden(config, new Map(arrays));
  }

  get(name: string): NdArray {
    const tensor = this.tensors.get(name);
    if (tensor === undefined) throw new Error(`expected a golden tensor ${name}`);
    return tensor;
  }

  /** The tensors of one group by their names in it. */
  group(prefix: 'parameters' | 'inputs' | 'outputs' | 'gradients'): Map<string, NdArray> {
    const members = [...this.tensors].filter(([name]) => name.startsWith(`${prefix}.`));
    return new Map(members.map(([name, tensor]) => [name.slice(prefix.length + 1), tensor]));
  }
}

interface GoldenShape {
  readonly vocabulary: number;
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly intermediate: number;
  readonly maxPositions: number;
  readonly prefix: number;
  readonly classes: number;
}

interface GoldenGrid extends GoldenShape {
  readonly hidden: number;
  readonly embedding: number;
  readonly channels: number;
  readonly mlp: number;
  readonly dilation: number;
  readonly alpha: number;
  readonly temperature: number;
  readonly guidedLayers: readonly number[];
}

/** The config of the model that a golden case was made with. */
export function configOf({ config }: Golden): ModelConfig {
  const shape = config as unknown as GoldenShape;
  const encoder = {
    vocab_size: shape.vocabulary,
    hidden_size: shape.width,
    num_hidden_layers: shape.layers,
    num_attention_heads: shape.heads,
    intermediate_size: shape.intermediate,
    max_position_embeddings: shape.maxPositions,
    type_vocab_size: 2,
    layer_norm_eps: 1e-12,
    hidden_dropout_prob: 0.1,
    attention_probs_dropout_prob: 0.1,
    initializer_range: 0.02,
  };
  const common = { encoder, prefix: shape.prefix, types: ['A', 'B'] };
  if (!('hidden' in config)) return modelConfigSchema.parse({ kind: 'sequence', ...common, featureLayers: 1 });
  const grid = config as unknown as GoldenGrid;
  const { alpha, temperature, guidedLayers: layers } = grid;
  return modelConfigSchema.parse({
    kind: 'word-pair',
    ...common,
    guidance: alpha === 0 ? null : { layers, temperature, alpha },
    lstm: grid.hidden,
    distance: grid.embedding,
    region: grid.embedding,
    channels: grid.channels,
    mlp: grid.mlp,
    dilation: grid.dilation,
  });
}

/** The golden inputs and parameters as the model's graph takes them; each sentence is a window of its own. */
export function bindingsOf(golden: Golden): { readonly bindings: Bindings; readonly sizes: Sizes } {
  const mask = golden.get('inputs.attention_mask');
  const [sentences = 0, pieces = 0] = mask.shape;
  const lengths = golden.get('inputs.lengths').data;
  const words = golden.get('inputs.piece_ranges').shape[1] ?? 0;
  const pieceRows: number[] = [];
  const pieceWords: number[] = [];
  for (const [k, word] of golden.get('inputs.word_of_piece').data.entries()) {
    if (word < 0) continue;
    pieceRows.push(k);
    pieceWords.push(Math.floor(k / pieces) * words + word);
  }
  const counts = Array.from({ length: sentences }, (_, b) =>
    mask.data.slice(b * pieces, (b + 1) * pieces).reduce((sum, x) => sum + x, 0),
  );
  const bindings = new Map([
    ['input_ids', golden.get('inputs.input_ids').data],
    ['piece_counts', Float64Array.from(counts)],
    [
      'word_mask',
      Float64Array.from({ length: sentences * words }, (_, k) =>
        Number(k % words < (lengths[Math.floor(k / words)] ?? 0)),
      ),
    ],
    ['piece_rows', Float64Array.from(pieceRows)],
    ['piece_words', Float64Array.from(pieceWords)],
    ['labels', golden.get('inputs.labels').data],
    ...[...golden.group('parameters')].map(([name, { data }]): [string, Float64Array] => [name, data]),
  ]);
  return { bindings, sizes: { windows: sentences, pieces, sentences, words, rows: pieceRows.length, letters: 1 } };
}
