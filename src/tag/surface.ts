/**
 * A word as it is compared with others of the same name: in lower case, unless its case may tell it apart, as in short
 * words and in those with two capitals (`AIDS`, `DnaK`).
 */
export function foldWord(word: string): string {
  return word.length < 4 || /\p{Lu}.*\p{Lu}/u.test(word) ? word : word.toLowerCase();
}
