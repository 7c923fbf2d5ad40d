import { Tokenizer } from '@huggingface/tokenizers';
import { SPECIAL_TOKENS, tokenizerFromVocabulary } from './tokenizer-json.js';
import { WordPieceTokenizer } from './wordpiece.js';

export interface WordVocabularyOptions {
  /** Rarer words are unknown. */
  readonly minCount: number;
  /** Whether words are lower-cased and lose their accents. */
  readonly lowercase: boolean;
}

/**
 * A tokenizer whose pieces are the whole words of some sentences, the most frequent first: for embeddings of words that
 * are learned from scratch. Marks are split off as in BERT, so a word with a mark inside has several pieces; a word (or
 * part of one) that is not in the vocabulary is `[UNK]`.
 */
export function wordVocabulary(
  sentences: Iterable<readonly string[]>,
  { minCount, lowercase }: WordVocabularyOptions,
): WordPieceTokenizer {
  const { normalizer, pre_tokenizer: split } = new Tokenizer(
    { ...tokenizerFromVocabulary(SPECIAL_TOKENS.join('\n'), { lowercase }), post_processor: null, decoder: null },
    {},
  );
  const perWord = new Map<string, number>();
  for (const words of sentences) for (const word of words) perWord.set(word, (perWord.get(word) ?? 0) + 1);
  const counts = new Map<string, number>();
  for (const [word, count] of perWord) {
    const text = WordPieceTokenizer.spelling(word, lowercase);
    const parts = split?.pre_tokenize(normalizer?.normalize(text) ?? text) ?? [text];
    for (const part of parts) counts.set(part, (counts.get(part) ?? 0) + count);
  }
  const kept = [...counts].filter(([part, count]) => count >= minCount && !SPECIAL_TOKENS.includes(part));
  kept.sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return WordPieceTokenizer.fromVocabulary([...SPECIAL_TOKENS, ...kept.map(([part]) => part)].join('\n'), {
    lowercase,
  });
}
