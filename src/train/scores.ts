import { StrictScorer, wordsKey, type Keyed, type Scores } from '../score/index.js';
import type { WordEntity } from '../scheme/index.js';
import type { Predictor } from '../tag/index.js';
import type { DevelopmentSet } from './corpora.js';
import type { LabelledSentence } from './data.js';

/** Strict scores of a model on a devel split, over the types that its corpus annotates. */
export async function scoreDevelopmentSet(
  predictor: Predictor,
  { sentences }: DevelopmentSet,
  types: readonly string[],
): Promise<Scores> {
  const predicted = await predictor.predict(sentences);
  const scorer = new StrictScorer();
  for (const [k, sentence] of sentences.entries()) addSentence(scorer, sentence, predicted[k] ?? [], types);
  return scorer.result();
}

/**
 * Adds a sentence and what was found in it, over the types that its corpus annotates. Gold entities that are over no words
 * of the sentence alone count as not found.
 */
export function addSentence(
  scorer: StrictScorer,
  { entities, annotated, unplaced = [] }: LabelledSentence,
  found: readonly WordEntity[],
  types: readonly string[],
): void {
  const keyed = (type: number, key: string): Keyed => ({ type: types[type] ?? '', key });
  const keys = (all: readonly WordEntity[]): Keyed[] =>
    all.filter(({ type }) => annotated.includes(type)).map(({ type, words }) => keyed(type, wordsKey(words)));
  const missed = unplaced.map((type, k) => keyed(type, `unplaced ${k}`));
  scorer.add([...keys(entities), ...missed], keys(found));
}
