import { BLANK_CLASS } from './blank.js';
import type { Span } from './span.js';

const MODIFIED = '[\\p{M}\\p{Emoji_Modifier}\\u{e0020}-\\u{e007f}]*';

/**
 * In order: an ideograph alone (Chinese text has no spaces, and BERT makes each ideograph a piece); a run of letters
 * and digits with their combining marks, held together by the joiners and soft hyphens inside it; a flag; an emoji with
 * its modifiers and everything a zero-width joiner ties to it; any other visible character with its marks.
 */
const WORD = new RegExp(
  [
    '[A-Za-z0-9]+(?![\\p{L}\\p{N}\\p{M}\\u00ad\\u200c\\u200d\\u2060])',
    '\\p{Script=Han}\\p{M}*',
    '(?!\\p{Script=Han})[\\p{L}\\p{N}](?:(?!\\p{Script=Han})[\\p{L}\\p{N}\\p{M}]|[\\u00ad\\u200c\\u200d\\u2060]+(?=[\\p{L}\\p{N}\\p{M}]))*',
    '\\p{Regional_Indicator}{2}\\p{M}*',
    `\\p{Extended_Pictographic}${MODIFIED}(?:\\u200d\\p{Extended_Pictographic}${MODIFIED})*`,
    `[^${BLANK_CLASS}]\\p{M}*`,
  ].join('|'),
  'gu',
);

/**
 * Splits text into words the way the corpora are: every run of letters or digits is a word, every other character
 * stands alone. Combining marks stay with their base, surrogate pairs and emoji sequences are never cut, ideographs
 * stand alone. Every character that is not blank (white space, control and invisible formatting characters) is in exactly one word; words are in order.
 *
 * @param within The part of `text` to split, the whole by default; the spans returned are offsets into `text` itself.
 */
export function splitWords(text: string, within?: Span): Span[] {
  const offset = within?.start ?? 0;
  const part = within === undefined ? text : text.slice(within.start, within.end);
  const words: Span[] = [];
  WORD.lastIndex = 0;
  for (let match = WORD.exec(part); match !== null; match = WORD.exec(part)) {
    words.push({ start: offset + match.index, end: offset + WORD.lastIndex });
  }
  return words;
}
