import { characterIds, MAX_WORDS, type ModelConfig } from '../model/index.js';
import { planWindows, type WordPieceTokenizer, type WordWindow } from '../text/index.js';

/** Numbers of one sentence (or of one window of a long one) as a model reads them. */
export interface EncodedSentence {
  /** Pieces without special tokens, [P] */
  readonly ids: Int32Array;
  /** Word of each piece, [P], ascending from 0 */
  readonly wordOf: Int32Array;
  readonly words: number;
  /** Character ids of each word; empty for a model without spelling features. */
  readonly characters: readonly (readonly number[])[];
}

/** A part of a sentence that is encoded on its own, and the words of the sentence that it covers. */
export interface EncodedWindow {
  readonly sentence: EncodedSentence;
  readonly window: WordWindow;
}

/** [CLS] and [SEP]. */
const SPECIAL_PIECES = 2;

/** Words that neighbouring windows of a long sentence share. */
const OVERLAP = 32;

/** Turns words into model input for one model: its tokenizer, its limits, its spelling features. */
export class SentenceEncoder {
  readonly #limit: number;
  readonly #characters: number | undefined;

  /** @param maxPieces pieces of a window, special ones included; the encoder's own limit where absent */
  constructor(
    readonly tokenizer: WordPieceTokenizer,
    config: ModelConfig,
    maxPieces = config.encoder.max_position_embeddings,
  ) {
    this.#limit = Math.min(maxPieces, config.encoder.max_position_embeddings, MAX_WORDS) - SPECIAL_PIECES;
    this.#characters = config.characters?.limit;
  }

  /** One window for a sentence within the encoder's limit, overlapping windows for a longer one, none for no words. */
  encode(words: readonly string[]): EncodedWindow[] {
    if (words.length === 0) return [];
    const { ids, wordOf } = this.tokenizer.encodeWords(words, this.#limit);
    const characters = this.#characterIds(words);
    if (ids.length <= this.#limit) {
      const window = { from: 0, to: words.length, ownFrom: 0, ownTo: words.length };
      return [{ sentence: { ids, wordOf, words: words.length, characters }, window }];
    }
    const piecesPerWord = new Int32Array(words.length);
    for (const word of wordOf) piecesPerWord[word] = (piecesPerWord[word] ?? 0) + 1;
    /** The first piece of each word, and the number of all. */
    const starts = new Int32Array(words.length + 1);
    for (const [word, count] of piecesPerWord.entries()) starts[word + 1] = (starts[word] ?? 0) + count;
    return planWindows(piecesPerWord, this.#limit, OVERLAP).map((window) => {
      const [first, end] = [starts[window.from], starts[window.to]];
      return {
        window,
        sentence: {
          ids: ids.subarray(first, end),
          wordOf: wordOf.subarray(first, end).map((word) => word - window.from),
          words: window.to - window.from,
          characters: characters.slice(window.from, window.to),
        },
      };
    });
  }

  #characterIds(words: readonly string[]): (readonly number[])[] {
    const limit = this.#characters;
    return limit === undefined ? [] : words.map((word) => characterIds(word, limit));
  }
}
