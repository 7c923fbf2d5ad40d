import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isBlank, splitWords } from '../../src/text/index.js';
import { anyText } from './arbitrary.js';
import { hasShared, readSentences, slices } from './shared.js';

const words = (text: string): string[] => slices(text, splitWords(text));

describe('splitWords', () => {
  it.each([
    ['', []],
    [' \t\r\n\u00a0\u2028\0\u200b', []],
    ['IL-2 (5 mg/kg)', ['IL', '-', '2', '(', '5', 'mg', '/', 'kg', ')']],
    ['p53 a_b 0.5%', ['p53', 'a', '_', 'b', '0', '.', '5', '%']],
    ['NF-κB TNFα', ['NF', '-', 'κB', 'TNFα']],
    ['e\u0301tude Sjo\u0308gren', ['e\u0301tude', 'Sjo\u0308gren']],
    ['\u0301a', ['\u0301', 'a']],
    ['≠\u0338 ±5', ['≠\u0338', '±', '5']],
    ['im\u00admune zero\u200bwidth end\u00ad', ['im\u00admune', 'zero', 'width', 'end']],
    ['क्\u200dष', ['क्\u200dष']],
    ['𝛼𝐀 𠀀', ['𝛼𝐀', '𠀀']],
    ['😀👩‍🔬👍🏽🇩🇪🇫🇷❤️', ['😀', '👩‍🔬', '👍🏽', '🇩🇪', '🇫🇷', '❤️']],
    ['药物TNF', ['药', '物', 'TNF']],
    ['a\ud83db \ude00', ['a', '\ud83d', 'b', '\ude00']],
    ['a\0b', ['a', 'b']],
  ])('splits %j', (text, expected) => {
    expect(words(text)).toEqual(expected);
  });

  it('covers every character that is not blank exactly once, in order, whole code points only', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        let at = 0;
        for (const { start, end } of splitWords(text)) {
          expect(start).toBeGreaterThanOrEqual(at);
          expect(end).toBeGreaterThan(start);
          for (let k = at; k < start; k++) expect(isBlank(text.charCodeAt(k))).toBe(true);
          expect(/^[\ud800-\udbff][\udc00-\udfff]/.test(text.slice(start - 1, start + 1))).toBe(false);
          at = end;
        }
        for (let k = at; k < text.length; k++) expect(isBlank(text.charCodeAt(k))).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  it('keeps a mark with its letter and leaves ASCII runs whole', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const starts = new Set(splitWords(text).map(({ start }) => start));
        for (const { index } of text.matchAll(/(?<=[\p{L}\p{N}\p{P}\p{S}]\p{M}*)\p{M}/gu))
          expect(starts.has(index)).toBe(false);
        for (const { index } of text.matchAll(/(?<=[A-Za-z0-9])[A-Za-z0-9]/g)) expect(starts.has(index)).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  it('splits a part of a text as that part alone, with offsets into the whole', () => {
    const text = 'Title one. 😀 TNF-alpha rises';
    const within = { start: 11, end: 23 };
    expect(slices(text, splitWords(text, within))).toEqual(['😀', 'TNF', '-', 'alpha']);
  });

  it.skipIf(!hasShared)('gives back the words of every corpus sentence', () => {
    for (const corpus of ['ncbi-disease', 'bc5cdr', 'bc2gm']) {
      for (const split of ['train', 'devel', 'test']) {
        for (const sentence of readSentences(`${corpus}/${split}.tsv`)) {
          const expected = sentence.map(({ text }) => text);
          expect(words(expected.join(' '))).toEqual(expected);
        }
      }
    }
  });
});
