import { at, ops, sizeOf, type Tensor } from '../graph/index.js';
import { biLstm, characterFeatures, type Scope } from '../nn/index.js';
import { alphabetSize } from './alphabet.js';
import { bert, type BertOutput } from './bert.js';
import type { ModelConfig } from './config.js';
import { sizes, type ModelInputs } from './inputs.js';

export interface WordFeatures {
  readonly encoder: BertOutput;
  /** [sentences, words, D] */
  readonly words: Tensor;
}

/** The mean of the last k hidden layers [W, L, H]. */
function meanOfLast(hidden: readonly Tensor[], k: number): Tensor {
  const last = hidden.slice(1).slice(-k);
  return ops.mul(
    last.reduce((a, b) => ops.add(a, b)),
    1 / last.length,
  );
}

/**
 * From pieces to words: the mean of the last hidden layers, the maximum over each word's pieces, the spelling
 * features where the config has them, dropout, and the BiLSTM where there is one.
 */
export function wordFeatures(scope: Scope, config: ModelConfig, inputs: ModelInputs): WordFeatures {
  const encoder = bert(scope, config.encoder, config.prefix, inputs.ids, inputs.pieceCounts);
  const pieces = meanOfLast(encoder.hidden, config.featureLayers);
  const width = at(pieces.shape, 2);
  const flat = ops.reshape(pieces, [sizeOf(pieces.shape.slice(0, 2)), width]);
  const { sentences, words: longest } = sizes;
  const rows = ops.gather(flat, inputs.pieceRows, { unique: true });
  const pooled = ops.segmentMax(rows, inputs.pieceWords, sizeOf([sentences, longest]));
  let words = ops.reshape(pooled, [sentences, longest, width]);
  if (config.characters !== null) {
    const spelling = characterFeatures(scope, inputs.characters, { ...config.characters, alphabet: alphabetSize });
    words = ops.concat([words, spelling], 2);
  }
  words = scope.dropout(words, config.featureDropout);
  if (config.lstm !== null) {
    const lengths = ops.cast(ops.reshape(ops.reduceSum(inputs.wordMask, 1), [sentences]), 'int32');
    words = biLstm(scope, 'lstm', words, lengths, config.lstm / 2);
  }
  return { encoder, words };
}
