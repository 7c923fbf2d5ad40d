import { expect, test } from 'vitest';
import type { Document } from '../../src/corpus/document.js';
import { dropOverlap, sentenceKey } from '../../src/corpus/overlap.js';
import { documentSentences } from '../../src/corpus/sentences.js';

const documents = (...texts: string[]): Document[] => texts.map((text, k) => ({ id: String(k), text, entities: [] }));
const first = 'Lithium carbonate toxicity was found in a newborn infant with regurgitation';
const second = 'The mother had taken the drug during the whole of her pregnancy.';

test('sentences are compared without case and blanks', () => {
  expect(sentenceKey('Beta - Catenin\n(p53)')).toBe(sentenceKey('beta-catenin (P53)'));
});

test('what a held-out corpus contains is dropped, and counted', () => {
  const training = documents(
    'Kept as it is.',
    'METHODS.',
    first.toUpperCase(),
    second,
    `Indeed, ${first}.`,
    'Also kept.',
  );
  const heldOut = [
    { name: 'a', documents: documents('Methods .', first, second) },
    { name: 'b', documents: documents('Nothing in common.') },
  ];
  const report = dropOverlap(training, heldOut);
  expect(report.kept.map(({ text }) => text)).toEqual(['Kept as it is.', 'Also kept.']);
  expect(report.counts).toEqual([
    { heldOut: 'a', exact: 3, long: 2, near: 1, runs: 1 },
    { heldOut: 'b', exact: 0, long: 0, near: 0, runs: 0 },
  ]);
  expect(report.overlaps.map(({ document, kind }) => [document, kind])).toEqual([
    [1, 'exact'],
    [2, 'exact'],
    [3, 'exact'],
    [4, 'near'],
  ]);
  expect(dropOverlap(training, heldOut, { nearShare: 2 }).kept).toHaveLength(3);
});

test('a document of several sentences is dropped whole', () => {
  const training = documents(`Something of its own. ${second} And more.`, 'Another one entirely.');
  const report = dropOverlap(training, [{ name: 'a', documents: documents(second) }]);
  expect(report.dropped).toEqual(training.slice(0, 1));
  expect(report.sentences).toBe(4);
});

test('no sentence crosses a passage', () => {
  const text = 'A title without a stop\nthe abstract';
  const passages = [
    { kind: 'title', start: 0, end: 22 },
    { kind: 'abstract', start: 23, end: text.length },
  ];
  const [document] = documents(text);
  expect(
    documentSentences({ ...document, id: '1', text, entities: [], passages }).map(({ words }) => words.length),
  ).toEqual([5, 2]);
});
