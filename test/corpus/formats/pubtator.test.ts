import { describe, expect, test } from 'vitest';
import type { Document, Entity } from '../../../src/corpus/document.js';
import type { Repair } from '../../../src/corpus/format.js';
import { mentionText } from '../../../src/corpus/mentions.js';
import { read, write } from '../support.js';

const shown = (documents: readonly Document[]) =>
  documents.map(({ text, entities }) => entities.map(({ type, spans }) => `${type}:${mentionText(text, spans)}`));
const entity = (type: string, start: number, end: number, more: Partial<Entity> = {}): Entity => ({
  type,
  spans: [{ start, end }],
  ...more,
});
describe('pubtator', () => {
  const content =
    '1|t|β😀 of mice.\n1|a|p53 | TP53.\n1\t0\t2\tβ😀\tGene\t7\n1\t12\t15\tp53\tSpecificDisease\tD1|D2\tp|53\n1\tCID\tD1\tD2\tyes\n1\t18\t22\tTP53\tSpecies\n\n';

  test('title, abstract, mentions, concepts and relations', async () => {
    const [document] = await read('pubtator', content);
    expect(document).toMatchObject({
      id: '1',
      text: 'β😀 of mice.\np53 | TP53.',
      passages: [
        { kind: 'title', start: 0, end: 12 },
        { kind: 'abstract', start: 13, end: 24 },
      ],
    });
    expect(document?.entities).toEqual([
      entity('Gene', 0, 3, { attributes: { concept: '7' } }),
      entity('Disease', 13, 16, { attributes: { concept: 'D1|D2', parts: 'p|53', sourceType: 'SpecificDisease' } }),
      entity('Species', 19, 23),
    ]);
  });

  test.each([
    ['as it is', content],
    ['with CRLF', content.replaceAll('\n', '\r\n')],
    ['without an end', content.trimEnd()],
    ['with blank lines around', `\n\n${content}\n\n`],
    ['without blank line between documents', `${content.trimEnd()}\n2|t|x\n2|a|\n\n3|t|only a title\n\n`],
    ['with a mention spelled with other blanks', '1|t|a b\n1\t0\t3\ta b  \tX\t\n\n'],
    ['across title and abstract', '1|t|a\n1|a|b\n1\t0\t3\ta b\tX\tD\n\n'],
  ])('is written back byte for byte %s', async (_, file) => {
    const written = (await write('pubtator', await read('pubtator', file))).get('');
    if (file.includes('\n2|t|')) expect(written).toBe(file.replace('2|t|', '\n2|t|'));
    else expect(written).toBe(file);
  });

  test('documents from elsewhere are kept apart', async () => {
    const documents = [
      ...(await read('pubtator', '\n1|t|a\n')),
      ...(await read('pubtator', '2|t|b')),
      { id: '3', text: 'c', entities: [] },
    ];
    expect((await write('pubtator', documents)).get('')).toBe('\n1|t|a\n\n2|t|b\n\n3|t|c\n\n');
  });

  test('a discontinuous mention is refused, or its hull written and reported', async () => {
    const split: Entity = {
      type: 'X',
      spans: [
        { start: 0, end: 1 },
        { start: 4, end: 5 },
      ],
      score: 0.5,
    };
    const document = { id: '1', text: 'a b c\nd\r\ne', entities: [split] };
    await expect(write('pubtator', [document])).rejects.toThrow(/document 1/);
    const losses: string[] = [];
    const written = await write('pubtator', [document], {
      onLoss: ({ kind, message }) => losses.push(`${kind} ${message}`),
    });
    expect(written.get('')).toBe('1|t|a b c\n1|a|d  e\n1\t0\t5\ta b c\tX\n\n');
    expect(losses).toEqual([
      'detail scores of 1 entities',
      'detail line breaks inside title or abstract, written as spaces',
      'entity discontinuous: X "a c" at 0-1, 4-5',
    ]);
  });

  test.each([
    ['1|t|abc\n1\t0\t9\tabc\tX\n', 2, 'expected the mention "abc" at 0-9, found the end of the text at 3'],
    ['1|t|abc\n1\t1\t3\tab\tX\n', 2, 'expected the mention "ab" at 1-3, found "bc"'],
    ['1|t|abc\n1\t0\t2\n', 2, 'expected id, start, end, mention and type, found 3 fields'],
    ['1|t|abc\n1\t0\tx\tab\tX\n', 2, 'expected a start and an end, found 0 and x'],
    ['1|t|abc\n1\t-1\t2\tab\tX\n', 2, 'expected a start and an end, found -1 and 2'],
    ['1|t|abc\n2|a|abc\n', 2, 'expected a line of document 1 or a blank line, found "2"'],
    ['1|t|abc\n2\t0\t1\ta\tX\n', 2, 'expected a line of document 1 or a blank line, found "2"'],
    ['1|t|abc\n1|t|abc\n', 2, 'expected one title (|t|) and one abstract (|a|)'],
    ['1|t|abc\nwords\n', 2, 'expected tab-separated fields, found "words"'],
    ['\nwords\n', 2, 'expected a title line like 123|t|..., found "words"'],
  ])('%j is refused by file and line', async (file, line, message) => {
    await expect(read('pubtator', file)).rejects.toThrow(`file.txt:${line}: ${message}`);
  });

  test('offsets of another unit are recognised, and repaired on request', async () => {
    const utf16 = '1|t|😀 β p53\n1\t5\t8\tp53\tGene\n';
    await expect(read('pubtator', utf16)).rejects.toThrow(
      'file.txt:2: expected the mention "p53" at 5-8, found the end of the text at 7 (the offsets fit as UTF-16 code units)',
    );
    const repairs: Repair[] = [];
    const options = { repairOffsets: true, onRepair: (repair: Repair) => repairs.push(repair) };
    expect(shown(await read('pubtator', utf16, options))).toEqual([['Gene:p53']]);
    expect(shown(await read('pubtator', '1|t|😀 β p53\n1\t8\t11\tp53\tGene\n', options))).toEqual([['Gene:p53']]);
    expect(repairs.map(({ line, message }) => `${line} ${message}`)).toEqual([
      '2 took 5-8 as UTF-16 code units',
      '2 took 8-11 as UTF-8 bytes',
    ]);
    expect(shown(await read('pubtator', utf16, { offsets: 'utf16' }))).toEqual([['Gene:p53']]);
  });
});
