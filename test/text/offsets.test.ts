import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/errors.js';
import { CodePointIndex } from '../../src/text/index.js';
import { anyText } from './arbitrary.js';

describe('CodePointIndex', () => {
  it('counts as Python does', () => {
    const index = new CodePointIndex('a😀b𝛼\ud83dc\ude00');
    expect([index.utf16Length, index.codePointLength]).toEqual([9, 7]);
    expect([0, 1, 3, 4, 6, 7, 8, 9].map((at) => index.toCodePoint(at))).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect([0, 1, 2, 3, 4, 5, 6, 7].map((at) => index.toUtf16(at))).toEqual([0, 1, 3, 4, 6, 7, 8, 9]);
  });

  it('takes an offset inside a pair for the start of the pair', () => {
    expect(new CodePointIndex('😀b').toCodePoint(1)).toBe(0);
  });

  it('agrees with Array.from at every code point, in any order', () => {
    fc.assert(
      fc.property(anyText, fc.boolean(), (text, backwards) => {
        const index = new CodePointIndex(text);
        const characters = Array.from(text);
        expect(index.codePointLength).toBe(characters.length);
        const pairs = [[0, 0]];
        let utf16 = 0;
        characters.forEach((character, k) => pairs.push([k + 1, (utf16 += character.length)]));
        if (backwards) pairs.reverse();
        for (const [codePoint = 0, unit = 0] of pairs) {
          expect(index.toUtf16(codePoint)).toBe(unit);
          expect(index.toCodePoint(unit)).toBe(codePoint);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('refuses offsets outside the text', () => {
    const index = new CodePointIndex('a😀');
    expect(() => index.toUtf16(3)).toThrow(new InputError('expected an offset between 0 and 2, found 3'));
    expect(() => index.toCodePoint(4)).toThrow('expected an offset between 0 and 3, found 4');
    for (const bad of [-1, 0.5, NaN]) expect(() => index.toUtf16(bad)).toThrow(InputError);
  });

  it('converts a million offsets of a million emoji quickly', () => {
    const index = new CodePointIndex('😀'.repeat(1_000_000));
    const started = performance.now();
    for (let k = 0; k <= 1_000_000; k++) if (index.toUtf16(k) !== 2 * k) throw new Error(`wrong at ${k}`);
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});
