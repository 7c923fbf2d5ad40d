import { characterIds, MAX_WORDS, type ModelConfig } from '../model/index.js';
import { planWindows, type Gazetteer, type WordPieceTokenizer, type WordWindow } from '../text/index.js';

/** Numbers of one sentence (or of one window of a long one) as a model reads them. */
export interface EncodedSentence {
  /** Pieces without special tokens, [P] */
  readonly ids: Int32Array;
  /** Word of each piece, [P], ascending from 0 */
  readonly wordOf: Int32Array;
  readonly words: number;
  /** Character ids of each word; empty for a model without spelling features. */
  readonly characters: readonly (readonly number[])[];
  /** What the gazetteer marks at each word, [words], as `Gazetteer.marks` gives it; empty for a model without one. */
  readonly names: Int32Array;
}

/** A sentence that is split into words already. */
export interface WordSentence {
  readonly words: readonly string[];
  /** Whether it goes on from the sentence before it in the list; a new text begins where absent. */
  readonly follows?: boolean;
}

/** A part of a sentence that is encoded on its own, and the words of the sentence that it covers. */
export interface EncodedWindow {
  readonly sentence: EncodedSentence;
  readonly window: WordWindow;
}

/** A part of an encoder window: which sentence of a list it is of. */
export interface WindowPart extends EncodedWindow {
  readonly index: number;
}

/** [CLS] and [SEP]. */
const SPECIAL_PIECES = 2;

/** Words that neighbouring windows of a long sentence share. */
const OVERLAP = 32;

/** What words are looked up in, beside the weights of a model. */
export interface Vocabulary {
  readonly tokenizer: WordPieceTokenizer;
  /** Of a model whose config has classes of one. */
  readonly gazetteer?: Gazetteer | undefined;
}

/** Turns words into model input for one model: its vocabulary, its limits, its spelling features. */
export class SentenceEncoder {
  readonly tokenizer: WordPieceTokenizer;
  readonly #gazetteer: Gazetteer | undefined;
  readonly #limit: number;
  readonly #context: number;
  readonly #characters: number | undefined;

  /** @param maxPieces pieces of a window, special ones included; the encoder's own limit where absent or larger */
  constructor({ tokenizer, gazetteer }: Vocabulary, config: ModelConfig, maxPieces = Infinity) {
    this.tokenizer = tokenizer;
    this.#gazetteer = requireGazetteer({ gazetteer }, config);
    this.#limit = Math.min(maxPieces, config.encoder?.max_position_embeddings ?? Infinity, MAX_WORDS) - SPECIAL_PIECES;
    this.#context = Math.min(config.context - SPECIAL_PIECES, this.#limit);
    this.#characters = config.characters?.limit;
  }

  /** One window for a sentence within the encoder's limit, overlapping windows for a longer one, none for no words. */
  encode(words: readonly string[]): EncodedWindow[] {
    if (words.length === 0) return [];
    const { ids, wordOf } = this.tokenizer.encodeWords(words, this.#limit);
    const characters = this.#characterIds(words);
    const names = this.#gazetteer?.marks(words) ?? new Int32Array(0);
    if (ids.length <= this.#limit) {
      const window = { from: 0, to: words.length, ownFrom: 0, ownTo: words.length };
      return [{ sentence: { ids, wordOf, words: words.length, characters, names }, window }];
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
          names: names.slice(window.from, window.to),
        },
      };
    });
  }

  /**
   * The encoder windows of a list of sentences: neighbours that follow each other share a window, up to the config's
   * `context` pieces, and windows of one text are of like sizes. Without context each sentence is a window.
   */
  encodeAll(sentences: readonly WordSentence[]): WindowPart[][] {
    const windows: WindowPart[][] = [];
    let run: WindowPart[] = [];
    const endRun = (): void => {
      windows.push(...packed(run, this.#context));
      run = [];
    };
    for (const [index, { words, follows }] of sentences.entries()) {
      const parts = this.encode(words).map((window) => ({ ...window, index }));
      if (follows !== true || parts.length > 1) endRun();
      if (parts.length > 1) windows.push(...parts.map((part) => [part]));
      else run.push(...parts);
    }
    endRun();
    return windows;
  }

  #characterIds(words: readonly string[]): (readonly number[])[] {
    const limit = this.#characters;
    return limit === undefined ? [] : words.map((word) => characterIds(word, limit));
  }
}

/**
 * The gazetteer that a model reads with; undefined for a model without one.
 * @throws RangeError when it is missing, or has other classes than the model
 */
export function requireGazetteer(
  { gazetteer }: Pick<Vocabulary, 'gazetteer'>,
  { gazetteer: classes }: Pick<ModelConfig, 'gazetteer'>,
): Gazetteer | undefined {
  if (classes === null) return undefined;
  if (gazetteer?.classes.join('\t') === classes.join('\t')) return gazetteer;
  const found = gazetteer?.classes.join(', ') ?? 'none';
  throw new RangeError(`expected a gazetteer of ${classes.join(', ')}, found ${found}`);
}

/** Neighbours in windows of at most `limit` pieces, cut so that the windows of a run differ little. */
function packed(run: readonly WindowPart[], limit: number): WindowPart[][] {
  const total = run.reduce((sum, { sentence }) => sum + sentence.ids.length, 0);
  const share = total / Math.ceil(total / Math.max(1, limit));
  const windows: WindowPart[][] = [];
  let window: WindowPart[] = [];
  let pieces = 0;
  for (const part of run) {
    const { length } = part.sentence.ids;
    if (window.length > 0 && (pieces + length > limit || pieces + length / 2 > share)) {
      windows.push(window);
      window = [];
      pieces = 0;
    }
    window.push(part);
    pieces += length;
  }
  if (window.length > 0) windows.push(window);
  return windows;
}
