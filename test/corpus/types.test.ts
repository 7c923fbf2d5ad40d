import { describe, expect, test } from 'vitest';
import type { Document } from '../../src/corpus/document.js';
import { mentionText } from '../../src/corpus/mentions.js';
import { typeMap, unchangedTypes } from '../../src/corpus/types.js';
import { read, write } from './support.js';

const shown = (documents: readonly Document[]) =>
  documents.map(({ text, entities }) => entities.map(({ type, spans }) => `${type}:${mentionText(text, spans)}`));
describe('types', () => {
  const content = '1|t|abc\n1\t0\t1\ta\tSpecificDisease\n1\t1\t2\tb\tCHEMICAL\n1\t2\t3\tc\tCellLine\n\n';

  test('known names become ours, and are written back as they were', async () => {
    const documents = await read('pubtator', content);
    expect(shown(documents)).toEqual([['Disease:a', 'Chemical:b', 'CellLine:c']]);
    expect((await write('pubtator', documents)).get('')).toBe(content);
    expect(shown(await read('pubtator', content, { types: unchangedTypes }))).toEqual([
      ['SpecificDisease:a', 'CHEMICAL:b', 'CellLine:c'],
    ]);
  });

  test('rules overrule, for good', async () => {
    const types = typeMap(['SpecificDisease=Illness', 'CellLine = Cell', 'CHEMICAL=CHEMICAL']);
    const documents = await read('pubtator', content, { types });
    expect(shown(documents)).toEqual([['Illness:a', 'CHEMICAL:b', 'Cell:c']]);
    expect((await write('pubtator', documents)).get('')).toBe(
      content.replace('SpecificDisease', 'Illness').replace('CellLine', 'Cell'),
    );
  });

  test.each(['A', 'A=', '=B', 'A=B=C', ''])('%j is no rule', (rule) => {
    expect(() => typeMap([rule])).toThrow(`expected a mapping like GENE=Gene, found ${rule}`);
  });
});
