import { describe, expect, test } from 'vitest';
import type { Document, Entity } from '../../../src/corpus/document.js';
import type { Loss, ReadOptions, Repair } from '../../../src/corpus/format.js';
import { mentionText } from '../../../src/corpus/mentions.js';
import { read, write } from '../support.js';

const shown = (documents: readonly Document[]) =>
  documents.map(({ text, entities }) => entities.map(({ type, spans }) => `${type}:${mentionText(text, spans)}`));
const entity = (type: string, start: number, end: number, more: Partial<Entity> = {}): Entity => ({
  type,
  spans: [{ start, end }],
  ...more,
});
describe('iob', () => {
  test('words become text, sentences lines, tags mentions', async () => {
    const content = 'Selegiline\tB-Chemical\n-\tO\ninduced\tO\npostural\tB-Disease\nhypotension\tI-Disease\n\nYes\tO\n';
    const [first, second] = await read('iob', content, {}, 'dir/devel.tsv');
    expect(first).toEqual({
      id: 'devel:1',
      text: 'Selegiline - induced postural hypotension',
      entities: [entity('Chemical', 0, 10), entity('Disease', 21, 41)],
      sentences: [
        {
          words: [
            [0, 10],
            [11, 12],
            [13, 20],
            [21, 29],
            [30, 41],
          ].map(([start, end]) => ({ start, end })),
        },
      ],
    });
    expect(second).toMatchObject({ id: 'devel:2', text: 'Yes', entities: [] });
    const [both] = await read('iob', content, { sentencesPerDocument: 2 });
    expect(both).toMatchObject({ id: 'file:1', text: 'Selegiline - induced postural hypotension\nYes' });
    expect(both?.sentences).toHaveLength(2);
  });

  test.each<[string, string, ReadOptions, string[]]>([
    ['IOB2, adjacent mentions', 'a B-X|b B-X|c I-X|d B-Y', {}, ['X:a', 'X:b c', 'Y:d']],
    ['IOBES', 'a S-X|b B-X|c I-X|d E-X|e O|f S-Y', {}, ['X:a', 'X:b c d', 'Y:f']],
    ['BILOU', 'a U-X|b B-X|c L-X', {}, ['X:a', 'X:b c']],
    ['IOB1', 'a I-X|b I-X|c B-X|d I-Y', { scheme: 'iob1' }, ['X:a b', 'X:c', 'Y:d']],
    [
      'repaired as conlleval does',
      'a O|b I-X|c I-X|d I-Y|e E-Z|f I-Z',
      { repairTags: true },
      ['X:b c', 'Y:d', 'Z:e', 'Z:f'],
    ],
    ['bare tags', 'a B|b I|c O', {}, ['Entity:a b']],
    ['columns between', 'a NN B-NP B-X|b NN I-NP I-X', {}, ['X:a b']],
    ['hyphens in types', 'a B-cell-line|b I-cell-line', {}, ['cell-line:a b']],
    ['mapped types', 'a B-GENE|b I-GENE', {}, ['Gene:a b']],
  ])('%s', async (_, content, options, mentions) => {
    expect(shown(await read('iob', content.replaceAll('|', '\n'), options))).toEqual([mentions]);
    const tabs = content.replaceAll('|', '\r\n').replaceAll(' ', '\t');
    expect(shown(await read('iob', `${tabs}\r\n`, options))).toEqual([mentions]);
  });

  test('no mention crosses a sentence', async () => {
    expect(shown(await read('iob', 'a\tB-X\n\nb\tI-X\n', { repairTags: true }))).toEqual([['X:a'], ['X:b']]);
  });

  test('repairs are reported', async () => {
    const repairs: Repair[] = [];
    await read('iob', 'a\tO\nb\tI-X\n', { repairTags: true, onRepair: (repair) => repairs.push(repair) });
    expect(repairs).toEqual([{ file: 'file.txt', line: 2, message: 'took I-X after no mention as B-X' }]);
  });

  test('-DOCSTART- begins documents, and is written back', async () => {
    const content = '-DOCSTART- -X- -X- O\n\na NN NP B-X\n\nb NN NP O\n\n-DOCSTART-\tpm7\tO\n\nc\tO\n\n';
    const documents = await read('iob', content);
    expect(documents.map(({ id, text }) => [id, text])).toEqual([
      ['file:1', 'a\nb'],
      ['pm7', 'c'],
    ]);
    expect((await write('iob', documents)).get('')).toBe(
      content.replace(/^([ab]) (NN) (NP) (\S+)$/gm, '$1\t$2\t$3\t$4'),
    );
  });

  test.each([
    ['a\tO\nb\tI-X\n', 2, 'expected B-X or O, found I-X after no mention'],
    ['a\tB-Y\nb\tI-X\n', 2, 'expected B-X or O, found I-X after a mention of Y'],
    ['a\tB-Y\n\nb\tI-Y\n', 3, 'expected B-Y or O, found I-Y after no mention'],
    ['a\tO\nb\n', 2, 'expected a word and a tag in two to four columns, found "b"'],
    ['\tO\n', 1, 'expected a word and a tag in two to four columns'],
    ['a b c d O\n', 1, 'expected two to four columns, found 5'],
    ['a\tX\n', 1, 'expected a tag like O, B-Gene or I-Gene, found "X"'],
    ['a\tB-\n', 1, 'expected a tag like O'],
  ])('%j is refused by file and line', async (content, line, message) => {
    await expect(read('iob', content)).rejects.toThrow(`file.txt:${line}: ${message}`);
  });

  test('what tags cannot say is refused, or reported to who listens', async () => {
    const text = 'left and right atrium of alphaBeta';
    const split: Entity = {
      type: 'X',
      spans: [
        { start: 0, end: 4 },
        { start: 15, end: 21 },
      ],
    };
    const entities = [entity('X', 9, 21), entity('Y', 15, 21), split, entity('Z', 25, 30)];
    const document = { id: '1', text, entities };
    await expect(write('iob', [document])).rejects.toThrow(/found one that is discontinuous: X "left atrium"/);
    const losses: Loss[] = [];
    const written = (await write('iob', [document], { onLoss: (loss) => losses.push(loss) })).get('');
    expect(written).toBe('-DOCSTART-\t1\tO\n\nleft\tO\nand\tO\nright\tB-X\natrium\tI-X\nof\tO\nalphaBeta\tB-Z\n\n');
    expect(losses.map(({ kind, message }) => `${kind} ${message}`)).toEqual([
      'entity discontinuous: X "left atrium" at 0-4, 15-21',
      'entity nested or overlapping: Y "atrium" at 15-21',
      'entity not at the edges of words, widened to them: Z "alpha" at 25-30',
    ]);
  });

  test('a mention across a sentence end that we split joins the sentences', async () => {
    const text = 'It was found. Then it ended.';
    const written = (await write('iob', [{ id: '1', text, entities: [entity('X', 7, 18)] }])).get('');
    expect(written?.match(/\n\n/g)).toHaveLength(2);
    expect(written).toContain('found\tB-X\n.\tI-X\nThen\tI-X\nit\tO\n');
  });
});
