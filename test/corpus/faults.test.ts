import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { collect, readFileDocuments } from '../../src/corpus/corpora.js';
import { pathBytes, pathSources } from '../../src/corpus/files.js';
import type { ReadOptions } from '../../src/corpus/format.js';
import { all, read, temporaryFolder, write } from './support.js';

const folder = temporaryFolder();

/** Collects faults as `scope message`. */
function listener(): { faults: string[]; onFault: NonNullable<ReadOptions['onFault']> } {
  const faults: string[] = [];
  return { faults, onFault: (fault, leftOut) => faults.push(`${leftOut} ${fault.message}`) };
}

const passage = (id: string, annotation: string) =>
  `<document><id>${id}</id><passage><offset>0</offset><text>p53</text><annotation><infon key="type">Gene</infon>` +
  `<location offset="0" length="${annotation}"/><text>p53</text></annotation></passage></document>`;
const record = (id: string, length: number) =>
  `{"id":"${id}","passages":[{"offset":0,"text":"p53","annotations":[{"infons":{"type":"Gene"},"text":"p53","locations":[{"offset":0,"length":${length}}]}]}]}`;
const mention = (id: string, end: number) => `${id}|t|p53 helps\n${id}|a|\n${id}\t0\t${end}\tp53\tGene\n`;
const entities = (end: number) => `"[{""type"":""Gene"",""start"":0,""end"":${end}}]"`;

/** An input of each format whose middle document is at fault, and what is said of it. */
const inputs: [string, string, string, string[]][] = [
  ['jsonl', '{"id":"1","text":"a"}\n{"id":"2"}\n{"id":"3","text":"c"}\n', 'x:2: expected a string "text"', ['1', '3']],
  ['hf', '{"id":"1","tokens":["a"]}\n{"id":"2"}\n{"id":"3","tokens":["c"]}\n', 'x:2: expected an array "tokens"', ['1', '3']], // prettier-ignore
  ['pubtator', `${mention('1', 3)}\n${mention('2', 9)}2\tx\n\n${mention('3', 3)}`, 'x:7: expected the mention', ['1', '3']], // prettier-ignore
  ['pubtator', `${mention('1', 3)}${mention('2', 9)}${mention('3', 3)}`, 'x:6: expected the mention', ['1', '3']],
  ['iob', 'a\tO\n\nb\nc\n\nd\tO\n', 'x:3: expected a word and a tag', ['x:1', 'x:3']],
  ['iob', 'a\tO\n\nb\tO\nc\tX\n\nd\tO\n', 'x:4: expected a tag', ['x:1', 'x:3']],
  ['iob', '-DOCSTART-\t1\tO\na\tO\n-DOCSTART-\t2\tO\nb\tO\n\nc\n\nd\tO\n\n-DOCSTART-\t3\tO\ne\tO\n', 'x:6: expected', ['1', '3']], // prettier-ignore
  ['csv', `id,text,entities\n1,p53,${entities(3)}\n2,p53,${entities(9)}\n3,p53,\n`, 'x:3: expected', ['1', '3']],
  ['tsv', 'id\ttext\n1\ta\n2\tb\tc\n3\td\n', 'x:3: expected 2 columns', ['1', '3']],
  ['bioc-xml', `<collection>${passage('1', '3')}${passage('2', '9')}${passage('3', '3')}</collection>`, 'x:1: expected the mention', ['1', '3']], // prettier-ignore
  ['bioc-json', `{"documents":[${record('1', 3)},\n${record('2', 9)},\n${record('3', 3)}]}`, 'x:2: expected the mention', ['1', '3']], // prettier-ignore
];

describe.each(inputs)('%s %#', (format, content, message, ids) => {
  test('a document at fault is left out, and the others are read', async () => {
    const { faults, onFault } = listener();
    const documents = await read(format, content, { onFault }, 'x');
    expect(documents.map(({ id }) => id)).toEqual(ids);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain(`document ${message}`);
    await expect(read(format, content, {}, 'x')).rejects.toThrow(message);
  });

  test('what is left is written as a whole file', async () => {
    const { onFault } = listener();
    const documents = await read(format, content, { onFault }, 'x');
    const again = await read(format, (await write(format, documents)).get('') ?? '', {}, 'x');
    const shown = documents.map(({ text, entities: found }) => [text, found.length]);
    expect(again.map(({ text, entities: found }) => [text, found.length])).toEqual(shown);
  });
});

test.each([
  ['jsonl', '{"id":"1"}\n{"id":"2","text":"a"}\n{"id":"3"}\n'],
  ['hf', '{"id":"1"}\n{"id":"2","tokens":["a"]}\n{"id":"3"}'],
  ['pubtator', `${mention('1', 9)}\n${mention('2', 3)}\n${mention('3', 9)}`],
  ['csv', 'id,text\n1,a,b\n2,a\n3,a,b'],
  ['iob', '-DOCSTART-\t1\tO\na\n-DOCSTART-\t2\tO\nb\tO\n-DOCSTART-\t3\tO\nc\n'],
  ['bioc-xml', `<collection>${passage('1', '9')}${passage('2', '3')}${passage('3', '9')}</collection>`],
  ['bioc-json', `{"documents":[${record('1', 9)},${record('2', 3)},${record('3', 9)}]}`],
])('%s: faults in the first and the last document leave the one between', async (format, content) => {
  const { faults, onFault } = listener();
  const documents = await read(format, content, { onFault }, 'x');
  expect(documents.map(({ id }) => id)).toEqual(['2']);
  expect(faults).toHaveLength(2);
  const again = await read(format, (await write(format, documents)).get('') ?? '', {}, 'x');
  expect(again.map(({ text }) => text)).toEqual(documents.map(({ text }) => text));
});

describe('an input whose rest cannot be read', () => {
  test.each([
    ['broken XML', 'bioc-xml', `<collection>${passage('1', '3')}${passage('2', '3')}<document></collection>`],
    ['a quote without end', 'csv', 'id,text\n1,a\n2,b\n3,"c\n'],
    ['a bracket without end', 'bioc-json', `{"documents":[${record('1', 3)},${record('2', 3)},{"id":`],
  ])('%s', async (_, format, content) => {
    const { faults, onFault } = listener();
    const documents = await read(format, content, { onFault }, 'x');
    expect(documents.length).toBeGreaterThan(0);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(/^input x/);
  });

  test('damaged gzip, an absent text, an absent file', async () => {
    const [zipped, alone] = [join(folder, 'cut.gz'), join(folder, 'alone.ann')];
    writeFileSync(zipped, gzipSync('Lithium helps.\n'.repeat(1000)).subarray(0, 60));
    writeFileSync(alone, 'T1\tGene 0 3\tp53\n');
    const { faults, onFault } = listener();
    for (const path of [zipped, alone]) expect(await collect(readFileDocuments(path, { onFault }))).toEqual([]);
    const paths = [join(folder, 'absent'), alone];
    expect((await all(pathSources(paths, { onFault }))).map(({ name }) => name)).toEqual([alone]);
    expect(faults.map((fault) => fault.split(': ')[1])).toEqual([
      'expected whole gzip data, found Error',
      'expected a .txt file beside the .ann file, found none',
      'expected a readable file, found nothing of that name',
    ]);
  });
});

test('the bytes of inputs are counted as they are read', async () => {
  const inner = join(folder, 'counted');
  mkdirSync(inner);
  writeFileSync(join(inner, 'a.txt'), 'p53');
  writeFileSync(join(inner, 'a.ann'), 'T1\tGene 0 3\tp53\n');
  writeFileSync(join(inner, 'b.txt.gz'), gzipSync('Lithium '.repeat(100_000)));
  let bytes = 0;
  for await (const { chunks, sibling } of pathSources([inner], { onBytes: (more) => (bytes += more) })) {
    for (const source of [chunks, (await sibling?.('.txt'))?.chunks]) if (source !== undefined) await all(source);
  }
  expect(bytes).toBeGreaterThan(100);
  expect(await pathBytes([inner, join(folder, 'absent')])).toBe(bytes);
});
