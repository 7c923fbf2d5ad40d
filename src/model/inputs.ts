import { PLACES } from '../text/index.js';
import { ops, symbol, type Tensor } from '../graph/index.js';

/**
 * The sizes a batch may vary in. Encoder windows and sentences are counted apart: one window may hold one sentence
 * or several neighbours, and the rows that connect pieces to words say which is which.
 */
export const sizes = {
  /** Encoder windows in the batch. */
  windows: symbol('windows'),
  /** Pieces of the longest window, [CLS] and [SEP] among them. */
  pieces: symbol('pieces'),
  /** Sentences in the batch. */
  sentences: symbol('sentences'),
  /** Words of the longest sentence. */
  words: symbol('words'),
  /** Pieces of words in the whole batch. */
  rows: symbol('rows'),
  /** Characters of the longest word, up to the config's limit. */
  letters: symbol('letters'),
};

/** What every model reads. */
export interface ModelInputs {
  /** int32 [windows, pieces] */
  readonly ids: Tensor;
  /** int32 [windows], pieces of each window */
  readonly pieceCounts: Tensor;
  /** float32 [sentences, words], 1 at words and 0 at padding */
  readonly wordMask: Tensor;
  /** int32 [rows], window * pieces + position of each piece of a word */
  readonly pieceRows: Tensor;
  /** int32 [rows], sentence * words + word of each piece of a word */
  readonly pieceWords: Tensor;
  /** int32 [sentences, words, letters], 0 as padding */
  readonly characters: Tensor;
  /** float32 [windows, pieces, features], 1 where a piece is of a word that stands so in a name of the gazetteer */
  readonly gazetteer: Tensor;
}

/** @param classes of the gazetteer */
export function modelInputs(classes = 0): ModelInputs {
  const { windows, pieces, sentences, words, rows, letters } = sizes;
  return {
    ids: ops.input('input_ids', 'int32', [windows, pieces]),
    pieceCounts: ops.input('piece_counts', 'int32', [windows]),
    wordMask: ops.input('word_mask', 'float32', [sentences, words]),
    pieceRows: ops.input('piece_rows', 'int32', [rows]),
    pieceWords: ops.input('piece_words', 'int32', [rows]),
    gazetteer: ops.input('gazetteer', 'float32', [windows, pieces, classes * PLACES]),
    characters: ops.input('characters', 'int32', [sentences, words, letters]),
  };
}
