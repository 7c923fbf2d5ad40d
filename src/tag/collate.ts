import type { ModelConfig } from '../model/index.js';
import { PLACES } from '../text/index.js';
import type { Value, Values } from '../runtime/index.js';
import type { EncodedSentence } from './encode.js';

/** Ids of the pieces that frame a window. */
export interface SpecialIds {
  readonly clsId: number;
  readonly sepId: number;
  readonly padId: number;
}

/** The padded sizes of a batch, by the names of the graph's symbols. */
export interface BatchSizes {
  readonly windows: number;
  readonly pieces: number;
  readonly sentences: number;
  readonly words: number;
  readonly rows: number;
  readonly letters: number;
}

export interface Batch {
  readonly sizes: BatchSizes;
  readonly inputs: Values;
}

/**
 * Pads a batch. Each window is the sentences that the encoder reads together, [CLS] s1 s2 ... [SEP]; the sentences
 * of all windows, in order, are the rows of the word-level tensors.
 */
export function collate(
  windows: readonly (readonly EncodedSentence[])[],
  special: SpecialIds,
  { gazetteer }: Pick<ModelConfig, 'gazetteer'>,
): Batch {
  const classes = gazetteer?.length ?? 0;
  const sentences = windows.flat();
  const lengths = windows.map((window) => 2 + window.reduce((sum, { ids }) => sum + ids.length, 0));
  const sizes: BatchSizes = {
    windows: windows.length,
    pieces: Math.max(...lengths),
    sentences: sentences.length,
    words: Math.max(1, ...sentences.map(({ words }) => words)),
    rows: sentences.reduce((sum, { ids }) => sum + ids.length, 0),
    letters: Math.max(1, ...sentences.flatMap(({ characters }) => characters.map((ids) => ids.length))),
  };
  const ids = new Int32Array(sizes.windows * sizes.pieces).fill(special.padId);
  const wordMask = new Float32Array(sizes.sentences * sizes.words);
  const pieceRows = new Int32Array(sizes.rows);
  const pieceWords = new Int32Array(sizes.rows);
  const characters = new Int32Array(sizes.sentences * sizes.words * sizes.letters);
  const features = classes * PLACES;
  const names = new Float32Array(sizes.windows * sizes.pieces * features);
  let row = 0;
  let s = 0;
  for (const [w, window] of windows.entries()) {
    let position = w * sizes.pieces;
    ids[position++] = special.clsId;
    for (const sentence of window) {
      const firstWord = s * sizes.words;
      ids.set(sentence.ids, position);
      wordMask.fill(1, firstWord, firstWord + sentence.words);
      for (const word of sentence.wordOf) {
        for (let bits = sentence.names[word] ?? 0, k = position * features; bits > 0; bits >>>= 1, k++)
          names[k] = bits & 1;
        pieceRows[row] = position++;
        pieceWords[row++] = firstWord + word;
      }
      for (const [k, letters] of sentence.characters.entries())
        characters.set(letters, (firstWord + k) * sizes.letters);
      s++;
    }
    ids[position] = special.sepId;
  }
  return {
    sizes,
    inputs: {
      input_ids: int32([sizes.windows, sizes.pieces], ids),
      piece_counts: int32([sizes.windows], Int32Array.from(lengths)),
      word_mask: { type: 'float32', dims: [sizes.sentences, sizes.words], data: wordMask },
      piece_rows: int32([sizes.rows], pieceRows),
      piece_words: int32([sizes.rows], pieceWords),
      gazetteer: { type: 'float32', dims: [sizes.windows, sizes.pieces, features], data: names },
      characters: int32([sizes.sentences, sizes.words, sizes.letters], characters),
    },
  };
}

function int32(dims: readonly number[], data: Int32Array): Value {
  return { type: 'int32', dims, data };
}
