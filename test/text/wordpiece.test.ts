import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/errors.js';
import { WordPieceTokenizer, splitWords } from '../../src/text/index.js';
import { anyText } from './arbitrary.js';
import { slices } from './shared.js';

const PIECES = [
  '[PAD]',
  '[UNK]',
  '[CLS]',
  '[SEP]',
  '[MASK]',
  'in',
  '##hibit',
  '##or',
  'In',
  '-',
  'e',
  'é',
  'σ',
  '##σ',
  '药',
  '[',
  ']',
  'cls',
];
const VOCABULARY = `${PIECES.join('\n')}\n`;
const uncased = WordPieceTokenizer.fromVocabulary(VOCABULARY, { lowercase: true });
const cased = WordPieceTokenizer.fromVocabulary(VOCABULARY, { lowercase: false });

function pieces(tokenizer: WordPieceTokenizer, ...words: string[]): (string | undefined)[] {
  return Array.from(tokenizer.encodeWords(words).ids, (id) => PIECES[id]);
}

describe('WordPieceTokenizer', () => {
  it('knows its special tokens', () => {
    const { vocabularySize, padId, unkId, clsId, sepId } = uncased;
    expect([vocabularySize, padId, unkId, clsId, sepId]).toEqual([PIECES.length, 0, 1, 2, 3]);
  });

  it('takes the longest pieces and says which word each belongs to', () => {
    const { ids, wordOf } = uncased.encodeWords(['Inhibitor', '-', 'in']);
    expect(Array.from(ids, (id) => PIECES[id])).toEqual(['in', '##hibit', '##or', '-', 'in']);
    expect(Array.from(wordOf)).toEqual([0, 0, 0, 1, 2]);
  });

  it('keeps or throws away case and accents', () => {
    expect(pieces(cased, 'In', 'in', 'IN', 'é')).toEqual(['In', 'in', '[UNK]', 'é']);
    expect(pieces(uncased, 'IN', 'É')).toEqual(['in', 'e']);
    const accents = WordPieceTokenizer.fromVocabulary(VOCABULARY, { lowercase: true, stripAccents: false });
    expect(pieces(accents, 'É')).toEqual(['é']);
    expect(pieces(uncased, 'ΣΣ')).toEqual(['σ', '##σ']);
  });

  it('gives [UNK] for what it does not know, for what normalises to nothing, and for too long a word', () => {
    expect(pieces(uncased, 'xyz', '\u0301', '', '\u200d', '\ud83d', 'in'.repeat(51))).toEqual(Array(6).fill('[UNK]'));
  });

  it('takes a word that spells a special token for text', () => {
    expect(pieces(uncased, '[CLS]')).toEqual(['[', 'cls', ']']);
  });

  it('drops the pieces of a word beyond a maximum', () => {
    const { ids, wordOf } = uncased.encodeWords(['inhibitor', 'in'], 2);
    expect([Array.from(ids), Array.from(wordOf)]).toEqual([
      [5, 6, 5],
      [0, 0, 1],
    ]);
  });

  it('gives every word of any text a piece, the same each time', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const words = slices(text, splitWords(text));
        const { ids, wordOf } = uncased.encodeWords(words);
        expect(ids.length).toBe(wordOf.length);
        expect(Array.from(new Set(wordOf))).toEqual(words.map((_, k) => k));
        expect(ids.every((id) => id >= 0 && id < PIECES.length)).toBe(true);
        expect(uncased.encodeWords(words)).toEqual({ ids, wordOf });
      }),
      { numRuns: 500 },
    );
  });

  it('forgets old words but not how to encode them', () => {
    const many = Array.from({ length: 100_000 }, (_, k) => `in-${k}`);
    const first = uncased.encodeWords(['inhibitor']);
    uncased.encodeWords(many);
    expect(uncased.encodeWords(['inhibitor'])).toEqual(first);
  });

  it('takes a word of a million letters and a text of a million ideographs', () => {
    expect(uncased.encodeWords(['a'.repeat(1_000_000)]).ids).toEqual(Int32Array.of(1));
    expect(uncased.encodeWords(Array<string>(1_000_000).fill('药')).ids.length).toBe(1_000_000);
  });

  it('reads what it writes, and lets tokenizer_config.json overrule the normalizer as transformers does', () => {
    const json: unknown = JSON.parse(JSON.stringify(uncased.json));
    expect(pieces(WordPieceTokenizer.fromJson(json), 'IN', 'É')).toEqual(['in', 'e']);
    expect(pieces(WordPieceTokenizer.fromJson(json, { do_lower_case: false }), 'In', 'é')).toEqual(['In', 'é']);
    expect(pieces(WordPieceTokenizer.fromJson(json, { strip_accents: false }), 'É')).toEqual(['é']);
  });

  it('reads a vocabulary with CRLF lines', () => {
    const crlf = WordPieceTokenizer.fromVocabulary(VOCABULARY.replaceAll('\n', '\r\n'), { lowercase: true });
    expect(pieces(crlf, 'inhibitor')).toEqual(['in', '##hibit', '##or']);
  });

  const json = uncased.json;
  it.each<[unknown, string]>([
    [null, 'expected tokenizer.json to be an object, found null'],
    [{}, 'expected the model of tokenizer.json to be WordPiece, found nothing'],
    [{ ...json, model: { type: 'BPE' } }, 'expected the model of tokenizer.json to be WordPiece, found BPE'],
    [{ ...json, normalizer: null }, 'expected the normalizer of tokenizer.json to be BertNormalizer, found null'],
    [{ ...json, added_tokens: 5 }, 'expected added_tokens of tokenizer.json to be a list'],
    [
      { ...json, model: { ...json.model, vocab: [] } },
      'expected the vocabulary of tokenizer.json to be an object, found a list',
    ],
    [{ ...json, model: { ...json.model, vocab: { a: 'x' } } }, 'expected an index for the piece "a", found x'],
    [
      { ...json, added_tokens: [], model: { ...json.model, vocab: { a: 0 } } },
      'expected the special token [CLS] in the vocabulary, found none',
    ],
  ])('refuses %j', (bad, message) => {
    expect(() => WordPieceTokenizer.fromJson(bad)).toThrow(InputError);
    expect(() => WordPieceTokenizer.fromJson(bad)).toThrow(message);
  });

  it('names the line of a piece that stands twice', () => {
    expect(() => WordPieceTokenizer.fromVocabulary('a\nb\na\n', { lowercase: true })).toThrow(
      'line 3: expected every piece once, found "a" on line 1 too',
    );
  });
});
