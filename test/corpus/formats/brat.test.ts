import { describe, expect, test } from 'vitest';
import type { Entity } from '../../../src/corpus/document.js';
import type { ReadOptions } from '../../../src/corpus/format.js';
import { readDocuments } from '../../../src/corpus/registry.js';
import { all, source, write } from '../support.js';

const entity = (type: string, start: number, end: number, more: Partial<Entity> = {}): Entity => ({
  type,
  spans: [{ start, end }],
  ...more,
});
const brat = (text: string, ann: string, options: ReadOptions = {}) =>
  all(readDocuments(source('d.txt', text, { '.ann': ann }), { ...options, from: 'brat' }));

describe('brat', () => {
  const text = '😀 left and right atrium of mice\nand men\n';
  const ann =
    'T1\tGene 2 6;17 23\tleft atrium\nR1\tPart Arg1:T1 Arg2:T2\nT2\tModifier 27 39\tmice and men\nE1\tGene:T1 Theme:T2\nA1\tStage E1 T7\nN1\tReference T2 MeSH:D1\tmouse\n#1\tAnnotatorNotes T2\tsee T9\n*\tEquiv T1 T2\n';

  test('mentions, references and all other lines', async () => {
    const [document] = await brat(text, ann);
    expect(document?.text).toBe(text);
    expect(document?.entities).toEqual([
      {
        id: 'T1',
        type: 'Gene',
        spans: [
          { start: 3, end: 7 },
          { start: 18, end: 24 },
        ],
      },
      { id: 'T2', ...entity('Disease', 28, 40, { attributes: { sourceType: 'Modifier', concept: 'MeSH:D1' } }) },
    ]);
  });

  test.each([
    ['as it is', ann],
    ['with CRLF', ann.replaceAll('\n', '\r\n')],
    ['without an end', ann.trimEnd()],
    ['empty', ''],
  ])('is written back byte for byte %s', async (_, content) => {
    const files = await write('brat', await brat(text, content));
    expect([...files]).toEqual([
      ['d.txt', text],
      ['d.ann', content],
    ]);
  });

  test('lines about mentions that are gone are left out and reported', async () => {
    const [document] = await brat(text, ann);
    const losses: string[] = [];
    const entities = [
      ...(document?.entities.slice(0, 1) ?? []),
      entity('Gene', 8, 11),
      entity('X', 8, 11, { attributes: { concept: 'D2' } }),
    ];
    const files = await write('brat', document === undefined ? [] : [{ ...document, entities }], {
      onLoss: ({ message }) => losses.push(message),
    });
    expect(files.get('d.ann')).toBe(
      'T1\tGene 2 6;17 23\tleft atrium\nT3\tGene 7 10\tand\nT4\tX 7 10\tand\nN1\tReference T4 D2\n',
    );
    expect(losses).toEqual(['6 lines about mentions that are no longer there']);
  });

  test('identifiers that are no file names are changed and reported, never merged', async () => {
    const losses: string[] = [];
    const files = await write('brat', [{ id: '../a:1', text: '', entities: [] }], {
      onLoss: ({ message }) => losses.push(message),
    });
    expect([...files.keys()]).toEqual(['.._a_1.txt', '.._a_1.ann']);
    expect(losses).toEqual(['the identifier, written as ".._a_1"']);
    const same = ['a/b', 'a:b'].map((id) => ({ id, text: '', entities: [] }));
    await expect(write('brat', same)).rejects.toThrow('expected one document for each file, found "a_b" again');
  });

  test.each([
    ['T1\tGene 0 99\tx', 'expected the mention "x" at 0-99, found the end of the text at 40'],
    ['T1\tGene 2 6\tright', 'expected the mention "right" at 2-6, found "left"'],
    ['T1\tGene 2-6\tleft', 'expected a mention like "T1<TAB>Type 0 5<TAB>text"'],
    ['T1 Gene 2 6 left', 'expected a mention like "T1<TAB>Type 0 5<TAB>text"'],
    ['what is this', 'expected a brat annotation, found "what is this"'],
  ])('%j is refused by file and line', async (line, message) => {
    await expect(brat(text, `#1\tNote\n${line}\n`)).rejects.toThrow(`d.ann:2: ${message}`);
  });
});
