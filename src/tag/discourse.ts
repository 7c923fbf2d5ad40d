import type { WordEntity } from '../scheme/index.js';
import type { WordSentence } from './encode.js';
import { foldWord } from './surface.js';
import { textByText } from './texts.js';

/** Sentences before and after that count as the same discourse: about an abstract. */
export const REACH = 12;
/** A name is marked where it was not, if it is in this share of its places and somewhere with this score. */
const [SPREAD_SHARE, SPREAD_SCORE] = [0.4, 0.9];
/** A mention is taken back if no more than this share of at least so many places of its name are marked. */
const [DROP_SHARE, DROP_PLACES] = [1 / 3, 3];

/** A place where a name stands. */
interface Place {
  readonly sentence: number;
  readonly first: number;
  /** Lies inside an entity of the name's type. */
  readonly marked: boolean;
  /** Score of the entity that is exactly here; 0 without one. */
  readonly score: number;
}

/** A name of a type, its words folded, with all its places in order. */
interface Name {
  readonly type: number;
  readonly words: readonly string[];
  readonly places: Place[];
}

/**
 * One sense per discourse (Gale, Church and Yarowsky 1992): within some sentences around, the places of a name vote
 * whether it is an entity. A name that enough places mark (`SPREAD_SHARE`) is marked in the others as well, where nothing
 * overlaps but a part of it; one that few of several places mark (`DROP_SHARE`) is taken back. Sentences that do not follow one another do not vote
 * together.
 *
 * @param found entities of each sentence, types as numbers, as a model marked them in each sentence alone
 * @param flat whether entities may not overlap: a name takes the place of its parts; otherwise it is marked beside them
 * @returns the entities of each sentence, by their first words
 */
export function oneSensePerDiscourse(
  sentences: readonly WordSentence[],
  found: readonly (readonly WordEntity[])[],
  flat = true,
): WordEntity[][] {
  return textByText(sentences, found, (text, inText) => vote(text, inText, flat));
}

function vote(text: readonly WordSentence[], found: readonly (readonly WordEntity[])[], flat: boolean): WordEntity[][] {
  const result = found.map((entities) => [...entities]);
  if (text.length === 1) return result;
  const names = namesIn(text, found);
  for (const name of names) {
    for (const { place, share, count } of votes(name)) {
      if (place.score === 0 || count < DROP_PLACES || share > DROP_SHARE) continue;
      const entities = result[place.sentence] ?? [];
      const at = entities.findIndex((entity) => isAt(entity, name, place));
      if (at >= 0) entities.splice(at, 1);
    }
  }
  for (const name of names.toSorted((a, b) => b.words.length - a.words.length)) {
    for (const { place, share, best } of votes(name)) {
      if (place.marked || share < SPREAD_SHARE || best < SPREAD_SCORE) continue;
      const entities = result[place.sentence] ?? [];
      const words = name.words.map((_, k) => place.first + k);
      const [first, last] = [place.first, place.first + words.length - 1];
      const overlapping = entities.filter(
        (other) => (other.words[0] ?? 0) <= last && (other.words.at(-1) ?? 0) >= first,
      );
      if (!overlapping.every((other) => (other.type === name.type || !flat) && isPart(other.words, first, last)))
        continue;
      if (flat) for (const part of overlapping) entities.splice(entities.indexOf(part), 1);
      entities.push({ type: name.type, words, score: best * share });
    }
  }
  return result.map((entities) => entities.sort((a, b) => (a.words[0] ?? 0) - (b.words[0] ?? 0)));
}

/** The names of continuous entities, each with every place where its words stand. */
function namesIn(text: readonly WordSentence[], found: readonly (readonly WordEntity[])[]): Name[] {
  const names = new Map<string, Name>();
  const byFirstWord = new Map<string, Name[]>();
  for (const [k, entities] of found.entries()) {
    for (const { type, words } of entities) {
      const [first = 0] = words;
      if ((words.at(-1) ?? 0) - first !== words.length - 1) continue;
      const surface = text[k]?.words.slice(first, first + words.length).map(foldWord) ?? [];
      const key = `${type} ${surface.join(' ')}`;
      if (names.has(key)) continue;
      const name: Name = { type, words: surface, places: [] };
      names.set(key, name);
      const [firstWord = ''] = surface;
      byFirstWord.set(firstWord, [...(byFirstWord.get(firstWord) ?? []), name]);
    }
  }
  for (const [sentence, { words: written }] of text.entries()) {
    const words = written.map(foldWord);
    for (const [first, word] of words.entries()) {
      for (const name of byFirstWord.get(word) ?? []) {
        if (name.words.some((part, k) => words[first + k] !== part)) continue;
        name.places.push(placeOf(name, sentence, first, found[sentence] ?? []));
      }
    }
  }
  return [...names.values()];
}

function placeOf(name: Name, sentence: number, first: number, entities: readonly WordEntity[]): Place {
  const last = first + name.words.length - 1;
  const around = entities.filter(
    ({ type, words }) => type === name.type && (words[0] ?? 0) <= first && (words.at(-1) ?? 0) >= last,
  );
  const exact = around.find(({ words }) => words[0] === first && words.length === name.words.length);
  return { sentence, first, marked: around.length > 0, score: exact === undefined ? 0 : (exact.score ?? 1) };
}

interface Vote {
  readonly place: Place;
  /** Places of the name within reach, this one among them; the share of them that is marked; the best score there. */
  readonly count: number;
  readonly share: number;
  readonly best: number;
}

/** What the places within reach of each place say, in one pass over them. */
function* votes({ places }: Name): Generator<Vote> {
  let from = 0;
  let to = 0;
  let marked = 0;
  for (const place of places) {
    while ((places[to]?.sentence ?? Infinity) <= place.sentence + REACH) marked += Number(places[to++]?.marked);
    while ((places[from]?.sentence ?? 0) < place.sentence - REACH) marked -= Number(places[from++]?.marked);
    const best = places.slice(from, to).reduce((highest, { score }) => Math.max(highest, score), 0);
    yield { place, count: to - from, share: marked / (to - from), best };
  }
}

/** Whether words are some of `first` to `last`, without a gap. */
function isPart(words: readonly number[], first: number, last: number): boolean {
  const [from = 0, to = 0] = [words[0], words.at(-1)];
  return from >= first && to <= last && to - from === words.length - 1;
}

function isAt(entity: WordEntity, name: Name, place: Place): boolean {
  return entity.type === name.type && entity.words[0] === place.first && entity.words.length === name.words.length;
}
