import { at, ops, sizeOf, type Tensor } from '../graph/index.js';
import { biLstm, characterFeatures, uniform, type Scope } from '../nn/index.js';
import { alphabetSize } from './alphabet.js';
import { bert, type BertOutput } from './bert.js';
import type { ModelConfig, WordsConfig } from './config.js';
import { sizes, type ModelInputs } from './inputs.js';

export interface WordFeatures {
  /** Absent in a model without a pretrained encoder. */
  readonly encoder?: BertOutput;
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

/** Rows of the table of learned word embeddings [windows, pieces, D]; of a vocabulary of words every piece is one. */
function wordEmbeddings(scope: Scope, { vocabulary, embedding }: WordsConfig, ids: Tensor): Tensor {
  const initialiser = uniform(Math.sqrt(3 / embedding));
  const table = scope.parameter('words.embedding.weight', [vocabulary, embedding], initialiser, { decay: false });
  return scope.lookup(table, ids);
}

/**
 * From pieces to words: the mean of the last hidden layers (or the word embeddings, where there is no encoder), the
 * maximum over each word's pieces, the spelling features where the config has them, dropout, and the BiLSTM where there
 * is one.
 */
export function wordFeatures(scope: Scope, config: ModelConfig, inputs: ModelInputs): WordFeatures {
  const encoder =
    config.encoder === null
      ? undefined
      : bert(scope, config.encoder, config.prefix, {
          ids: inputs.ids,
          counts: inputs.pieceCounts,
          ...(config.gazetteer === null ? {} : { gazetteer: inputs.gazetteer }),
        });
  const pieces =
    encoder === undefined
      ? wordEmbeddings(scope, required(config.words), inputs.ids)
      : meanOfLast(encoder.hidden, config.featureLayers);
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
  return encoder === undefined ? { words } : { encoder, words };
}

function required(words: WordsConfig | null): WordsConfig {
  if (words === null) throw new RangeError('expected word embeddings in place of an encoder, found none');
  return words;
}
