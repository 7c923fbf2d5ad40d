import type { Document, Entity } from '../corpus/document.js';
import { documentSentences, sentenceNumbers } from '../corpus/sentences.js';
import { flatten, type WordEntity } from '../scheme/index.js';
import { explainAbbreviations } from './abbreviations.js';
import { oneSensePerDiscourse } from './discourse.js';
import type { WordSentence } from './encode.js';
import type { Lexicon } from './lexicon.js';
import { spansOfWords, wordsOfSpans } from './spans.js';

/** What makes the entities of a text out of what a model marks in its sentences. */
export interface Decision {
  /** The model's types. */
  readonly types: readonly string[];
  /** Types that compete for words; all of the model's where absent. */
  readonly wanted?: readonly string[];
  /** Whether overlapping entities are resolved by score. */
  readonly flat: boolean;
  readonly lexicon?: Lexicon;
  /** Whether the sentences of a text speak for one another: the places of a name, and explained abbreviations. */
  readonly discourse: boolean;
}

/**
 * The entities of sentences: those of the wanted types, without overlaps; then the names of the lexicon; then the vote of
 * the places of each name (`oneSensePerDiscourse`); then the abbreviations that the text explains.
 * @param found what the model marks in each sentence alone, overlaps included; types by number
 */
export function decide(
  sentences: readonly WordSentence[],
  found: readonly (readonly WordEntity[])[],
  { types, wanted, flat, lexicon, discourse }: Decision,
): WordEntity[][] {
  const numbers = wanted?.map((type) => types.indexOf(type));
  const chosen = found.map((entities) => {
    const competing = entities.filter(({ type }) => numbers?.includes(type) !== false);
    return flat ? flatten(competing) : competing;
  });
  const marked = lexicon?.mark(sentences, chosen, types, numbers, flat) ?? chosen;
  return discourse ? explainAbbreviations(sentences, oneSensePerDiscourse(sentences, marked, flat), flat) : marked;
}

/** The same for a document that was tagged in parts, each of which a model marked alone. */
export function decideDocument(document: Document, entities: readonly Entity[], decision: Decision): Entity[] {
  const { text } = document;
  const { types } = decision;
  const sentences = documentSentences(document);
  const found: WordEntity[][] = sentences.map(() => []);
  const numberAt = sentenceNumbers(sentences);
  for (const { type, spans, score } of entities) {
    const at = numberAt(spans[0].start);
    const words = wordsOfSpans(spans, sentences[at]?.words ?? []);
    found[at]?.push({ type: types.indexOf(type), words, ...(score === undefined ? {} : { score }) });
  }
  const surface = sentences.map(({ words }, k) => ({
    words: words.map(({ start, end }) => text.slice(start, end)),
    follows: k > 0,
  }));
  return decide(surface, found, decision).flatMap((inSentence, k) =>
    inSentence.flatMap(({ type, words, score }) => {
      const [first, ...rest] = spansOfWords(words, sentences[k]?.words ?? []);
      const name = types[type];
      if (first === undefined || name === undefined) return [];
      return [{ type: name, spans: [first, ...rest], ...(score === undefined ? {} : { score }) }];
    }),
  );
}
