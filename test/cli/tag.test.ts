import { readFileSync, writeFileSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { ebiobert, jsonLines, temporaryFolder } from './support/run.js';
import { FOUND, SAMPLE, writeModel } from './support/tiny.js';

const folder = temporaryFolder();
const model = join(folder, 'model');
beforeAll(() => writeModel('word-pair', model), 60_000);

interface Line {
  readonly id: string;
  readonly text: string;
  readonly offsets: string;
  readonly entities: readonly {
    readonly id: string;
    readonly type: string;
    readonly start: number;
    readonly end: number;
    readonly text: string;
    readonly score: number;
  }[];
}

const lines = (stdout: string): Line[] => jsonLines(stdout) as unknown as Line[];
const named = ({ entities }: Line): string[] => entities.map(({ type, text }) => `${type} ${text}`);
const tag = (args: readonly string[], input?: string) =>
  ebiobert(['tag', '--model', model, ...args], input === undefined ? {} : { input });

describe('ebiobert tag', () => {
  test('tags standard input and prints JSON lines alone', async () => {
    const { status, stdout, stderr } = await tag([], SAMPLE);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const [document, ...more] = lines(stdout);
    expect(more).toEqual([]);
    expect(document).toMatchObject({ id: 'stdin', text: SAMPLE, offsets: 'codepoint' });
    expect(document && named(document)).toEqual(FOUND);
    for (const { start, end, text, score } of document?.entities ?? []) {
      expect(SAMPLE.slice(start, end)).toBe(text);
      expect(score).toBeGreaterThan(0.3);
      expect(score).toBeLessThanOrEqual(1);
    }
  });

  test('tags files and folders in order, each a document named after its file', async () => {
    const notes = join(folder, 'notes');
    mkdirSync(notes);
    writeFileSync(join(notes, '10.txt'), 'asthma was given aspirin .');
    writeFileSync(join(notes, '9.txt'), 'BRCA1 causes asthma .\n');
    const single = join(folder, 'single.txt');
    writeFileSync(single, '');
    const { status, stdout } = await tag([single, notes]);
    expect(status).toBe(0);
    expect(lines(stdout).map(({ id, entities }) => [id, entities.length > 0])).toEqual([
      ['single', false],
      ['9', true],
      ['10', true],
    ]);
  });

  test('counts code points, or UTF-16 on request', async () => {
    const text = `😀𝛼 ${SAMPLE}`;
    const [points] = lines((await tag([], text)).stdout);
    const { status, stdout } = await tag(['--offsets', 'utf16'], text);
    const [units] = lines(stdout);
    expect(status).toBe(0);
    expect(points?.text).toBe(text);
    expect([points?.offsets, units?.offsets]).toEqual(['codepoint', 'utf16']);
    expect(points?.entities.length).toBeGreaterThan(0);
    for (const { start, end, text: mention } of points?.entities ?? []) {
      expect([...text].slice(start, end).join('')).toBe(mention);
    }
    for (const { start, end, text: mention } of units?.entities ?? []) expect(text.slice(start, end)).toBe(mention);
    expect(units?.entities.map(({ start }) => start)).toEqual(
      points?.entities.map(({ start }) => [...text].slice(0, start).join('').length),
    );
    expect(units?.entities.at(-1)?.start).toBe((points?.entities.at(-1)?.start ?? 0) + 2);
  });

  test('a line is a document with --from lines', async () => {
    const { stdout } = await tag(['--from', 'lines'], 'BRCA1 causes asthma .\n\nTP53 causes asthma .\n');
    const documents = lines(stdout).filter(({ text }) => text !== '');
    expect(documents.map(({ text }) => text)).toEqual(['BRCA1 causes asthma .', 'TP53 causes asthma .']);
    expect(documents.map(named)).toEqual([
      ['Gene BRCA1', 'Disease asthma'],
      ['Gene TP53', 'Disease asthma'],
    ]);
  });

  test('replaces the entities of annotated input, whatever its format', async () => {
    const pubtator = '1|t|BRCA1 causes asthma .\n1|a|\n1\t0\t5\tBRCA1\tSpecies\tD1\n\n';
    const { status, stdout } = await tag(['--to', 'pubtator'], pubtator);
    expect(status).toBe(0);
    const rows = stdout.trimEnd().split('\n');
    expect(rows.slice(0, 2)).toEqual(['1|t|BRCA1 causes asthma .', '1|a|']);
    expect(rows.slice(2).map((row) => row.split('\t').slice(0, 5))).toEqual([
      ['1', '0', '5', 'BRCA1', 'Gene'],
      ['1', '13', '19', 'asthma', 'Disease'],
    ]);
  });

  test('reports only the types asked for', async () => {
    const { status, stdout } = await tag(['--types', 'Disease,Chemical'], SAMPLE);
    expect(status).toBe(0);
    expect(lines(stdout).map(named)).toEqual([FOUND.slice(1)]);
  });

  test('refuses a type that the model does not know as wrong usage', async () => {
    const { status, stdout, stderr } = await tag(['--types', 'Gene,Species'], SAMPLE);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toBe('ebiobert: expected a type of the model (Gene, Chemical, Disease), found Species\n');
  });

  test('leaves out what scores too low', async () => {
    const all = lines((await tag([], SAMPLE)).stdout)[0]?.entities ?? [];
    const scores = all.map(({ score }) => score).sort((a, b) => a - b);
    const limit = ((scores[1] ?? 0) + (scores[2] ?? 0)) / 2;
    const { stdout } = await tag(['--min-score', String(limit)], SAMPLE);
    const kept = lines(stdout)[0]?.entities.map(({ text }) => text);
    expect(kept).toEqual(all.filter(({ score }) => score >= limit).map(({ text }) => text));
    expect(kept).toHaveLength(2);
  });

  test('writes a file, and prints nothing', async () => {
    const output = join(folder, 'out.jsonl');
    const { status, stdout, stderr } = await tag(['--output', output], SAMPLE);
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(lines(readFileSync(output, 'utf8')).map(named)).toEqual([FOUND]);
  });

  test('writes a brat folder that reads back', async () => {
    const output = join(folder, 'brat');
    const { status } = await tag(['--to', 'brat', '--output', output], SAMPLE);
    expect(status).toBe(0);
    expect(readdirSync(output).sort()).toEqual(['stdin.ann', 'stdin.txt']);
    const { stdout } = await ebiobert(['convert', '--to', 'jsonl', output]);
    expect(lines(stdout).map(named)).toEqual([FOUND]);
  });

  test('finds the same in a run of its own and among other documents, with any threads', async () => {
    const many = Array<string>(200).fill('TP53 causes asthma .').join('\n');
    const { stdout } = await tag(['--from', 'lines', '--threads', '2'], `${many}\n${SAMPLE}\n`);
    const documents = lines(stdout);
    expect(documents.map(({ id }) => id)).toEqual(Array.from({ length: 201 }, (_, k) => `stdin:${k + 1}`));
    const found = new Set(documents.map((document) => named(document).join(', ')));
    expect([...found]).toEqual(['Gene TP53, Disease asthma', FOUND.join(', ')]);
  });

  test('the sequence model tags too', async () => {
    const sequence = await writeModel('sequence', join(folder, 'sequence'));
    const { status, stdout } = await ebiobert(['tag', '--model', sequence], { input: SAMPLE });
    expect(status).toBe(0);
    expect(lines(stdout).map(named)).toEqual([FOUND]);
  });
});
