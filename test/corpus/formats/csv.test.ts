import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Document, Entity } from '../../../src/corpus/document.js';
import type { Loss } from '../../../src/corpus/format.js';
import { guessFormat, readDocuments } from '../../../src/corpus/registry.js';
import { formatRow, parseRow, tableRows } from '../../../src/corpus/table-rows.js';
import { all, chunksOf, read, source, write } from '../support.js';

const gene = (start: number, end: number): Entity => ({ type: 'Gene', spans: [{ start, end }] });
const tagged = (documents: readonly Document[], ...entities: Entity[]) =>
  documents.map((document) => ({ ...document, entities }));

const pubmed = [
  'PMID,Title,"Authors, all",Abstract,Year',
  '7,"Role of ""p53""","A, B","Line one.',
  'Line 😀 two.",2001',
  '',
  '"8",Only a title,,,',
  '9,,"",Only an abstract,1999',
].join('\r\n');

describe('csv', () => {
  test('title and abstract by their usual names, the other columns kept', async () => {
    const documents = await read('csv', pubmed);
    expect(documents.map(({ id, text }) => [id, text])).toEqual([
      ['7', 'Role of "p53"\nLine one.\r\nLine 😀 two.'],
      ['8', 'Only a title'],
      ['9', 'Only an abstract'],
    ]);
    expect(documents[0]?.passages).toEqual([
      { kind: 'title', start: 0, end: 13 },
      { kind: 'abstract', start: 14, end: 37 },
    ]);
    expect(guessFormat(pubmed).name).toBe('csv');
  });

  test('a column of entities is added, and nothing else changes', async () => {
    const documents = await read('csv', pubmed);
    const [first, ...others] = documents;
    const written = (await write('csv', [...tagged(first ? [first] : [], gene(9, 12)), ...others])).get('') ?? '';
    const cell = '"[{""id"":""T1"",""type"":""Gene"",""start"":9,""end"":12,""text"":""p53""}]"';
    expect(written).toBe(
      pubmed
        .replace('Year', 'Year,entities')
        .replace('two.",2001', `two.",2001,${cell}`)
        .replace('title,,,', 'title,,,,')
        .replace('1999', '1999,'),
    );
    const back = await read('csv', written);
    expect(back.map(({ entities }) => entities.length)).toEqual([1, 0, 0]);
    expect((await write('csv', back)).get('')).toBe(written);
    expect((await write('csv', tagged(back))).get('')).toBe(written.replace(cell, ''));
  });

  test('columns may be named, and identifiers left out', async () => {
    const content = 'note;body of text;key\n1,5;"p53; p63";a\n2;"";b\n';
    expect(await read('csv', content, { textColumn: 'Body of text', idColumn: 'key' })).toMatchObject([
      { id: 'a', text: 'p53; p63' },
      { id: 'b', text: '' },
    ]);
    const [document] = await read('csv', content, { textColumn: ['body of text', 'note'] }, 'x.csv');
    expect(document).toMatchObject({
      id: 'x:1',
      text: 'p53; p63\n1,5',
      passages: [{ kind: 'body of text' }, { kind: 'note' }],
    });
    const [through] = await read('jsonl', (await write('jsonl', document ? [document] : [])).get('') ?? '');
    const losses: Loss[] = [];
    const written = await write('csv', through ? [through] : [], { onLoss: (loss) => losses.push(loss) });
    expect(written.get('')).toBe('note,body of text,key,entities\n"1,5",p53; p63,a,\n');
    expect(losses).toMatchObject([{ message: 'the identifier' }]);
  });

  test('rows of another table go under the first header, and what has no place is reported', async () => {
    const a = await read('csv', 'id,text,year\n1,p53,2001\n', {}, 'a.csv');
    const b = await read('csv', 'text,id,lang,year\np63,2,en,2002\n', {}, 'b.csv');
    const losses: Loss[] = [];
    const written = await write('csv', [...a, ...b], { onLoss: (loss) => losses.push(loss) });
    expect(written.get('')).toBe('id,text,year,entities\n1,p53,2001,\n2,p63,2002,\n');
    expect(losses).toMatchObject([{ document: '2', message: 'the columns lang' }]);
  });

  test('tables of commas become tables of tabs', async () => {
    const written = await write('tsv', await read('csv', pubmed));
    expect(written.get('')).toContain(
      'PMID\tTitle\tAuthors, all\tAbstract\tYear\tentities\n7\t"Role of ""p53"""\tA, B\t',
    );
  });

  test('quotes that are no quoting stay in tables of tabs', async () => {
    const content = 'id\ttext\tentities\n1\t"The" protein p53\t\n2\t5" PCR\t\n3\t"quoted\tall"\t\n4\t"\t\n';
    const documents = await read('tsv', content);
    expect(documents.map(({ text }) => text)).toEqual(['"The" protein p53', '5" PCR', 'quoted\tall', '"']);
    expect((await write('tsv', documents)).get('')).toBe(content);
    const written = await write('tsv', tagged(documents, gene(0, 1)));
    expect((await read('tsv', written.get('') ?? '')).map(({ text }) => text)).toEqual(
      documents.map(({ text }) => text),
    );
  });

  test.each([
    ['csv', 'id,text\n1,"p53\n', 'x:2: expected a closing quote of the field "\\"p53\\n", found the end of the input'],
    ['csv', 'id,text\n\n1,"p53" x\n', 'x:3: expected a delimiter after the closing quote'],
    ['csv', 'id,text\n1,a,b\n', 'x:2: expected 2 columns, found "3"'],
    ['csv', 'a,b\n1,2\n', 'x:1: expected a column "text", or --text-column with another, found a, b'],
    [
      'csv',
      'id,text,entities\n1,p53,p53\n',
      'x:2: expected an array of JSON in the column "entities", found "\\"p53\\""',
    ],
    [
      'tsv',
      'text\tentities\np53\t[{"type":"Gene","start":0,"end":4}]\n',
      'x:2: expected a mention at 0-4, found the end of the text at 3',
    ],
  ])('%s %j is refused by file and line', async (format, content, message) => {
    await expect(read(format, content, {}, 'x')).rejects.toThrow(message);
  });

  test('a column that was asked for must be there', async () => {
    await expect(read('csv', 'id,text\n1,a\n', { textColumn: 'abstract' })).rejects.toThrow(
      'expected a column abstract, found id, text',
    );
    await expect(read('csv', 'id,text\n1,a\n', { idColumn: 'pmid' })).rejects.toThrow(
      'expected a column pmid, found id, text',
    );
  });

  test.each([
    ['csv', 'id,text\n', 'x'],
    ['csv', '"PMID","Title","Abstract"\n', 'x'],
    ['csv', 'a;b\n', 'x.csv.gz'],
    ['tsv', 'id\ttext\n', 'x'],
    ['tsv', 'a\tb\n', 'x.tsv'],
    ['iob', 'p53\tB-Gene\n', 'x.tsv'],
    ['text', 'In this text, an abstract, we\n', 'x.txt'],
  ])('%s is guessed from %j', (name, head, fileName) => {
    expect(guessFormat(head, fileName).name).toBe(name);
  });
});

describe('rows', () => {
  const field = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', '\t', ' ', 'é', '😀'), maxLength: 6 });
  const dialect = { delimiter: ',', looseQuotes: false };

  test('what is written is read again, from pieces of any size', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(field, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 20 }),
        fc.constantFrom('\n', '\r\n'),
        async (rows, size, lineBreak) => {
          const content = rows.map((fields) => formatRow(fields, ',') + lineBreak).join('');
          const chunks = content.match(new RegExp(`[^]{1,${size}}`, 'gu')) ?? [];
          const found = await all(tableRows({ name: 'x', chunks: chunksOf(chunks) }, () => dialect));
          expect(found.map(({ fields }) => fields)).toEqual(rows);
          expect(found.map(({ text, lineBreak: end }) => text + end).join('')).toBe(content);
          expect(found.every(({ raw, text }) => raw.join(',') === text)).toBe(true);
          for (const { text, fields } of found) expect(parseRow(text, dialect, 'x').fields).toEqual(fields);
        },
      ),
    );
  });

  test('a row without end stops at the limit, in time that is linear', async () => {
    for (const start of ['id,text\n1,"', 'id,text\n1,']) {
      const endless = async function* () {
        yield start;
        for (;;) yield await Promise.resolve('a'.repeat(100_000));
      };
      const found = all(readDocuments({ name: 'x', chunks: endless() }, { from: 'csv', maxBytes: 20_000_000 }));
      await expect(found).rejects.toThrow('expected a row of at most 20000000 bytes, found a longer one');
    }
  });

  test('a byte order mark is no part of the header', async () => {
    expect((await all(readDocuments(source('x', '\ufeffid,text\n1,a\n'), { from: 'csv' })))[0]?.id).toBe('1');
  });
});
