import { InputError } from '../errors.js';
import type { Span } from './span.js';
import { EMPTY_HASH, finishHash, hashMore, NameHashes, packHashes, unpackHashes } from './name-hashes.js';

/** A name that a vocabulary lists, and its class there. */
export interface GazetteerName {
  readonly class: string;
  readonly name: string;
  /** Whether the case of a name that is one word of letters alone counts, whatever it is: `Large`, a gene. */
  readonly exact?: boolean;
}

/** Parts of the longest names that are kept. */
const MOST_PARTS = 8;

/** Four bits each leave the sign of an int32 alone. */
const MOST_CLASSES = 7;

/** Bits of a class: the first, an inner and the last word of a name, and the word of a name of one word. */
const [FIRST, INNER, LAST, ONLY] = [1, 2, 4, 8];

/** Bits, and so features of a word, for each class. */
export const PLACES = 4;

/** Begins a file of hashes. Another rule of comparison, or another hash, is another version. */
const MAGIC = 'ebiobert gazetteer 1\n';

/**
 * Where names of public vocabularies stand in a sentence: features of its words, for a model that learns what they are
 * worth. Names are compared by their runs of letters and of digits and their other characters (after NFKC), without
 * hyphens, with Greek letters by name. Case counts in single words of letters alone that have a capital after the first
 * letter (`AIDS`), and in those that say so. After a last part of four letters or more there may be an s of the plural.
 *
 * Names are kept as hashes of 32 bits: of n names, one text in 2^32 / n that is none passes for one, and at each word some
 * texts are looked up, as many as names that begin there may have lengths.
 */
export class Gazetteer {
  private constructor(
    /** In the order of their bits. */
    readonly classes: readonly string[],
    private readonly hashes: readonly NameHashes[],
  ) {}

  /**
   * Of names in any order, classes in that of their first names. Names that cannot stand in a text are left out: of more
   * than eight parts, of one part of a single character, or without letters.
   * @param file for error messages
   * @throws InputError for more classes than seven, or none
   */
  static fromNames(names: Iterable<GazetteerName>, file?: string): Gazetteer {
    const byClass = new Map<string, Set<number>>();
    for (const { class: type, ...name } of names) {
      const hashes = byClass.get(type) ?? new Set();
      byClass.set(type, hashes);
      const hash = hashOfName(name);
      if (hash !== undefined) hashes.add(hash);
    }
    const at = file === undefined ? {} : { file };
    if (byClass.size === 0 || byClass.size > MOST_CLASSES) {
      throw new InputError(`expected names of one to ${MOST_CLASSES} classes, found ${byClass.size}`, at);
    }
    const broken = [...byClass.keys()].find((type) => /[\t\r\n]/.test(type));
    if (broken !== undefined) {
      throw new InputError(`expected a class without tabs and line breaks, found ${JSON.stringify(broken)}`, at);
    }
    return new Gazetteer(
      [...byClass.keys()],
      [...byClass.values()].map((hashes) => new NameHashes(Uint32Array.from(hashes).sort())),
    );
  }

  /**
   * Reads what `toBytes` gave.
   * @throws InputError for other bytes
   */
  static fromBytes(bytes: Uint8Array, file: string): Gazetteer {
    const head = new TextDecoder().decode(bytes.subarray(0, MAGIC.length));
    const end = bytes.indexOf(0x0a, MAGIC.length);
    const names = new TextDecoder().decode(bytes.subarray(MAGIC.length, end)).split('\t');
    if (head !== MAGIC || end < 0 || names.length > MOST_CLASSES) {
      throw new InputError('expected a gazetteer of this version, found other bytes', { file });
    }
    let from = end + 1;
    const hashes = names.map(() => {
      const list = unpackHashes(bytes, from, file);
      from = list.end;
      return new NameHashes(list.hashes);
    });
    if (from !== bytes.length) throw new InputError('expected the end of the gazetteer, found more bytes', { file });
    return new Gazetteer(names, hashes);
  }

  /** What a model folder keeps: the classes, and of each the hashes of its names. */
  toBytes(): Uint8Array<ArrayBuffer> {
    const lists = this.hashes.map(({ sorted }) => packHashes(sorted));
    const head = new TextEncoder().encode(`${MAGIC}${this.classes.join('\t')}\n`);
    const bytes = new Uint8Array(lists.reduce((sum, { length }) => sum + length, head.length));
    let end = 0;
    for (const part of [head, ...lists]) {
      bytes.set(part, end);
      end += part.length;
    }
    return bytes;
  }

  /** Names of each class, in the order of the classes. */
  get sizes(): readonly number[] {
    return this.hashes.map(({ sorted }) => sorted.length);
  }

  /**
   * The bits of each word: `PLACES` for each class, in the order of the classes. Of names of a class that overlap, the
   * longest of those that begin first stands.
   */
  marks(words: readonly string[]): Int32Array {
    const parts = words.map(partsOf);
    const marks = new Int32Array(words.length);
    /** The first word after the last name of each class. */
    const free = this.classes.map(() => 0);
    for (const first of words.keys()) {
      const ends = this.#ends(parts, first);
      for (const [c, end] of ends.entries()) {
        if (end < first || first < (free[c] ?? 0)) continue;
        free[c] = end + 1;
        for (let word = first; word <= end; word++) {
          const place = first === end ? ONLY : word === first ? FIRST : word === end ? LAST : INNER;
          marks[word] = (marks[word] ?? 0) | (place << (PLACES * c));
        }
      }
    }
    return marks;
  }

  /** The last word of the longest name of each class that begins with a word; -1 where none does. */
  #ends(parts: readonly (readonly string[])[], first: number): number[] {
    const ends = this.classes.map(() => -1);
    if (parts[first]?.length === 0) return ends;
    let state = EMPTY_HASH;
    let count = 0;
    for (let word = first; word < parts.length; word++) {
      const own = parts[word] ?? [];
      count += own.length;
      if (count > MOST_PARTS) break;
      const before = own.slice(0, -1).reduce((hash, part) => hashMore(hash, `${part.toLowerCase()} `), state);
      const last = own.at(-1);
      state = last === undefined ? before : hashMore(before, `${last.toLowerCase()} `);
      if (last === undefined) continue;
      const candidates = [state];
      const singular = isPlural(last) ? last.slice(0, -1) : undefined;
      if (singular !== undefined) candidates.push(hashMore(before, `${singular.toLowerCase()} `));
      if (count === 1 && isLetters(last)) {
        candidates.push(exactHash(last), ...(singular === undefined ? [] : [exactHash(singular)]));
      }
      const finished = candidates.map(finishHash);
      for (const [c, names] of this.hashes.entries()) if (finished.some((hash) => names.has(hash))) ends[c] = word;
    }
    return ends;
  }
}

/** A name among the words of a sentence: `[start, end)` of them, of a class. */
export interface PlacedName extends Span {
  readonly class: string;
}

/** The names that marks say, in the order of their first words; of a part of a sentence those that lie in it. */
export function placedNames(marks: Int32Array, classes: readonly string[]): PlacedName[] {
  const places: PlacedName[] = [];
  for (const [c, type] of classes.entries()) {
    let start = -1;
    for (const [word, bits] of marks.entries()) {
      const place = (bits >> (PLACES * c)) & 15;
      if (place === FIRST || place === ONLY) start = word;
      if ((place === LAST || place === ONLY) && start >= 0) places.push({ class: type, start, end: word + 1 });
    }
  }
  return places.sort((a, b) => a.start - b.start);
}

/**
 * Reads names: `class`, `name` and perhaps `exact`, divided by tabs, a name a line. Empty lines and lines that begin with
 * `#` are passed over.
 * @throws InputError for a line of another form
 */
export function* parseNames(lines: Iterable<string>, file: string): Generator<GazetteerName> {
  let number = 0;
  for (const line of lines) {
    number++;
    if (line.trim() === '' || line.startsWith('#')) continue;
    const [type = '', name = '', exact = '', ...rest] = line.split('\t').map((cell) => cell.trim());
    if (type === '' || name === '' || rest.length > 0 || !['', 'exact'].includes(exact)) {
      const expected = 'expected a class, a name and perhaps "exact", divided by tabs';
      throw new InputError(`${expected}, found ${JSON.stringify(line.slice(0, 60))}`, { file, line: number });
    }
    yield { class: type, name, exact: exact !== '' };
  }
}

const GREEK = new Map(
  Object.entries({
    α: 'alpha',
    β: 'beta',
    γ: 'gamma',
    δ: 'delta',
    ε: 'epsilon',
    ζ: 'zeta',
    η: 'eta',
    θ: 'theta',
    κ: 'kappa',
    λ: 'lambda',
    μ: 'mu',
    ν: 'nu',
    ξ: 'xi',
    π: 'pi',
    ρ: 'rho',
    σ: 'sigma',
    ς: 'sigma',
    τ: 'tau',
    φ: 'phi',
    χ: 'chi',
    ψ: 'psi',
    ω: 'omega',
  }),
);

/** What names are compared by. */
function partsOf(text: string): string[] {
  const plain = /^[ -~]*$/.test(text) ? text : spelled(text);
  return plain.match(/\p{L}+|\p{N}+|[^\s\p{L}\p{N}\p{Pd}\u2212]/gu) ?? [];
}

/** Without what is not seen, one form of each character, and Greek letters by name. */
function spelled(text: string): string {
  const visible = text.normalize('NFKC').replace(/\p{Cf}/gu, '');
  return visible.replace(/[Α-Ωα-ω]/g, (letter) => ` ${GREEK.get(letter.toLowerCase()) ?? letter} `);
}

function isLetters(part: string): boolean {
  return /^\p{L}+$/u.test(part);
}

function isPlural(part: string): boolean {
  return part.length > 4 && /[^sS]s$/.test(part);
}

function exactHash(word: string): number {
  return hashMore(EMPTY_HASH, `=${word} `);
}

/** undefined for a name that is left out. */
function hashOfName({ name, exact = false }: Omit<GazetteerName, 'class'>): number | undefined {
  const parts = partsOf(name);
  const [only] = parts;
  if (only === undefined || parts.length > MOST_PARTS || !parts.some((part) => /\p{L}/u.test(part))) return undefined;
  if (parts.length === 1 && only.length < 2) return undefined;
  if (parts.length === 1 && isLetters(only) && (exact || /\p{L}\p{Lu}/u.test(only))) return finishHash(exactHash(only));
  return finishHash(parts.reduce((hash, part) => hashMore(hash, `${part.toLowerCase()} `), EMPTY_HASH));
}
