import { Tokenizer } from '@huggingface/tokenizers';
import { InputError, InternalError } from '../errors.js';
import {
  tokenizerFromVocabulary,
  validateTokenizer,
  type TokenizerJson,
  type VocabularyOptions,
} from './tokenizer-json.js';

/** Words whose pieces are remembered; the older half is forgotten when the memory is full. */
const CACHE_WORDS = 1 << 16;
/** Longer words are not worth remembering. */
const MAX_CACHED_LENGTH = 64;

/** Word pieces of a sentence, without special tokens. */
export interface WordPieces {
  /** Vocabulary index of each piece, `[P]`. */
  readonly ids: Int32Array;
  /** Index of the word that each piece belongs to, `[P]`, ascending, every word at least once. */
  readonly wordOf: Int32Array;
}

/** BERT's WordPiece tokenizer for text that is already split into words. */
export class WordPieceTokenizer {
  readonly vocabularySize: number;
  readonly clsId: number;
  readonly sepId: number;
  readonly padId: number;
  readonly unkId: number;
  /** What `tokenizer.json` would say: write it beside the model. */
  readonly json: TokenizerJson;
  readonly #tokenizer: Tokenizer;
  #recent = new Map<string, Int32Array>();
  #older = new Map<string, Int32Array>();

  private constructor(json: TokenizerJson) {
    this.json = json;
    const textTokens = json.added_tokens.filter((token) => !token.special);
    this.#tokenizer = new Tokenizer({ ...json, added_tokens: textTokens, post_processor: null, decoder: null }, {});
    const indices = new Map<string, number>(this.#tokenizer.model?.tokens_to_ids ?? []);
    for (const { content, id } of json.added_tokens) indices.set(content, id);
    this.vocabularySize = 1 + highestIndex(indices);
    const special = (token: string): number => {
      const id = indices.get(token);
      if (id === undefined) throw new InputError(`expected the special token ${token} in the vocabulary, found none`);
      return id;
    };
    this.clsId = special('[CLS]');
    this.sepId = special('[SEP]');
    this.padId = special('[PAD]');
    this.unkId = special(json.model.unk_token);
  }

  /** The texts of pieces, `##` in front of those that continue a word. */
  pieces(ids: Iterable<number>): string[] {
    return Array.from(ids, (id) => this.#tokenizer.id_to_token(id) ?? '[UNK]');
  }

  /**
   * Reads the content of `tokenizer.json`, and of `tokenizer_config.json` where there is one: as in transformers, its
   * `do_lower_case`, `strip_accents` and `tokenize_chinese_chars` overrule the normalizer.
   *
   * @throws InputError when it is not a BERT WordPiece tokenizer or a special token is missing.
   */
  static fromJson(tokenizerJson: unknown, config?: unknown): WordPieceTokenizer {
    return new WordPieceTokenizer(validateTokenizer(tokenizerJson, config));
  }

  /**
   * Reads the content of `vocab.txt`: one piece a line, the line number its index.
   *
   * @throws InputError when a piece stands twice or a special token is missing.
   */
  static fromVocabulary(vocabulary: string, options: VocabularyOptions): WordPieceTokenizer {
    return new WordPieceTokenizer(tokenizerFromVocabulary(vocabulary, options));
  }

  /**
   * Word pieces of a sentence given as words, as `is_split_into_words=True` does in Python, without special tokens;
   * but a word that normalises to nothing gets `[UNK]`, and a word that spells a special token is text.
   *
   * @param maxPiecesPerWord Pieces of a word beyond this many are dropped.
   */
  encodeWords(words: readonly string[], maxPiecesPerWord = Infinity): WordPieces {
    const pieces = words.map((word) => {
      const all = this.encodeWord(word);
      return all.length > maxPiecesPerWord ? all.subarray(0, maxPiecesPerWord) : all;
    });
    const total = pieces.reduce((sum, { length }) => sum + length, 0);
    const ids = new Int32Array(total);
    const wordOf = new Int32Array(total);
    let at = 0;
    pieces.forEach((ofWord, word) => {
      ids.set(ofWord, at);
      wordOf.fill(word, at, at + ofWord.length);
      at += ofWord.length;
    });
    return { ids, wordOf };
  }

  /** Word pieces of one word, at least one; shared, not to be written to. */
  encodeWord(word: string): Int32Array {
    const known = this.#recent.get(word);
    if (known !== undefined) return known;
    const pieces = this.#older.get(word) ?? this.#encode(word);
    if (word.length <= MAX_CACHED_LENGTH) this.#remember(word, pieces);
    return pieces;
  }

  #remember(word: string, pieces: Int32Array): void {
    if (this.#recent.size >= CACHE_WORDS / 2) {
      this.#older = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(word, pieces);
  }

  /** Lower-cases every sigma to σ as Python's tokenizers do; JavaScript would write a final one ς. */
  static spelling(word: string, lowercase: boolean): string {
    return lowercase ? word.replaceAll('\u03a3', '\u03c3') : word;
  }

  #encode(word: string): Int32Array {
    const text = WordPieceTokenizer.spelling(word, this.json.normalizer.lowercase);
    const { ids } = this.#tokenizer.encode(text, { add_special_tokens: false });
    const pieces = ids.length === 0 ? Int32Array.of(this.unkId) : Int32Array.from(ids);
    if (pieces.some((id) => id < 0 || id >= this.vocabularySize)) {
      throw new InternalError(`expected piece ids in [0, ${this.vocabularySize}), found ${pieces.join(' ')}`);
    }
    return pieces;
  }
}

function highestIndex(indices: ReadonlyMap<string, number>): number {
  let highest = -1;
  for (const [piece, index] of indices) {
    if (!Number.isInteger(index) || index < 0) {
      throw new InputError(`expected an index for the piece "${piece}", found ${index}`);
    }
    highest = Math.max(highest, index);
  }
  return highest;
}
