import { InputError } from '../errors.js';

const SURROGATE_PAIR = /[\ud800-\udbff][\udc00-\udfff]/g;

/**
 * Converts offsets of one text between UTF-16 code units (JavaScript, this library) and Unicode code points (Python,
 * PubTator, BioC, brat). Built in one pass; a lookup is a subtraction when the text has no astral character and a
 * binary search over its astral characters otherwise, in any order. A lone surrogate counts as one code point.
 */
export class CodePointIndex {
  /** UTF-16 offsets of the surrogate pairs, ascending. */
  readonly #pairs: readonly number[];
  readonly utf16Length: number;
  readonly codePointLength: number;

  constructor(text: string) {
    const pairs: number[] = [];
    for (const match of text.matchAll(SURROGATE_PAIR)) pairs.push(match.index);
    this.#pairs = pairs;
    this.utf16Length = text.length;
    this.codePointLength = text.length - pairs.length;
  }

  /**
   * The code point offset of a UTF-16 offset; an offset inside a surrogate pair counts as the start of the pair.
   *
   * @throws InputError when the offset is not an integer in [0, utf16Length].
   */
  toCodePoint(utf16: number): number {
    requireOffset(utf16, this.utf16Length);
    return utf16 - this.#countPairs((pair) => pair < utf16);
  }

  /**
   * The UTF-16 offset of a code point offset.
   *
   * @throws InputError when the offset is not an integer in [0, codePointLength].
   */
  toUtf16(codePoint: number): number {
    requireOffset(codePoint, this.codePointLength);
    return codePoint + this.#countPairs((pair, rank) => pair - rank < codePoint);
  }

  /** How many pairs satisfy a condition that holds for a prefix of them. */
  #countPairs(holds: (pair: number, rank: number) => boolean): number {
    let low = 0;
    let high = this.#pairs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const pair = this.#pairs[middle];
      if (pair !== undefined && holds(pair, middle)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function requireOffset(offset: number, length: number): void {
  if (!Number.isInteger(offset) || offset < 0 || offset > length) {
    throw new InputError(`expected an offset between 0 and ${length}, found ${offset}`);
  }
}
