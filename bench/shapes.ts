import { modelConfigSchema, type WordPairConfig } from '../src/model/index.js';

const shared = {
  vocab_size: 30522,
  max_position_embeddings: 512,
  type_vocab_size: 2,
  num_attention_heads: 12,
  layer_norm_eps: 1e-12,
  hidden_dropout_prob: 0.1,
  attention_probs_dropout_prob: 0.1,
  initializer_range: 0.02,
};

/** The encoders that are timed: all-MiniLM-L6 and BERT-base. */
export const encoders = {
  minilm: { ...shared, hidden_size: 384, num_hidden_layers: 6, intermediate_size: 1536 },
  base: { ...shared, hidden_size: 768, num_hidden_layers: 12, intermediate_size: 3072 },
};

export type EncoderName = keyof typeof encoders;

/** Sentences, pieces of each, words of each. */
export interface BatchShape {
  readonly sentences: number;
  readonly pieces: number;
  readonly words: number;
}

export const batchShapes: readonly BatchShape[] = [
  { sentences: 8, pieces: 48, words: 36 },
  { sentences: 8, pieces: 96, words: 72 },
];

/** The paper's model with prefix 11; PAMDFGA on every map as in the PyTorch peer, or none. */
export function paperModel(encoder: EncoderName, guided: boolean): WordPairConfig {
  const layers = Array.from({ length: encoders[encoder].num_hidden_layers }, (_, k) => k);
  const config = modelConfigSchema.parse({
    kind: 'word-pair',
    types: ['Disease'],
    encoder: encoders[encoder],
    guidance: guided ? { layers, alpha: 0.001 } : null,
  });
  if (config.kind !== 'word-pair') throw new RangeError('expected a word-pair model');
  return config;
}

/**
 * Floating-point operations of the products of one forward pass: 2 for each multiply-add of the encoder's linear
 * layers and attention, the BiLSTM, the conditional layer normalisation, and the grid's convolution and MLP. A
 * training step takes three times as many.
 */
export function forwardOperations(config: WordPairConfig, { sentences, pieces, words }: BatchShape): number {
  if (config.encoder === null) throw new RangeError('expected a model with an encoder');
  const { hidden_size: h, intermediate_size: m, num_hidden_layers: layers } = config.encoder;
  const keys = pieces + config.prefix;
  const encoder = sentences * pieces * layers * (4 * h * h + 2 * h * m + 2 * keys * h);
  const lstm = sentences * words * 4 * config.lstm * (h + config.lstm / 2);
  const conditional = sentences * words * 2 * config.lstm ** 2;
  const cell =
    config.lstm * config.channels + config.channels * (9 + config.mlp) + config.mlp * (2 + config.types.length);
  return 2 * (encoder + lstm + conditional + sentences * words * words * cell);
}
