import { UsageError } from '../errors.js';

/** A run of words `[from, to)` that is encoded together, and the part `[ownFrom, ownTo)` it speaks for. */
export interface WordWindow {
  readonly from: number;
  readonly to: number;
  readonly ownFrom: number;
  readonly ownTo: number;
}

/**
 * Covers a sentence with overlapping windows of at most `limit` pieces. Own regions partition the words; a boundary
 * between two of them lies in the middle of the overlap, so a word is owned by the window that sees most around it.
 * The last window reaches back as far as the limit allows. A sentence within the limit is one window, an empty one none.
 *
 * A word counts at most `limit` pieces: one with more has a window to itself, encoded with
 * `encodeWords(words, limit)`, which keeps the first `limit` pieces of a word.
 *
 * @param piecesPerWord Pieces of each word, `[N]`, each at least 1.
 * @param limit Pieces in a window, special tokens not counted.
 * @param overlap Words that neighbouring windows share, as far as the limit leaves room; at least half of it is context
 *   on either side of an own region, so mentions of up to `overlap / 2` words are seen whole by the window that owns them.
 */
export function planWindows(piecesPerWord: ArrayLike<number>, limit: number, overlap: number): WordWindow[] {
  if (!Number.isInteger(limit) || limit < 1)
    throw new UsageError(`expected a limit of at least 1 piece, found ${limit}`);
  if (!Number.isInteger(overlap) || overlap < 0)
    throw new UsageError(`expected an overlap of 0 or more words, found ${overlap}`);
  const count = piecesPerWord.length;
  const pieces = (word: number): number => Math.min(piecesPerWord[word] ?? 0, limit);

  const ranges: { from: number; to: number }[] = [];
  let from = 0;
  let to = 0;
  let total = 0;
  while (to < count) {
    while (to < count && total + pieces(to) <= limit) total += pieces(to++);
    if (to === count) {
      while (from > 0 && total + pieces(from - 1) <= limit) total += pieces(--from);
    }
    ranges.push({ from, to });
    if (to === count) break;
    const next = Math.max(from + 1, to - overlap);
    while (from < next || total + pieces(to) > limit) total -= pieces(from++);
  }

  return ranges.map((range, k) => ({
    ...range,
    ownFrom: boundary(ranges[k - 1], range) ?? 0,
    ownTo: boundary(range, ranges[k + 1]) ?? count,
  }));
}

function boundary(
  left: { readonly to: number } | undefined,
  right: { readonly from: number } | undefined,
): number | undefined {
  return left && right ? (left.to + right.from) >>> 1 : undefined;
}

/**
 * Whether a mention found in a window is to be kept: exactly one window owns the middle word of a mention, and the
 * others, which see less around it, stay silent. Word indices are those of the sentence; `last` is inclusive.
 */
export function ownsMention(window: WordWindow, first: number, last: number): boolean {
  const middle = (first + last) >>> 1;
  return window.ownFrom <= middle && middle < window.ownTo;
}
