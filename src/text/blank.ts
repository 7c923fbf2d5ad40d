/**
 * Characters that separate words and belong to none: white space (no-break and line separators included), control
 * characters, and invisible formatting characters (zero-width space, soft hyphen, direction marks, byte order mark).
 * The body of a regular expression's character class; all of them are single UTF-16 code units.
 */
export const BLANK_CLASS =
  '\\s\\u0000-\\u001f\\u007f-\\u009f\\u00ad\\u061c\\u180e\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f';

const BLANK = new RegExp(`[${BLANK_CLASS}]`);
const ASCII_SPACE = 0x20;
const ASCII_DELETE = 0x7f;

/** Whether the UTF-16 code unit separates words (see {@link BLANK_CLASS}). */
export function isBlank(codeUnit: number): boolean {
  if (codeUnit <= ASCII_SPACE) return true;
  if (codeUnit < ASCII_DELETE) return false;
  return BLANK.test(String.fromCharCode(codeUnit));
}
