import { expect, test } from 'vitest';
import type { Document, Entity } from '../../src/corpus/document.js';
import { collect, openCorpus, readSplit } from '../../src/corpus/corpora.js';
import { CorpusStatistics } from '../../src/corpus/stats.js';
import { corpora, haveCorpora } from './support.js';

/** A document with mentions given by the words they are found as, in one or several pieces. */
function document(text: string, mentions: readonly (readonly [type: string, ...pieces: string[]])[]): Document {
  const entities = mentions.flatMap(([type, ...pieces]): Entity[] => {
    const [first, ...rest] = pieces.map((piece) => ({
      start: text.indexOf(piece),
      end: text.indexOf(piece) + piece.length,
    }));
    return first === undefined ? [] : [{ type, spans: [first, ...rest] }];
  });
  return { id: text, text, entities };
}

function statistics(...documents: readonly Document[]): CorpusStatistics {
  const set = new CorpusStatistics();
  for (const each of documents) set.add(each);
  return set;
}

test('counts documents, sentences, mentions and their lengths', () => {
  const set = statistics(
    document('Breast cancer kills. Lithium does not.', [
      ['Disease', 'Breast cancer'],
      ['Chemical', 'Lithium'],
    ]),
    document('breast  cancer and no more', [['Disease', 'breast  cancer']]),
  );
  expect(set.result()).toEqual({
    documents: 2,
    sentences: 3,
    words: 4 + 4 + 5,
    mentions: 3,
    unique: 2,
    types: { Chemical: { mentions: 1, unique: 1 }, Disease: { mentions: 2, unique: 1 } },
    sentencesWithMentions: 3,
    sentenceWords: { mean: 13 / 3, median: 4, max: 5 },
    mentionWords: { mean: 5 / 3, median: 2, max: 2 },
    single: 1,
    nested: 0,
    crossing: 0,
    discontinuous: 0,
  });
});

test('counts nested, crossing and discontinuous mentions', () => {
  const text = 'hereditary breast and ovarian cancer syndrome';
  const set = statistics(
    document(text, [
      ['Disease', text],
      ['Disease', 'breast', 'cancer'],
      ['Disease', 'ovarian cancer'],
      ['Gene', 'ovarian cancer'],
    ]),
    document('a b c d', [
      ['X', 'a b c'],
      ['X', 'c d'],
    ]),
  ).result();
  expect(set).toMatchObject({ nested: 3, crossing: 1, discontinuous: 1, mentions: 6, single: 0 });
  expect(set.mentionWords).toEqual({ mean: (6 + 2 + 2 + 2 + 3 + 2) / 6, median: 2, max: 6 });
});

test('an empty set has no mentions and nothing known', () => {
  const empty = statistics();
  expect(empty.result()).toMatchObject({ documents: 0, mentions: 0, sentenceWords: { mean: 0, median: 0, max: 0 } });
  expect(empty.overlapWith([empty])).toMatchObject({ known: 0, share: 0, uniqueShare: 0 });
});

test('overlap compares mentions of one type without regard to case and blanks', () => {
  const train = statistics(
    document('TP53 and lithium', [
      ['Gene', 'TP53'],
      ['Chemical', 'lithium'],
    ]),
  );
  const devel = statistics(document('asthma', [['Disease', 'asthma']]));
  const test = statistics(
    document('tp 53', [['Gene', 'tp 53']]),
    document('TP53', [['Gene', 'TP53']]),
    document('lithium and asthma', [
      ['Gene', 'lithium'],
      ['Disease', 'asthma'],
    ]),
  );
  expect(test.overlapWith([train])).toEqual({
    mentions: 4,
    known: 2,
    share: 0.5,
    unique: 3,
    knownUnique: 1,
    uniqueShare: 1 / 3,
  });
  expect(test.overlapWith([train, devel]).known).toBe(3);
});

test.skipIf(!haveCorpora)('the sentences and mentions of the real corpora are those published', async () => {
  const counts: Record<string, number[]> = {};
  const corpus = await openCorpus(`${corpora}ncbi-disease`);
  for (const split of ['train', 'devel', 'test'] as const) {
    const { sentences, mentions } = statistics(...(await collect(readSplit(corpus, split)))).result();
    counts[split] = [sentences, mentions];
  }
  expect(counts).toEqual({ train: [5424, 5134], devel: [923, 787], test: [940, 960] });
});
