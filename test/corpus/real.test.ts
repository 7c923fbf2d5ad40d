import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Document } from '../../src/corpus/document.js';
import type { Loss } from '../../src/corpus/format.js';
import { collect, openCorpus, readFileDocuments, readSplit } from '../../src/corpus/corpora.js';
import { pathSources } from '../../src/corpus/files.js';
import { writePieces } from '../../src/corpus/output.js';
import { dropOverlap } from '../../src/corpus/overlap.js';
import { readDocuments, writeDocuments } from '../../src/corpus/registry.js';
import { all, corpora, haveCorpora, roundTrip, temporaryFolder, visible, write } from './support.js';

const pubtatorFiles = [
  'CDR_DevelopmentSet.PubTator.txt',
  'CDR_TrainingSet.PubTator.txt',
  'NCBIdevelopset_corpus.txt',
  'NCBItrainset_corpus.txt',
].map((name) => join(corpora, 'raw', name));
const bratFolder = join(corpora, 'raw', 'ncbi-disease-standoff-devel');
const mentions = (documents: readonly Document[]) =>
  documents.map((d) => d.entities.map((entity) => visible(d, entity)));

async function readBrat(folder: string): Promise<Document[]> {
  const documents: Document[] = [];
  for await (const source of pathSources([folder])) documents.push(...(await all(readDocuments(source))));
  return documents;
}

describe.skipIf(!haveCorpora)('real files (skipped without ../shared/corpora)', () => {
  const scratch = temporaryFolder();

  test.each(pubtatorFiles)('%s is written back byte for byte', async (path) => {
    const written = await write('pubtator', await collect(readFileDocuments(path)));
    expect(written.get('') === readFileSync(path, 'utf8')).toBe(true);
  });

  test('a BioC file is written back byte for byte, and says what the PubTator file of the same set says', async () => {
    const path = join(corpora, 'raw', 'CDR_DevelopmentSet.BioC.xml');
    const documents = await collect(readFileDocuments(path));
    expect((await write('bioc-xml', documents)).get('') === readFileSync(path, 'utf8')).toBe(true);
    const pubtator = await collect(readFileDocuments(pubtatorFiles[0] ?? ''));
    expect(documents.map(({ id, text }) => [id, text])).toEqual(pubtator.map(({ id, text }) => [id, text]));
    const whole = new Set(documents.flatMap((d) => d.entities.map((entity) => `${d.id} ${visible(d, entity)}`)));
    const missing = pubtator.flatMap((d) => d.entities.filter((entity) => !whole.has(`${d.id} ${visible(d, entity)}`)));
    expect(missing).toEqual([]);
  });

  test('a brat folder is written back byte for byte', async () => {
    const target = join(scratch, 'brat');
    await writePieces(target, writeDocuments(await readBrat(bratFolder), 'brat'));
    expect(readdirSync(target)).toEqual(readdirSync(bratFolder));
    for (const name of readdirSync(bratFolder)) {
      expect(readFileSync(join(target, name), 'utf8')).toBe(readFileSync(join(bratFolder, name), 'utf8'));
    }
  });

  test.each(['bc2gm/test', 'bc5cdr/devel', 'ncbi-disease/train'])(
    '%s.tsv is written back byte for byte',
    async (name) => {
      const path = join(corpora, `${name}.tsv`);
      const written = await write('iob', await collect(readFileDocuments(path)));
      expect(written.get('') === readFileSync(path, 'utf8')).toBe(true);
    },
  );

  test('documents, mentions and types are those that the corpora state', async () => {
    const counts = async (path: string) => {
      const documents = await collect(readFileDocuments(path));
      const types: Record<string, number> = {};
      for (const { type } of documents.flatMap(({ entities }) => entities)) types[type] = (types[type] ?? 0) + 1;
      return { documents: documents.length, types };
    };
    expect(await counts(join(corpora, 'ncbi-disease/devel.tsv'))).toEqual({ documents: 923, types: { Disease: 787 } });
    expect(await counts(join(corpora, 'raw/NCBIdevelopset_corpus.txt'))).toEqual({
      documents: 100,
      types: { Disease: 787 },
    });
    expect(await counts(join(corpora, 'bc2gm/test.tsv'))).toEqual({ documents: 5038, types: { Gene: 6325 } });
    expect(await counts(join(corpora, 'bc5cdr/train.tsv'))).toEqual({
      documents: 4560,
      types: { Chemical: 5203, Disease: 4182 },
    });
    expect((await readBrat(bratFolder)).flatMap(({ entities }) => entities)).toHaveLength(787);
  });

  test.each(['jsonl', 'brat', 'pubtator'])(
    'PubTator through %s and back has every mention, relation and byte',
    async (format) => {
      const path = pubtatorFiles[0] ?? '';
      const documents = await collect(readFileDocuments(path));
      const folder = join(scratch, `through-${format}`);
      const target = format === 'brat' ? folder : `${folder}.out.gz`;
      await writePieces(target, writeDocuments(documents, format));
      const back =
        format === 'brat' ? await readBrat(folder) : await collect(readFileDocuments(target, { from: format }));
      const byId = (a: Document, b: Document) => Number(a.id) - Number(b.id);
      const sorted = [...documents].sort(byId);
      expect(mentions(back.sort(byId))).toEqual(mentions(sorted));
      expect(back.map(({ text }) => text)).toEqual(sorted.map(({ text }) => text));
      if (format === 'brat') return;
      const original = await write('pubtator', sorted);
      expect((await write('pubtator', back)).get('') === original.get('')).toBe(true);
    },
  );

  test('brat through PubTator and JSONL and back has every mention', async () => {
    const documents = await readBrat(bratFolder);
    const jsonl = join(scratch, 'brat.jsonl');
    await writePieces(jsonl, writeDocuments(documents, 'jsonl'));
    expect(mentions(await collect(readFileDocuments(jsonl)))).toEqual(mentions(documents));
    const pubtator = join(scratch, 'brat.pubtator');
    await writePieces(pubtator, writeDocuments(documents, 'pubtator'));
    const back = await collect(readFileDocuments(pubtator));
    expect(mentions(back)).toEqual(mentions(documents));
    mkdirSync(join(scratch, 'again'));
    await writePieces(join(scratch, 'again'), writeDocuments(back, 'brat'));
    expect(mentions(await readBrat(join(scratch, 'again')))).toEqual(mentions(documents));
  });

  const exact = ['jsonl', 'brat', 'pubtator', 'bioc-xml', 'bioc-json', 'csv', 'tsv'];
  test.each(exact)('from %s into every other format and back every mention and concept is there', async (from) => {
    const whole = await collect(readFileDocuments(join(corpora, 'raw', 'CDR_DevelopmentSet.BioC.xml')));
    const apart = whole.filter(({ entities }) => entities.some(({ spans }) => spans.length > 1));
    const chosen = [...new Set([...whole.slice(0, 15), ...apart.slice(0, 15)])];
    let lost = 0;
    const documents = await roundTrip(from, chosen, { onLoss: ({ kind }) => (lost += kind === 'entity' ? 1 : 0) });
    const discontinuous = chosen.flatMap(({ entities }) => entities).filter(({ spans }) => spans.length > 1);
    expect(lost).toBe(from === 'pubtator' ? discontinuous.length : 0);
    if (from !== 'pubtator') expect(mentions(documents)).toEqual(mentions(chosen));
    const concepts = (list: readonly Document[]) =>
      list.map(({ entities }) => entities.map(({ attributes }) => attributes?.['concept']));
    for (const to of exact) {
      const reported: string[] = [];
      const onLoss = ({ kind, message }: Loss) => (kind === 'entity' ? reported.push(message) : 0);
      const back = await roundTrip(from, await roundTrip(to, documents, { onLoss }), { onLoss });
      expect(concepts(back)).toEqual(concepts(documents));
      if (reported.length === 0) expect(mentions(back)).toEqual(mentions(documents));
      else expect(to).toBe('pubtator');
    }
    for (const to of ['iob', 'hf']) {
      let missed = 0;
      const through = await roundTrip(to, documents, { onLoss: ({ kind }) => (missed += kind === 'entity' ? 1 : 0) });
      const back = await roundTrip(from, through, { onLoss: () => undefined });
      expect(mentions(back)).toEqual(mentions(through));
      const before = mentions(documents).map((list) => new Set(list));
      const found = mentions(back).flatMap((list, k) => list.filter((mention) => before[k]?.has(mention))).length;
      expect(mentions(documents).flat().length - found).toBeLessThanOrEqual(missed);
    }
  });

  test('PubTator as IOB has every mention at word edges, and reports the rest', async () => {
    let reported = 0;
    const documents = await collect(readFileDocuments(pubtatorFiles[0] ?? ''));
    const written = await write('iob', documents, { onLoss: ({ kind }) => (reported += kind === 'entity' ? 1 : 0) });
    const found = (written.get('') ?? '').match(/\tB-/g)?.length ?? 0;
    const total = documents.reduce((sum, { entities }) => sum + entities.length, 0);
    expect(total - found).toBeLessThanOrEqual(reported);
    expect(reported).toBeLessThan(total * 0.03);
  });

  test('a corpus knows its splits and types', async () => {
    const corpus = await openCorpus(join(corpora, 'bc5cdr'));
    expect(corpus).toMatchObject({ name: 'bc5cdr', types: ['Chemical', 'Disease'] });
    expect(Object.keys(corpus.splits).sort()).toEqual(['devel', 'test', 'train']);
    expect((await openCorpus(join(corpora, 'bc2gm'))).types).toEqual(['Gene']);
    await expect(openCorpus(join(corpora, 'absent'))).rejects.toThrow(/expected a corpus folder/);
  });

  test('no training sentence of note is in the test split of another corpus', async () => {
    const names = ['ncbi-disease', 'bc5cdr', 'bc2gm'];
    const opened = await Promise.all(names.map((name) => openCorpus(join(corpora, name))));
    const tests = await Promise.all(
      opened.map(async (corpus) => ({ name: corpus.name, documents: await collect(readSplit(corpus, 'test')) })),
    );
    for (const corpus of opened) {
      const report = dropOverlap(await collect(readSplit(corpus, 'train')), tests);
      expect(report.kept.length + report.dropped.length).toBe(report.sentences);
      for (const count of report.counts) {
        if (count.heldOut !== corpus.name) expect(count.long + count.near).toBeLessThan(10);
      }
    }
  });
});
