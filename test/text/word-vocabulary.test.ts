import { describe, expect, test } from 'vitest';
import { wordVocabulary, WordPieceTokenizer } from '../../src/text/index.js';

const sentences = [
  ['The', 'the', 'gene', 'TNF-alpha', 'ΣΑΣ'],
  ['the', 'gene', 'alpha', 'Ménière', 'rare', 'σασ'],
  ['[PAD]', 'pad', '##ene', 'ene', 'ene'],
];
const pieces = (tokenizer: WordPieceTokenizer, ...words: string[]): string[] =>
  tokenizer.pieces(tokenizer.encodeWords(words).ids);
const all = ({ vocabularySize }: WordPieceTokenizer): number[] => Array.from({ length: vocabularySize }, (_, id) => id);

describe('the vocabulary of some sentences', () => {
  test('has the words that occur often enough, the most frequent first', () => {
    const tokenizer = wordVocabulary(sentences, { minCount: 2, lowercase: true });
    const special = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];
    const words = ['ene', 'the', '#', 'alpha', 'gene', 'pad', 'σασ'];
    expect(tokenizer.pieces(all(tokenizer))).toEqual([...special, ...words]);
  });

  test('whole words are one piece, unknown ones unknown, marks are split off', () => {
    const tokenizer = wordVocabulary(sentences, { minCount: 1, lowercase: true });
    expect(pieces(tokenizer, 'GENE', 'genes', 'ge', 'meniere', 'TNF-alpha', 'TNF-beta')).toEqual([
      ...['gene', '[UNK]', '[UNK]', 'meniere'],
      ...['tnf', '-', 'alpha', 'tnf', '-', '[UNK]'],
    ]);
  });

  test('keeps case where it is told to', () => {
    const tokenizer = wordVocabulary(sentences, { minCount: 1, lowercase: false });
    expect(pieces(tokenizer, 'The', 'the', 'THE', 'Ménière')).toEqual(['The', 'the', '[UNK]', 'Ménière']);
  });

  test('is the same from its file', () => {
    const tokenizer = wordVocabulary(sentences, { minCount: 1, lowercase: true });
    const again = WordPieceTokenizer.fromJson(JSON.parse(JSON.stringify(tokenizer.json)));
    const words = sentences.flat();
    expect(again.encodeWords(words)).toEqual(tokenizer.encodeWords(words));
    expect(pieces(again, ...words)).not.toContain('[UNK]');
  });
});
