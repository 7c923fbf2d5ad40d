import { StrictScorer, wordsKey, type Keyed, type Scores } from '../score/index.js';
import type { WordEntity } from '../scheme/index.js';
import type { Predictor } from '../tag/index.js';
import type { DevelopmentSet } from './corpora.js';
import type { LabelledSentence } from './data.js';

/** Strict scores of a model on a devel split, over the types that its corpus annotates. */
export async function scoreDevelopmentSet(
  predictor: Predictor,
  { sentences, annotated }: DevelopmentSet,
  types: readonly string[],
): Promise<Scores> {
  const predicted = await predictor.predict(sentences);
  const scorer = new StrictScorer();
  for (const [k, sentence] of sentences.entries()) {
    scorer.add(goldKeys(sentence, types), foundKeys(predicted[k] ?? [], annotated, types));
  }
  return scorer.result();
}

/** The gold entities of a sentence, those among them that no model can find because they are over no words of it. */
export function goldKeys({ entities, annotated, unplaced = [] }: LabelledSentence, types: readonly string[]): Keyed[] {
  const outside = unplaced.map((type, k) => ({ type: types[type] ?? '', key: `unplaced ${k}` }));
  return [...foundKeys(entities, annotated, types), ...outside];
}

/** Entities of the types that a corpus annotates. */
export function foundKeys(
  entities: readonly WordEntity[],
  annotated: readonly number[],
  types: readonly string[],
): Keyed[] {
  return entities
    .filter(({ type }) => annotated.includes(type))
    .map(({ type, words }) => ({ type: types[type] ?? '', key: wordsKey(words) }));
}
