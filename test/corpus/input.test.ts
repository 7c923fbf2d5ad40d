import { createReadStream, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { InputError } from '../../src/errors.js';
import { collect, openCorpus, readFileDocuments, readSplit } from '../../src/corpus/corpora.js';
import { fileSource, pathSources, streamSource } from '../../src/corpus/files.js';
import { lineBatches, stem, wholeText } from '../../src/corpus/lines.js';
import { guessFormat, readDocuments, writeDocuments } from '../../src/corpus/registry.js';
import { all, chunksOf, source, temporaryFolder } from './support.js';

const folder = temporaryFolder();
const file = (name: string, content: string | Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const bytes = (...parts: (string | number)[]) =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from([part]))));

describe('text', () => {
  test('keeps every character but a byte order mark', async () => {
    const content = 'a\r\nb\n\n c\t\u00a0\u2028d\r';
    expect(await wholeText(source('x', `\ufeff${content}`))).toBe(content);
    expect(await wholeText(source('x', bytes(0xef, 0xbb, 0xbf, content)))).toBe(content);
    expect(await wholeText(source('x', bytes('a\n', 0xef, 0xbb, 0xbf, 'b')))).toBe('a\n\ufeffb');
  });

  test('lines know their numbers and whether the last one ended', async () => {
    const batches = await all(lineBatches({ name: 'x', chunks: chunksOf(['a\nb', 'c\n', '\n', 'd']) }));
    expect(batches.flatMap(({ first, lines }) => lines.map((line, k) => `${first + k}:${line}`))).toEqual([
      '1:a',
      '2:bc',
      '3:',
      '4:d',
    ]);
    expect(batches.at(-1)?.terminated).toBe(false);
  });

  test.each([
    ['invalid UTF-8', bytes('one\ntwo\nthr', 0xff, 'ee\n'), 'x:3: expected UTF-8, found bytes that are not'],
    ['a cut sequence at the end', bytes('one\n', 0xe2, 0x82), 'x:2: expected UTF-8, found bytes that are not'],
    ['a NUL', bytes('abc', 0, 'def'), 'x: expected UTF-8 text, found a binary file'],
    ['UTF-16', bytes(0xff, 0xfe, 'a', 0), 'x: expected UTF-8 text, found UTF-16'],
  ])('%s is refused', async (_, content, message) => {
    await expect(all(lineBatches(source('x', content)))).rejects.toThrow(message);
    await expect(wholeText(source('x', content))).rejects.toThrow(message);
  });

  test('a line without end stops at the limit, not at the end of memory', async () => {
    const endless = {
      name: 'x',
      chunks: (async function* () {
        for (;;) yield await Promise.resolve(new Uint8Array(1000).fill(65));
      })(),
    };
    await expect(all(lineBatches(endless, 10_000))).rejects.toThrow('expected a line of at most 10000 bytes');
  });

  test('identifiers come from file names', () => {
    expect(['/a.b/c.txt', 'c.PubTator.txt', 'c.tsv.gz', '<stdin>', '.hidden', 'C:\\d\\e.ann'].map(stem)).toEqual([
      'c',
      'c.PubTator',
      'c',
      'stdin',
      '.hidden',
      'e',
    ]);
  });
});

describe('files', () => {
  test('gzip is read through, by content', async () => {
    const path = file('zipped.txt', gzipSync('Lithium β'));
    expect(await collect(readFileDocuments(path))).toEqual([{ id: 'zipped', text: 'Lithium β', entities: [] }]);
    const stream = streamSource(createReadStream(path, { highWaterMark: 1 }));
    expect((await all(readDocuments(stream)))[0]).toMatchObject({ id: 'stdin', text: 'Lithium β' });
  });

  test('cut and damaged gzip is refused', async () => {
    const whole = gzipSync('Lithium '.repeat(10_000));
    const damaged = Buffer.from(whole);
    damaged.fill(0x55, 20, 30);
    for (const content of [whole.subarray(0, whole.length - 9), damaged]) {
      await expect(collect(readFileDocuments(file('bad.gz', content)))).rejects.toThrow(
        /bad\.gz: expected whole gzip data/,
      );
    }
  });

  test('what cannot be read is named', async () => {
    await expect(all(pathSources([join(folder, 'absent')]))).rejects.toThrow(
      /absent: expected a readable file, found nothing/,
    );
    await expect(wholeText(fileSource(join(folder, 'absent')))).rejects.toThrow(InputError);
    await expect(wholeText(fileSource(folder))).rejects.toThrow(/expected a readable file, found a folder/);
    mkdirSync(join(folder, 'empty'));
    await expect(all(pathSources([join(folder, 'empty')]))).rejects.toThrow(/expected files in the folder, found none/);
  });

  test('a folder is read in the order of its names, brat pairs once', async () => {
    const inner = join(folder, 'mixed');
    mkdirSync(inner);
    for (const name of ['10.txt', '9.txt', '2.txt', '2.ann', '.hidden']) writeFileSync(join(inner, name), '');
    const names = (await all(pathSources([inner]))).map(({ name }) => name.slice(inner.length + 1));
    expect(names).toEqual(['2.ann', '9.txt', '10.txt']);
  });

  test('a .txt beside an .ann is brat, by either name', async () => {
    file('pair.txt', 'Lithium helps');
    file('pair.ann', 'T1\tChemical 0 7\tLithium\n');
    for (const name of ['pair.txt', 'pair.ann']) {
      const [document] = await collect(readFileDocuments(join(folder, name)));
      expect(document).toMatchObject({ id: 'pair', entities: [{ id: 'T1', type: 'Chemical' }] });
    }
    file('alone.ann', '');
    await expect(collect(readFileDocuments(join(folder, 'alone.ann')))).rejects.toThrow(/expected a \.txt file beside/);
  });

  test('reading stops when the reader does', async () => {
    const path = file('many.txt', 'x\n'.repeat(1_000_000));
    for await (const { id } of readDocuments(fileSource(path), { from: 'lines' })) {
      if (id === 'many:3') break;
    }
    expect(readFileSync(path).length).toBe(2_000_000);
  });
});

describe('guessing', () => {
  test.each([
    ['jsonl', '{"id": "1", "text": "a"}\n', 'x'],
    ['pubtator', '\n\n123|t|A title\n', 'x.txt'],
    ['pubtator', '\ufeff123|t|A title', 'x.txt'],
    ['iob', 'Lithium\tB-Chemical\nhelps\tO\n\nMor', 'x'],
    ['iob', '-DOCSTART- -X- -X- O\n\nEU NNP B-NP B-ORG\n', 'x'],
    ['iob', 'Lithium\tB\nhelps\tO\n', 'x'],
    ['iob', 'Lithium B-Chemical\nhelps O\n. O\n', 'x'],
    ['iob', 'Lithium B-Chemical\nhelps\n. O\n', 'x.conll'],
    ['iob', 'Lithium\tB-Chemical\nhelps\n.\tO\n', 'x.tsv'],
    ['iob', 'word\ttag\nLithium\tB-Chemical\nhelps\tO\n', 'x.tsv.gz'],
    ['brat', 'anything', 'a/b.ann'],
    ['jsonl', '{"text": "a\n', 'x.jsonl'],
    ['jsonl', '', 'x.ndjson'],
    ['pubtator', '123 A title\n', 'x.PubTator.txt'],
    ['lines', 'Lithium helps.\n', 'x.lines'],
    ['bioc-xml', '<html></html>\n', 'x.xml'],
    ['text', 'Lithium helps.\nB-cells do too.\n', 'x.txt'],
    ['text', '{ not json }\n', 'x.txt'],
    ['text', '', ''],
    ['text', ' B\n', 'x.txt'],
    ['text', 'vitamin B\n', 'x.txt'],
    ['text', 'vitamin B\nvitamin E\nblood group O\n', 'x'],
    ['text', 'memory B-cells\ngroup O\n', ''],
    ['text', 'Lithium helps.\nvitamin B\tO\n', 'x.txt'],
    ['text', '\tB\n\tO\n', 'x.txt'],
    ['text', '|a| is the absolute value of a.\n', 'x.txt'],
    ['text', 'see a|t|b\n', 'x.md'],
  ])('%s from %j', (name, head, fileName) => {
    expect(guessFormat(head, fileName).name).toBe(name);
  });

  test('a malformed line of a file that is named as its format is refused with its line', async () => {
    for (const [name, content, message] of [
      ['x.tsv', 'a\tO\nb\n', 'x.tsv:2: expected a word and a tag in two to four columns, found "b"'],
      ['x.iob', 'a b c\n', 'x.iob:1: expected a tag like O, B-Gene or I-Gene, found "c"'],
      ['x.jsonl', '{"text": "a\n', 'x.jsonl:1: expected a JSON object, found'],
      ['x.pubtator', 'A title\n', 'x.pubtator:1: expected'],
      ['x.xml', '<html></html>\n', 'x.xml:1: expected'],
    ] as const) {
      await expect(all(readDocuments(source(name, content)))).rejects.toThrow(message);
    }
  });

  test('lines that arrive one by one are judged together', async () => {
    const documents = await all(readDocuments({ name: 'x', chunks: chunksOf(['p53\tB-Gene\n', 'helps\tO\n']) }));
    expect(documents).toMatchObject([{ text: 'p53 helps', entities: [{ type: 'Gene' }] }]);
  });

  test('an unknown format or direction is wrong usage', async () => {
    await expect(all(readDocuments(source('x', ''), { from: 'word' }))).rejects.toThrow(
      /expected a format \(brat, .*jsonl, .*\), found word/,
    );
    await expect(all(writeDocuments([], 'text'))).rejects.toThrow('expected a format that can be written, found text');
  });

  test('nothing is swallowed while the input is looked at', async () => {
    const chunks = ['{"te', 'xt":"a"}', '\n{"text":"b"}'];
    const documents = await all(readDocuments({ name: 'x', chunks: chunksOf(chunks) }));
    expect(documents.map(({ id, text }) => [id, text])).toEqual([
      ['x:1', 'a'],
      ['x:2', 'b'],
    ]);
  });
});

describe('corpora', () => {
  test('splits of any format are found and read', async () => {
    const corpus = join(folder, 'mine');
    mkdirSync(join(corpus, 'test'), { recursive: true });
    writeFileSync(join(corpus, 'train.tsv'), 'p53\tB-GENE\n');
    writeFileSync(join(corpus, 'dev.jsonl.gz'), gzipSync('{"text":"Lithium","entities":[]}\n'));
    writeFileSync(join(corpus, 'test', '1.txt'), 'Lithium');
    writeFileSync(join(corpus, 'test', '1.ann'), 'T1\tDrug 0 7\tLithium\n');
    const opened = await openCorpus(corpus);
    expect(opened.types).toEqual(['Drug', 'Gene']);
    expect(await collect(readSplit(opened, 'devel'))).toMatchObject([{ text: 'Lithium' }]);
    expect(await collect(readSplit(opened, 'test'))).toMatchObject([{ id: '1', entities: [{ type: 'Drug' }] }]);
    expect((await openCorpus(corpus, {}, ['Gene', 'Disease'])).types).toEqual(['Gene', 'Disease']);
  });

  test('missing and double splits are named', async () => {
    const corpus = join(folder, 'odd');
    mkdirSync(corpus);
    await expect(openCorpus(corpus)).rejects.toThrow(/odd: expected train, devel or test files, found none/);
    writeFileSync(join(corpus, 'dev.tsv'), 'a\tO\n');
    await expect(all(readSplit(await openCorpus(corpus), 'train'))).rejects.toThrow(/expected a train split/);
    writeFileSync(join(corpus, 'devel.tsv'), 'a\tO\n');
    await expect(openCorpus(corpus)).rejects.toThrow(/expected one devel split, found dev.tsv and devel.tsv/);
  });
});
