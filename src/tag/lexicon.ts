import { InputError } from '../errors.js';
import type { WordEntity } from '../scheme/index.js';
import { splitWords } from '../text/index.js';
import type { WordSentence } from './encode.js';
import { Marks } from './marks.js';
import { foldWord } from './surface.js';

/** A name that is an entity wherever it stands and nothing else was found. */
export interface LexiconName {
  readonly type: string;
  readonly name: string;
  /** What entities of the name get as their score, from 0 to 1. */
  readonly score: number;
}

interface Entry {
  readonly type: string;
  readonly words: readonly string[];
  readonly score: number;
}

/** An entity of at least this score keeps its type, whatever the lexicon says. */
const SURE = 0.9;

/**
 * Names of known type beside a model: what training sentences marked almost always, or a user's own list. Names are
 * compared word by word; case counts in short words and in those with two capitals only.
 */
export class Lexicon {
  readonly #byFirstWord = new Map<string, Entry[]>();

  constructor(names: Iterable<LexiconName>) {
    for (const { type, name, score } of names) {
      const words = splitWords(name).map(({ start, end }) => foldWord(name.slice(start, end)));
      const [first] = words;
      if (first === undefined) continue;
      const entry = { type, words, score };
      const entries = this.#byFirstWord.get(first);
      if (entries === undefined) this.#byFirstWord.set(first, [entry]);
      else entries.push(entry);
    }
    for (const entries of this.#byFirstWord.values()) {
      entries.sort((a, b) => b.words.length - a.words.length || b.score - a.score);
    }
  }

  /**
   * Marks the names that stand where no entity is; of several that begin with a word the longest counts. An entity that is
   * a part of a name of its type becomes the whole name, or has it beside it where entities may overlap. One that is exactly a name of another type, and of no wanted
   * type else, is of that type if the model was not sure (a score below 0.9).
   * @param types the model's types, by number
   * @param wanted types to mark; all where absent
   * @param flat whether entities may not overlap
   * @returns the entities of each sentence, by their first words
   */
  mark(
    sentences: readonly WordSentence[],
    found: readonly (readonly WordEntity[])[],
    types: readonly string[],
    wanted?: readonly number[],
    flat = true,
  ): WordEntity[][] {
    return sentences.map(({ words }, k) => {
      const marks = new Marks(found[k] ?? []);
      for (const { type: name, words: place, score, alone } of this.#places(words.map(foldWord), types, wanted)) {
        const type = types.indexOf(name);
        const [part, ...others] = marks.overlapping(place);
        if (part === undefined) marks.add({ type, words: place, score });
        if (part === undefined || others.length > 0) continue;
        const isPart = part.type === type && isWithin(part.words, place);
        const isMistyped = part.type !== type && alone && (part.score ?? 1) < SURE && part === marks.at(place);
        if (!isPart && !isMistyped) continue;
        if (flat || isMistyped) marks.remove(part);
        marks.add({ ...part, type, words: place });
      }
      return marks.inOrder();
    });
  }

  /** Where names stand: the longest of those that begin with each word, and whether it has one type alone. */
  *#places(
    words: readonly string[],
    types: readonly string[],
    wanted: readonly number[] | undefined,
  ): Generator<{ readonly type: string; readonly words: number[]; readonly score: number; readonly alone: boolean }> {
    for (const [first, word] of words.entries()) {
      const standing = (this.#byFirstWord.get(word) ?? []).filter((candidate) => {
        const type = types.indexOf(candidate.type);
        const isWanted = type >= 0 && wanted?.includes(type) !== false;
        return isWanted && candidate.words.every((part, offset) => words[first + offset] === part);
      });
      const [entry] = standing;
      if (entry === undefined) continue;
      const alone = standing.every(({ type, words }) => type === entry.type || words.length < entry.words.length);
      yield { ...entry, words: entry.words.map((_, offset) => first + offset), alone };
    }
  }
}

function isWithin(part: readonly number[], whole: readonly number[]): boolean {
  return part.length < whole.length && part.every((word) => whole.includes(word));
}

/**
 * Reads a lexicon: `type`, `name` and perhaps `score` (1 where absent), divided by tabs, a name a line. Empty lines and
 * lines that begin with `#` are passed over.
 * @param file for error messages
 * @throws InputError for a line of another form, or of a type that is not among `types`
 */
export function parseLexicon(text: string, types: readonly string[], file: string): LexiconName[] {
  return text.split(/\r?\n/).flatMap((line, k) => {
    if (line.trim() === '' || line.startsWith('#')) return [];
    const [type = '', name = '', value = '1', ...rest] = line.split('\t').map((cell) => cell.trim());
    const score = Number(value);
    const refused = (expected: string): InputError =>
      new InputError(`${expected}, found ${JSON.stringify(line.slice(0, 60))}`, { file, line: k + 1 });
    if (name === '' || rest.length > 0 || !(score > 0 && score <= 1)) {
      throw refused('expected a type, a name and perhaps a score above 0 and up to 1, divided by tabs');
    }
    if (!types.includes(type)) throw refused(`expected a type of the model (${types.join(', ')})`);
    return [{ type, name, score }];
  });
}

/** The text of a lexicon as `parseLexicon` reads it. */
export function lexiconText(names: Iterable<LexiconName>): string {
  return [...names].map(({ type, name, score }) => `${type}\t${name}\t${Number(score.toFixed(2))}\n`).join('');
}
