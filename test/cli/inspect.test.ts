import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { ebiobert, hasTerminal, onTerminal, temporaryFolder } from './support/run.js';
import { writeModel } from './support/tiny.js';

const folder = temporaryFolder();
const model = join(folder, 'model');
const sequence = join(folder, 'sequence');
beforeAll(async () => {
  await writeModel('word-pair', model);
  await writeModel('sequence', sequence);
}, 60_000);

interface Sentence {
  readonly words: readonly string[];
  readonly pieces: readonly string[];
  readonly cells: readonly { row: number; column: number; label: string; probability: number }[];
  readonly labels: readonly (readonly string[])[];
  readonly probabilities: readonly number[];
  readonly prefix: number;
  readonly attention: readonly (readonly (readonly (readonly number[])[])[])[];
}

async function inspect(text: string, ...args: string[]): Promise<Sentence[]> {
  const { status, stdout, stderr } = await ebiobert(['inspect', text, ...args]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const report = JSON.parse(stdout) as { text: string; sentences: Sentence[] };
  expect(report.text).toBe(text);
  return report.sentences;
}

const TEXT = 'BRCA1 causes breast cancer .';

describe('ebiobert inspect', () => {
  test('prints the grid: the cells behind each entity, among the probabilities of all', async () => {
    const [sentence, ...more] = await inspect(TEXT, '--model', model);
    expect(more).toEqual([]);
    if (sentence === undefined) throw new Error('expected a sentence');
    const { words, labels, cells, probabilities } = sentence;
    expect(words).toEqual(['BRCA1', 'causes', 'breast', 'cancer', '.']);
    expect(labels).toEqual([['None', 'NNW', 'THW-Gene', 'THW-Chemical', 'THW-Disease']]);
    // BRCA1 alone: (tail, head) on the diagonal. breast cancer: neighbours at (2, 3), tail and head at (3, 2).
    const marks = cells.map(({ row, column, label }) => `${label} ${row} ${column}`);
    expect(marks).toEqual(['THW-Gene 0 0', 'NNW 2 3', 'THW-Disease 3 2']);
    const classes = 5;
    expect(probabilities).toHaveLength(words.length ** 2 * classes);
    for (let cell = 0; cell < words.length ** 2; cell++) {
      const row = probabilities.slice(cell * classes, (cell + 1) * classes);
      expect(row.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 4);
    }
    for (const { row, column, label, probability } of cells) {
      const place = (row * words.length + column) * classes + (labels[0]?.indexOf(label) ?? 0);
      expect(probabilities[place]).toBe(probability);
    }
  });

  test('prints the attention: each row over prefix and pieces sums to 1', async () => {
    const [sentence] = await inspect(TEXT, '--model', model);
    const { pieces = [], prefix, attention = [] } = sentence ?? {};
    expect(pieces).toEqual(['[CLS]', 'brca1', 'causes', 'breast', 'cancer', '.', '[SEP]']);
    expect(prefix).toBe(2);
    expect(attention.map((heads) => heads.length)).toEqual([2, 2]);
    for (const row of attention.flat().flatMap((map) => [...map])) {
      expect(row).toHaveLength(2 + pieces.length);
      expect(row.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 4);
    }
    expect(attention.flat().every((map) => map.length === pieces.length)).toBe(true);
  });

  test('prints either alone on request', async () => {
    const both = ['cells', 'labels', 'probabilities', 'attention', 'prefix'];
    const keys = async (...args: string[]): Promise<string[]> => {
      const [sentence = {}] = await inspect(TEXT, '--model', model, ...args);
      return both.filter((key) => key in sentence);
    };
    expect(await keys('--grid')).toEqual(['cells', 'labels', 'probabilities']);
    expect(await keys('--attention')).toEqual(['attention', 'prefix']);
    expect(await keys('--grid', '--attention')).toEqual(both);
  });

  test('takes sentences one by one, and the tags of a sequence model', async () => {
    const sentences = await inspect('BRCA1 causes asthma . Patients were given lithium .', '--model', sequence);
    expect(sentences.map(({ words }) => words[0])).toEqual(['BRCA1', 'Patients']);
    expect(sentences[0]?.cells.map(({ row, label }) => `${row} ${label}`)).toEqual(['0 B-Gene', '2 B-Disease']);
  });

  test('writes JSON to a file', async () => {
    const output = join(folder, 'out.json');
    const outcome = await ebiobert(['inspect', TEXT, '--model', model, '--output', output]);
    expect(outcome).toEqual({ status: 0, stdout: '', stderr: '' });
    const { sentences } = JSON.parse(readFileSync(output, 'utf8')) as { sentences: unknown[] };
    expect(sentences).toEqual(await inspect(TEXT, '--model', model));
  });

  test('draws the grid, or the attention, to an SVG file', async () => {
    const draw = async (...args: string[]): Promise<string> => {
      const output = join(folder, 'out.svg');
      const outcome = await ebiobert(['inspect', TEXT, '--model', model, '--output', output, ...args]);
      expect(outcome).toEqual({ status: 0, stdout: '', stderr: '' });
      return readFileSync(output, 'utf8');
    };
    const grid = await draw();
    expect(grid).toMatch(/^<svg [^>]*>\n<title>BRCA1 causes breast cancer \.<\/title>/);
    for (const { row, column, label } of (await inspect(TEXT, '--model', model))[0]?.cells ?? []) {
      const words = TEXT.split(' ');
      expect(grid).toContain(`<title>${label} ${words[row]} → ${words[column]} `);
    }
    expect(await draw('--grid')).toBe(grid);
    expect((await draw('--attention')).match(/Layer \d/g)).toEqual(['Layer 1', 'Layer 2']);
  });

  test('refuses to write another kind of file', async () => {
    const { status, stderr } = await ebiobert(['inspect', TEXT, '--model', model, '--output', 'grid.png']);
    const message = 'ebiobert: expected --output FILE.svg or FILE.json, found grid.png\n';
    expect({ status, stderr }).toEqual({ status: 2, stderr: message });
  });
});

describe.skipIf(!hasTerminal)('on a terminal (skipped without the command script)', () => {
  const colours = /\u001b\[\d+m/g;
  const show = (...args: string[]): string => onTerminal(['inspect', TEXT, '--model', model, ...args], folder);

  test('is the grid: a row for each word, N and the letters of types in its cells, and a list of them', () => {
    const shown = show();
    expect(shown.match(colours)?.length).toBeGreaterThan(10);
    const lines = shown.replace(colours, '').split(/\r?\n/);
    expect(lines.slice(0, 6)).toEqual([
      ' BRCA1  G . . . .',
      'causes  . . . . .',
      'breast  . . . N .',
      'cancer  . . D . .',
      '     .  . . . . .',
      '',
    ]);
    expect(
      lines.slice(6, 9).map((line) =>
        line
          .replace(/ +\d\.\d{3}$/, '')
          .trim()
          .split(/ {2,}/),
      ),
    ).toEqual([
      ['THW-Gene', 'BRCA1 -> BRCA1'],
      ['NNW', 'breast -> cancer'],
      ['THW-Disease', 'cancer -> breast'],
    ]);
  });

  test('attention alone is JSON there too', () => {
    const { sentences } = JSON.parse(show('--attention')) as { sentences: Sentence[] };
    expect(sentences[0]?.attention).toHaveLength(2);
  });
});
