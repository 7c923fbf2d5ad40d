import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { collate, SentenceEncoder, type WordSentence } from '../../src/tag/index.js';
import { Gazetteer, WordPieceTokenizer } from '../../src/text/index.js';
import { tinySequence } from '../model/support/tiny.js';

const tokenizer = WordPieceTokenizer.fromVocabulary('[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n##a\n', {
  lowercase: true,
});
const LIMIT = 20;

/** A sentence of words that have the given numbers of pieces. */
function sentence(piecesPerWord: readonly number[], follows = false): WordSentence {
  return { words: piecesPerWord.map((count) => 'a'.repeat(count)), follows };
}

function windowsOf(sentences: readonly WordSentence[], context: number) {
  return new SentenceEncoder({ tokenizer }, tinySequence({ context })).encodeAll(sentences);
}

const sentences = fc.array(
  fc.tuple(fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 12 }), fc.boolean()).map((s) => sentence(...s)),
  { maxLength: 12 },
);

describe('encodeAll', () => {
  test('has every word of every sentence, in order, within the limit of the encoder', () => {
    fc.assert(
      fc.property(sentences, fc.integer({ min: 0, max: 30 }), (list, context) => {
        const windows = windowsOf(list, context);
        const covered = list.map(() => [] as number[]);
        for (const { index, window, sentence: encoded } of windows.flat()) {
          expect(encoded.words).toBe(window.to - window.from);
          for (let word = window.ownFrom; word < window.ownTo; word++) covered[index]?.push(word);
        }
        expect(covered).toEqual(list.map(({ words }) => [...words.keys()]));
        for (const window of windows) {
          const pieces = window.reduce((sum, part) => sum + part.sentence.ids.length, 2);
          expect(pieces).toBeLessThanOrEqual(window.length === 1 ? LIMIT : Math.min(context, LIMIT));
        }
      }),
    );
  });

  test('lets only neighbours of one text share a window', () => {
    fc.assert(
      fc.property(sentences, fc.integer({ min: 0, max: 30 }), (list, context) => {
        for (const window of windowsOf(list, context)) {
          for (const [k, { index }] of window.entries()) {
            if (k === 0) continue;
            const before = window[k - 1]?.index ?? 0;
            for (let next = before + 1; next <= index; next++) expect(list[next]?.follows).toBe(true);
            expect(index).toBeGreaterThan(before);
          }
        }
      }),
    );
  });

  test('reads each sentence alone without context, and with it as many together as fit', () => {
    const text = [sentence([2, 2]), sentence([3], true), sentence([4], true), sentence([4], true), sentence([1])];
    const shapes = (context: number) => windowsOf(text, context).map((window) => window.map(({ index }) => index));
    expect(shapes(0)).toEqual([[0], [1], [2], [3], [4]]);
    expect(shapes(20)).toEqual([[0, 1, 2, 3], [4]]);
    expect(shapes(12)).toEqual([[0, 1], [2, 3], [4]]);
  });
});

describe('names of a gazetteer', () => {
  const gazetteer = Gazetteer.fromNames([
    { class: 'X', name: 'aa a' },
    { class: 'Y', name: 'aaa' },
  ]);
  const config = tinySequence({ gazetteer: ['X', 'Y'], context: LIMIT });
  const encoder = new SentenceEncoder({ tokenizer, gazetteer }, config);

  test('are marked at every piece of their words, in every sentence of a window', () => {
    const [window = []] = encoder.encodeAll([sentence([1, 2, 1]), sentence([3, 1], true)]);
    const { inputs, sizes } = collate([window.map((part) => part.sentence)], tokenizer, config);
    expect(inputs['gazetteer']).toMatchObject({ type: 'float32', dims: [1, sizes.pieces, 8] });
    const marks = [...(inputs['gazetteer']?.data ?? [])];
    const rows = Array.from({ length: sizes.pieces }, (_, k) => marks.slice(8 * k, 8 * k + 8).join(''));
    const [none, first, last, only] = ['00000000', '10000000', '00100000', '00000001'];
    // [CLS] a | aa aa | a | aaa aaa aaa | a [SEP]: pieces of words of 1, 2, 1 and of 3, 1 letters.
    expect(rows).toEqual([none, none, first, first, last, only, only, only, none, none]);
  });

  test('are those of the whole sentence in the windows of a long one', () => {
    const words = Array.from({ length: 30 }, (_, k) => (k % 2 === 0 ? 'aa' : 'a'));
    const whole = gazetteer.marks(words);
    const windows = encoder.encode(words);
    expect(windows.length).toBeGreaterThan(1);
    for (const { sentence: part, window } of windows) expect(part.names).toEqual(whole.slice(window.from, window.to));
  });

  test('are needed by a model that has classes of one, and no others', () => {
    const message = 'expected a gazetteer of X, Y, found';
    expect(() => new SentenceEncoder({ tokenizer }, config)).toThrow(`${message} none`);
    const other = Gazetteer.fromNames([{ class: 'Y', name: 'aa' }]);
    expect(() => new SentenceEncoder({ tokenizer, gazetteer: other }, config)).toThrow(`${message} Y`);
  });
});
