import { foldWord, type LexiconName } from '../tag/index.js';
import type { LabelledSentence } from './data.js';

/** The share of a name's places that have to be marked. */
const MARKED_SHARE = 0.9;
/** A name of fewer letters has to stand in two places. */
const SURE_LETTERS = 4;

interface Count {
  readonly type: number;
  readonly name: string;
  readonly words: readonly string[];
  marked: number;
  places: number;
}

/**
 * Names that training sentences mark almost wherever they stand, of those types that a sentence's corpus annotates. A
 * place inside a longer mention of the type does not count. The score is (marked + 1) / (places + 2).
 */
export function collectLexicon(sentences: readonly LabelledSentence[], types: readonly string[]): LexiconName[] {
  const counts = new Map<string, Count>();
  const byFirstWord = new Map<string, Count[]>();
  for (const { words, entities } of sentences) {
    for (const { type, words: places } of entities) {
      const [first = 0] = places;
      if ((places.at(-1) ?? 0) - first !== places.length - 1) continue;
      const surface = words.slice(first, first + places.length);
      const folded = surface.map(foldWord);
      const key = `${type} ${folded.join(' ')}`;
      if (counts.has(key)) continue;
      const count = { type, name: surface.join(' '), words: folded, marked: 0, places: 0 };
      counts.set(key, count);
      byFirstWord.set(folded[0] ?? '', [...(byFirstWord.get(folded[0] ?? '') ?? []), count]);
    }
  }
  for (const sentence of sentences) countPlaces(sentence, byFirstWord);
  return [...counts.values()]
    .filter(({ words, marked, places }) => {
      const isSure = places > 1 || words.join('').length >= SURE_LETTERS;
      return isSure && marked >= MARKED_SHARE * places;
    })
    .map(({ type, name, marked, places }) => ({ type: types[type] ?? '', name, score: (marked + 1) / (places + 2) }));
}

function countPlaces(
  { words: surface, entities, annotated }: LabelledSentence,
  byFirstWord: ReadonlyMap<string, readonly Count[]>,
): void {
  const words = surface.map(foldWord);
  for (const [first, word] of words.entries()) {
    for (const count of byFirstWord.get(word) ?? []) {
      if (!annotated.includes(count.type) || count.words.some((part, k) => words[first + k] !== part)) continue;
      const last = first + count.words.length - 1;
      const around = entities.filter(
        (entity) => entity.type === count.type && (entity.words[0] ?? 0) <= first && (entity.words.at(-1) ?? 0) >= last,
      );
      const isMarked = around.some((entity) => entity.words[0] === first && entity.words.length === count.words.length);
      if (!isMarked && around.length > 0) continue;
      count.places += 1;
      count.marked += Number(isMarked);
    }
  }
}
