import { describe, expect, test } from 'vitest';
import type { Document, Entity } from '../../src/corpus/index.js';
import type { Predictor } from '../../src/tag/index.js';
import { labelled } from '../../src/train/corpora.js';
import { scoreDevelopmentSet } from '../../src/train/scores.js';

const types = ['Gene', 'Disease'];
const text = 'BRCA1 causes cancer. Nothing is known of NF1.';
const entity = (type: string, mention: string): Entity => {
  const start = text.indexOf(mention);
  return { type, spans: [{ start, end: start + mention.length }] };
};
const across = entity('Disease', 'cancer. Nothing');
const document: Document = {
  id: '1',
  text,
  entities: [entity('Gene', 'BRCA1'), entity('Disease', 'cancer'), across, entity('Virus', 'NF1')],
};

describe('scoreDevelopmentSet', () => {
  const sentences = labelled([document], types, [0, 1]);

  test('an entity across the end of a sentence is unplaced where it starts, one of an unknown type is left out', () => {
    expect(sentences.map(({ entities, unplaced }) => [entities.length, unplaced])).toEqual([
      [2, [1]],
      [0, undefined],
    ]);
  });

  test('counts what no model can find as not found', async () => {
    const perfect = { predict: (of: typeof sentences) => Promise.resolve(of.map(({ entities }) => entities)) };
    const set = { name: 'set', sentences };
    const scores = await scoreDevelopmentSet(perfect as unknown as Predictor, set, types);
    expect(scores.types['Gene']).toMatchObject({ gold: 1, predicted: 1, correct: 1 });
    expect(scores.types['Disease']).toMatchObject({ gold: 2, predicted: 1, correct: 1, recall: 0.5 });
  });

  test('types that the corpus does not annotate do not count', async () => {
    const all = { predict: (of: typeof sentences) => Promise.resolve(of.map(({ entities }) => entities)) };
    const genes = labelled([{ ...document, entities: document.entities.slice(0, 2) }], types, [0]);
    const scores = await scoreDevelopmentSet(all as unknown as Predictor, { name: 'set', sentences: genes }, types); // prettier-ignore
    expect(scores.overall).toMatchObject({ gold: 1, predicted: 1, correct: 1 });
  });
});
