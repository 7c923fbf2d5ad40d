import { openCorpus, readSplit } from '../corpus/index.js';
import { scoreOf, StrictScorer, sumCounts, type Counts, type Score } from '../score/index.js';
import type { Predictor } from '../tag/index.js';
import { labelled } from '../train/corpora.js';
import type { LabelledSentence } from '../train/index.js';
import { addSentence } from '../train/scores.js';
import { encodeCounts, type DocumentCounts } from './counts.js';

/** The test split of a corpus, document by document. */
export interface TestSet {
  readonly name: string;
  readonly unit: DocumentCounts['unit'];
  /** The model's, by number. */
  readonly types: readonly string[];
  readonly documents: readonly (readonly LabelledSentence[])[];
}

export interface TestScores {
  readonly overall: Score;
  readonly documents: DocumentCounts;
}

/** Reads the test splits of corpora; a corpus without one is left out. */
export async function readTestSets(folders: readonly string[], types: readonly string[]): Promise<TestSet[]> {
  const sets: TestSet[] = [];
  for (const folder of folders) {
    const corpus = await openCorpus(folder);
    if (corpus.splits.test === undefined) continue;
    const annotated = corpus.types.map((type) => types.indexOf(type));
    const documents: (readonly LabelledSentence[])[] = [];
    for await (const document of readSplit(corpus, 'test')) documents.push(labelled([document], types, annotated));
    const unit = documents.every(({ length }) => length <= 1) ? 'sentence' : 'document';
    sets.push({ name: corpus.name, unit, types, documents });
  }
  return sets;
}

/** Strict scores of a model on a test set, with the counts of every document. */
export async function scoreTestSet(predictor: Predictor, set: TestSet): Promise<TestScores> {
  const sentences = set.documents.flat();
  const predicted = await predictor.predict(sentences);
  let next = 0;
  const counts = set.documents.map((document): Counts => {
    const scorer = new StrictScorer();
    for (const sentence of document) addSentence(scorer, sentence, predicted[next++] ?? [], set.types);
    const { gold, predicted: guessed, correct } = scorer.result().overall;
    return { gold, predicted: guessed, correct };
  });
  return { overall: scoreOf(sumCounts(counts)), documents: encodeCounts(set.unit, counts) };
}
