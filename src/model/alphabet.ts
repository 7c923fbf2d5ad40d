/**
 * Character ids of the spelling features: 0 padding, 1 an unknown character, then printable ASCII, then Greek letters
 * and signs that biomedical names use. Letters outside it are classed by case, digits and other scripts as unknown.
 */
const EXTRA = 'αβγδεζηθικλμνξοπρσςτυφχψωΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩ±×·°µ–—’′″→≥≤®™';
const FIRST_ASCII = 33;
const LAST_ASCII = 126;
const UNKNOWN = 1;
const UNKNOWN_LOWER = 2;
const UNKNOWN_UPPER = 3;
const FIRST = 4;

const extra = new Map([...EXTRA].map((character, k) => [character, FIRST + LAST_ASCII - FIRST_ASCII + 1 + k]));

export const alphabetSize = FIRST + LAST_ASCII - FIRST_ASCII + 1 + extra.size;

function characterId(character: string): number {
  const code = character.charCodeAt(0);
  if (code >= FIRST_ASCII && code <= LAST_ASCII) return FIRST + code - FIRST_ASCII;
  const known = extra.get(character);
  if (known !== undefined) return known;
  if (/\p{Ll}/u.test(character)) return UNKNOWN_LOWER;
  return /\p{Lu}/u.test(character) ? UNKNOWN_UPPER : UNKNOWN;
}

/** Ids of a word's characters; of a word longer than `limit` its first and last halves. */
export function characterIds(word: string, limit: number): number[] {
  const ids = Array.from(word, characterId);
  if (ids.length <= limit) return ids;
  const head = Math.ceil(limit / 2);
  return [...ids.slice(0, head), ...ids.slice(head - limit)];
}
