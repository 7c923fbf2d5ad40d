import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { WordPieceTokenizer } from '../../src/text/index.js';
import { hasShared, readSentences, readShared } from './shared.js';

interface Encoded {
  readonly hashes: string;
  readonly first: readonly number[][];
  readonly hard: readonly number[][];
}

interface Golden {
  readonly stride: number;
  readonly hardWords: readonly string[];
  readonly uncased: Encoded;
  readonly cased: Encoded;
}

const HASH_DIGITS = 8;
const ENCODER = 'encoders/all-minilm-l6-v2';

/** Written by test/golden/tokens.py with Hugging Face tokenizers. */
const golden = JSON.parse(readFileSync(new URL('../golden/tokens.json', import.meta.url), 'utf8')) as Golden;

function digest(ids: Int32Array): string {
  return createHash('sha256').update(ids.join(' ')).digest('hex').slice(0, HASH_DIGITS);
}

describe.skipIf(!hasShared)('WordPieceTokenizer against Python (needs ../shared)', () => {
  const every = !hasShared
    ? []
    : ['ncbi-disease', 'bc5cdr', 'bc2gm'].flatMap((corpus) => readSentences(`${corpus}/devel.tsv`));
  const load = {
    uncased: () =>
      WordPieceTokenizer.fromJson(
        JSON.parse(readShared(`${ENCODER}/tokenizer.json`)),
        JSON.parse(readShared(`${ENCODER}/tokenizer_config.json`)),
      ),
    cased: () => WordPieceTokenizer.fromVocabulary(readShared(`${ENCODER}/vocab.txt`), { lowercase: false }),
  };

  it.each(['uncased', 'cased'] as const)('%s: 2,000 corpus sentences and hard words', (name) => {
    const tokenizer = load[name]();
    const { hashes, first, hard } = golden[name];
    const sentences = every.filter((_, k) => k % golden.stride === 0).slice(0, hashes.length / HASH_DIGITS);
    expect(sentences).toHaveLength(2000);
    const encoded = sentences.map((words) => tokenizer.encodeWords(words.map(({ text }) => text)).ids);
    first.forEach((ids, k) => expect(Array.from(encoded[k] ?? [])).toEqual(ids));
    expect(encoded.map(digest).join('')).toBe(hashes);
    golden.hardWords.forEach((word, k) => {
      const python = hard[k] ?? [];
      expect(Array.from(tokenizer.encodeWord(word)), word).toEqual(python.length === 0 ? [tokenizer.unkId] : python);
    });
  });

  it('reads the same tokenizer from tokenizer.json and from vocab.txt', () => {
    const fromVocabulary = WordPieceTokenizer.fromVocabulary(readShared(`${ENCODER}/vocab.txt`), { lowercase: true });
    const fromJson = load.uncased();
    for (const words of every.slice(0, 200)) {
      const texts = words.map(({ text }) => text);
      expect(fromVocabulary.encodeWords(texts)).toEqual(fromJson.encodeWords(texts));
    }
    expect([fromVocabulary.clsId, fromVocabulary.sepId, fromVocabulary.padId]).toEqual([101, 102, 0]);
  });
});
