import { InputError } from '../errors.js';

/** The parts of a Hugging Face `tokenizer.json` that BERT's WordPiece tokenizer needs; other parts are kept. */
export interface TokenizerJson {
  readonly [part: string]: unknown;
  readonly added_tokens: readonly AddedToken[];
  readonly normalizer: BertNormalizer;
  readonly pre_tokenizer: { readonly type: 'BertPreTokenizer' };
  readonly model: WordPieceModel;
}

/** A token of its own beside the vocabulary. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly special: boolean;
  readonly single_word: boolean;
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  readonly normalized: boolean;
}

/** How text is normalised before it is cut into pieces. */
export interface BertNormalizer {
  readonly type: 'BertNormalizer';
  readonly clean_text: boolean;
  readonly handle_chinese_chars: boolean;
  readonly strip_accents: boolean | null;
  readonly lowercase: boolean;
}

/** The vocabulary and how words are cut into its pieces. */
export interface WordPieceModel {
  readonly type: 'WordPiece';
  readonly unk_token: string;
  readonly continuing_subword_prefix: string;
  readonly max_input_chars_per_word: number;
  readonly vocab: Readonly<Record<string, number>>;
}

/** How a `vocab.txt` is to be used; accents are stripped when lower-casing unless said otherwise, as in BERT. */
export interface VocabularyOptions {
  readonly lowercase: boolean;
  readonly stripAccents?: boolean;
}

export const SPECIAL_TOKENS: readonly string[] = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];

type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Checks that the content of a `tokenizer.json` is a BERT WordPiece tokenizer and applies the overrides of a
 * `tokenizer_config.json`.
 *
 * @throws InputError that names the part at fault.
 */
export function validateTokenizer(tokenizerJson: unknown, config: unknown = {}): TokenizerJson {
  if (!isFields(tokenizerJson))
    throw new InputError(`expected tokenizer.json to be an object, found ${describe(tokenizerJson)}`);
  if (!isFields(config))
    throw new InputError(`expected tokenizer_config.json to be an object, found ${describe(config)}`);
  const { model, normalizer, pre_tokenizer: preTokenizer, added_tokens: addedTokens = [] } = tokenizerJson;
  requireType('model', model, 'WordPiece');
  requireType('normalizer', normalizer, 'BertNormalizer');
  requireType('pre_tokenizer', preTokenizer, 'BertPreTokenizer');
  if (!Array.isArray(addedTokens) || !addedTokens.every(isAddedToken)) {
    throw new InputError('expected added_tokens of tokenizer.json to be a list of tokens with content and id');
  }
  const pick = <T>(type: string, fallback: T, ...values: unknown[]): T =>
    values.find((value): value is T => typeof value === type) ?? fallback;
  return {
    ...tokenizerJson,
    added_tokens: addedTokens,
    normalizer: {
      type: 'BertNormalizer',
      clean_text: pick('boolean', true, normalizer['clean_text']),
      handle_chinese_chars: pick('boolean', true, config['tokenize_chinese_chars'], normalizer['handle_chinese_chars']),
      strip_accents: pick<boolean | null>('boolean', null, config['strip_accents'], normalizer['strip_accents']),
      lowercase: pick('boolean', true, config['do_lower_case'], normalizer['lowercase']),
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    model: {
      type: 'WordPiece',
      unk_token: pick('string', '[UNK]', model['unk_token']),
      continuing_subword_prefix: pick('string', '##', model['continuing_subword_prefix']),
      max_input_chars_per_word: pick('number', 100, model['max_input_chars_per_word']),
      vocab: validateVocabulary(model['vocab']),
    },
  };
}

/**
 * The `tokenizer.json` that a `vocab.txt` stands for.
 *
 * @throws InputError when a piece stands twice.
 */
export function tokenizerFromVocabulary(vocabulary: string, options: VocabularyOptions): TokenizerJson {
  const lines = vocabulary.replace(/^\ufeff/, '').split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  const indices = new Map<string, number>();
  lines.forEach((piece, index) => {
    const first = indices.get(piece);
    if (first !== undefined) {
      throw new InputError(`expected every piece once, found "${piece}" on line ${first + 1} too`, { line: index + 1 });
    }
    indices.set(piece, index);
  });
  const special = SPECIAL_TOKENS.flatMap((content) => {
    const id = indices.get(content);
    return id === undefined
      ? []
      : [{ id, content, special: true, single_word: false, lstrip: false, rstrip: false, normalized: false }];
  });
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: special.sort((a, b) => a.id - b.id),
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: options.stripAccents ?? null,
      lowercase: options.lowercase,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: bertTemplate(indices),
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(indices),
    },
  };
}

/** `[CLS] A [SEP]` and `[CLS] A [SEP] B [SEP]`, for other readers of the file. */
function bertTemplate(indices: ReadonlyMap<string, number>): unknown {
  return {
    type: 'BertProcessing',
    sep: ['[SEP]', indices.get('[SEP]') ?? 0],
    cls: ['[CLS]', indices.get('[CLS]') ?? 0],
  };
}

function requireType(part: string, value: unknown, type: string): asserts value is Fields {
  const found = isFields(value) ? value['type'] : value;
  const untypedModel = type === 'WordPiece' && found === undefined && isFields(value) && !('merges' in value);
  if (!isFields(value) || (found !== type && !untypedModel)) {
    throw new InputError(`expected the ${part} of tokenizer.json to be ${type}, found ${describe(found)}`);
  }
}

function isAddedToken(value: unknown): value is AddedToken {
  return isFields(value) && typeof value['content'] === 'string' && Number.isInteger(value['id']);
}

function validateVocabulary(vocab: unknown): Record<string, number> {
  if (!isFields(vocab))
    throw new InputError(`expected the vocabulary of tokenizer.json to be an object, found ${describe(vocab)}`);
  return vocab as Record<string, number>;
}

function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
