import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { collect, openCorpus, readSplit, type Document, type Split } from '../../src/corpus/index.js';
import { InputError } from '../../src/errors.js';
import { writeShare, writeSplit } from '../../src/experiment/subset.js';
import { temporaryFolder } from '../cli/support/run.js';

const folder = temporaryFolder();

const nested = (id: string): string =>
  `${JSON.stringify({
    id,
    text: `Renal and heart failure of patient ${id}.`,
    entities: [
      { id: 'T1', type: 'Disease', start: 0, end: 23, spans: [[0, 5], [16, 23]] },
      { id: 'T2', type: 'Disease', start: 10, end: 23 },
      { id: 'T3', type: 'Disease', start: 10, end: 15 },
    ],
  })}\n`; // prettier-ignore

async function content(path: string, split: Split): Promise<Document[]> {
  return collect(readSplit(await openCorpus(path), split));
}

/** Two words as a document that came in sentences and words. */
const given: Document = {
  id: 'given',
  text: 'breast cancer',
  entities: [{ type: 'Disease', spans: [{ start: 0, end: 13 }] }],
  sentences: [
    {
      words: [
        { start: 0, end: 6 },
        { start: 7, end: 13 },
      ],
    },
  ],
};

describe('a share of a corpus', () => {
  test('keeps nested and discontinuous mentions', async () => {
    const corpus = join(folder, 'nested');
    mkdirSync(corpus);
    writeFileSync(join(corpus, 'train.jsonl'), ['1', '2', '3', '4'].map(nested).join(''));
    writeFileSync(join(corpus, 'devel.jsonl'), nested('5'));
    const share = await writeShare(corpus, '1/2', join(folder, 'share'));
    const train = await content(corpus, 'train');
    expect(await content(share, 'train')).toEqual([train[1], train[3]]);
    expect(await content(share, 'devel')).toEqual(await content(corpus, 'devel'));
    expect(train[1]?.entities.map(({ spans }) => spans.length)).toEqual([2, 1, 1]);
  });

  test('keeps sentences and words that the corpus came in', async () => {
    const corpus = join(folder, 'words');
    mkdirSync(corpus);
    writeFileSync(join(corpus, 'train.tsv'), 'a.b\tO\nrenal\tB-Disease\nfailure\tI-Disease\n\n');
    const share = await writeShare(corpus, '1/1', join(folder, 'share'));
    const [whole, part] = [await content(corpus, 'train'), await content(share, 'train')];
    expect(part.map(({ text, sentences, entities }) => ({ text, sentences, entities }))).toEqual(
      whole.map(({ text, sentences, entities }) => ({ text, sentences, entities })),
    );
    expect(part[0]?.sentences?.[0]?.words).toHaveLength(3);
  });

  test.each<[string, readonly Document[], RegExp]>([
    [
      'nested mentions in given sentences',
      [{ ...given, entities: [...given.entities, { type: 'Disease', spans: [{ start: 7, end: 13 }] }] }],
      /^a-corpus: expected entities in given sentences that IOB can say.*nested or overlapping: Disease "cancer"/,
    ],
    [
      'discontinuous mentions in given sentences',
      [{ ...given, entities: [{ type: 'Disease', spans: [{ start: 0, end: 6 }, { start: 7, end: 13 }] }] }],
      /^a-corpus: .*found one that is discontinuous: .* in document given$/,
    ],
    [
      'sentences that only some documents came in',
      [given, { id: 'raw', text: 'breast cancer', entities: given.entities }],
      /^a-corpus: expected documents that all come in sentences, or none, .*, found 1 of 2$/,
    ],
  ])('is refused for %s, which no format holds: nothing is written', async (name, documents, message) => {
    const place = join(folder, name.replaceAll(' ', '-'));
    mkdirSync(place);
    const writing = writeSplit(join(place, 'train'), documents, 'a-corpus');
    await expect(writing).rejects.toThrow(InputError);
    await expect(writing).rejects.toThrow(message);
    expect(readdirSync(place)).toEqual([]);
  }); // prettier-ignore
});
