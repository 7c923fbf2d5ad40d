import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { ebiobert, jsonLines, temporaryFolder } from './support/run.js';

const folder = temporaryFolder();
const file = (name: string, content: string | Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

const pubtator = [
  '1|t|Lithium and 😀 asthma.',
  '1|a|It helps.',
  '1\t0\t7\tLithium\tChemical\tD008094',
  '1\t14\t20\tasthma\tSpecificDisease\tD001249',
  '1\tCID\tD008094\tD001249',
  '',
  '',
].join('\n');

describe('ebiobert convert', () => {
  test('reads standard input and guesses its format', async () => {
    const { status, stdout, stderr } = await ebiobert(['convert', '--to', 'jsonl'], { input: pubtator });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const [document, ...more] = jsonLines(stdout);
    expect(more).toEqual([]);
    expect(document).toMatchObject({
      id: '1',
      text: 'Lithium and 😀 asthma.\nIt helps.',
      offsets: 'codepoint',
      entities: [
        { type: 'Chemical', start: 0, end: 7, text: 'Lithium' },
        { type: 'Disease', start: 14, end: 20, text: 'asthma' },
      ],
    });
  });

  test('counts UTF-16 on request, and reads it back', async () => {
    const args = ['convert', '--to', 'jsonl', '--offsets', 'utf16'];
    const { stdout } = await ebiobert(args, { input: pubtator });
    const [document] = jsonLines(stdout);
    expect(document).toMatchObject({ offsets: 'utf16', entities: [{ start: 0 }, { start: 15, end: 21 }] });
    const back = await ebiobert(['convert', '--to', 'pubtator'], { input: stdout });
    expect(back).toEqual({ status: 0, stdout: pubtator, stderr: '' });
  });

  test('PubTator to brat to PubTator keeps mentions and their names', async () => {
    const brat = join(folder, 'brat');
    const there = await ebiobert(['convert', '--to', 'brat', '--output', brat, file('in.txt', pubtator)]);
    expect(there).toMatchObject({ status: 0, stdout: '' });
    expect(readdirSync(brat).sort()).toEqual(['1.ann', '1.txt']);
    expect(readFileSync(join(brat, '1.ann'), 'utf8')).toMatch(/^T1\tChemical 0 7\tLithium\n/);
    const { status, stdout } = await ebiobert(['convert', '--to', 'jsonl', brat]);
    expect(status).toBe(0);
    expect(jsonLines(stdout)[0]).toMatchObject({ id: '1', entities: [{ start: 0 }, { start: 14, type: 'Disease' }] });
  });

  test('maps types by --map before the defaults', async () => {
    const { stdout } = await ebiobert(['convert', '--to', 'jsonl', '--map', 'SpecificDisease=Illness'], {
      input: pubtator,
    });
    expect(jsonLines(stdout)[0]).toMatchObject({ entities: [{ type: 'Chemical' }, { type: 'Illness' }] });
  });

  test('says what the output cannot express, and goes on', async () => {
    const discontinuous = {
      id: 'd',
      text: 'breast and ovarian cancer',
      entities: [
        { type: 'Disease', start: 11, end: 25 },
        { type: 'Disease', start: 0, end: 25, spans: [[0, 6], [19, 25]] }, // prettier-ignore
      ],
    };
    const input = `${JSON.stringify(discontinuous)}\n`;
    const { status, stdout, stderr } = await ebiobert(['convert', '--to', 'iob'], { input });
    expect(status).toBe(0);
    expect(stdout.split('\n').filter((line) => /[BI]-/.test(line)).length).toBeGreaterThan(1);
    expect(stderr).toMatch(/^d: [^\n]+\n$/);
  });

  test('reads the columns of a table that are named, and writes the table back', async () => {
    const table = file('table.csv', 'nr,head,main,year\n7,Lithium,It helps.,1999\n');
    const columns = ['--text-column', 'head', '--text-column', 'main', '--id-column', 'nr'];
    const { status, stdout } = await ebiobert(['convert', ...columns, '--to', 'jsonl', table]);
    expect(status).toBe(0);
    expect(jsonLines(stdout)).toMatchObject([{ id: '7', text: 'Lithium\nIt helps.' }]);
    const { stdout: back } = await ebiobert(['convert', ...columns, '--to', 'csv', table]);
    expect(back).toBe('nr,head,main,year,entities\n7,Lithium,It helps.,1999,\n');
    expect(await ebiobert(['convert', '--to', 'jsonl', '--text-column', 'title', table])).toEqual({
      status: 1,
      stdout: '',
      stderr: `ebiobert: ${table}:1: expected a column title, found nr, head, main, year\n`,
    });
    expect((await ebiobert(['convert', '--to', 'jsonl', table])).stderr).toContain('or --text-column with another');
  });

  test('reads numbered tags by their names', async () => {
    const input = '{"tokens": ["Lithium", "carbonate", "helps"], "ner_tags": [1, 2, 0]}\n';
    const { status, stdout } = await ebiobert(['convert', '--tag-names', 'O,B-Chemical,I-Chemical', '--to', 'jsonl'], {
      input,
    });
    expect(status).toBe(0);
    expect(jsonLines(stdout)).toMatchObject([{ entities: [{ type: 'Chemical', text: 'Lithium carbonate' }] }]);
    const { stderr } = await ebiobert(['convert', '--to', 'jsonl'], { input });
    expect(stderr).toBe('ebiobert: <stdin>:1: expected tags as strings, or --tag-names for their numbers, found "1"\n');
  });

  test('repairs only what it is asked to repair, and says where', async () => {
    const tags = file('tags.tsv', 'a\tO\nb\tI-Gene\n');
    const repaired = await ebiobert(['convert', '--repair-tags', '--to', 'iob', tags]);
    expect(repaired).toMatchObject({ status: 0, stdout: 'a\tO\nb\tB-Gene\n\n' });
    expect(repaired.stderr).toMatch(/tags\.tsv:2: [^\n]+\n$/);
    const offsets = file('offsets.txt', pubtator.replace('1\t14\t20', '1\t15\t21'));
    expect((await ebiobert(['convert', '--to', 'jsonl', offsets])).status).toBe(1);
    const units = await ebiobert(['convert', '--repair-offsets', '--to', 'pubtator', offsets]);
    expect(units).toMatchObject({ status: 0, stdout: pubtator });
    expect(units.stderr).toMatch(/offsets\.txt:4: [^\n]+\n$/);
  });

  test('leaves out what is at fault where it is told to keep going', async () => {
    const input = '{"id":"1","text":"a"}\n{"id":"2"}\n{"id":"3","text":"c"}\n';
    const { status, stdout, stderr } = await ebiobert(['convert', '--to', 'jsonl', '--keep-going'], { input });
    expect(status).toBe(1);
    expect(jsonLines(stdout).map(({ id }) => id)).toEqual(['1', '3']);
    expect(stderr).toBe(
      '<stdin>:2: expected a string "text", found none; the document is left out\n1 fault in the input\n',
    );
  });

  test('gzip is read and written', async () => {
    const output = join(folder, 'out.jsonl.gz');
    const { status } = await ebiobert(['convert', '--to', 'jsonl', '-o', output, file('in.gz', gzipSync(pubtator))]);
    expect(status).toBe(0);
    expect(jsonLines(gunzipSync(readFileSync(output)).toString())).toMatchObject([{ id: '1' }]);
  });

  test('a file is written as a whole: a fault in the second input leaves the old one', async () => {
    const output = file('old.jsonl', 'precious');
    const inputs = [file('good.jsonl', '{"text":"a"}\n'), file('bad.jsonl', '{"text":"a"}\n{"text":7}\n')];
    const failed = await ebiobert(['convert', '--to', 'jsonl', '--output', output, ...inputs]);
    expect(failed.status).toBe(1);
    expect(failed.stderr).toMatch(/bad\.jsonl:2: expected a string "text", found "7"\n$/);
    expect(readFileSync(output, 'utf8')).toBe('precious');
    expect(readdirSync(folder).filter((name) => name.includes('.tmp'))).toEqual([]);
    const { status } = await ebiobert(['convert', '--to', 'jsonl', '--output', output, 'good.jsonl'], {
      cwd: folder,
    });
    expect(status).toBe(0);
    expect(jsonLines(readFileSync(output, 'utf8'))).toMatchObject([{ text: 'a' }]);
  });

  test('reading and writing one file is safe', async () => {
    const path = file('same.txt', pubtator);
    const { status } = await ebiobert(['convert', '--to', 'pubtator', '--output', path, path]);
    expect(status).toBe(0);
    expect(readFileSync(path, 'utf8')).toBe(pubtator);
  });

  test('an empty input is an empty output', async () => {
    mkdirSync(join(folder, 'none'));
    const input = file('none/empty.jsonl', '');
    const output = join(folder, 'none/out.jsonl');
    const args = ['convert', '--from', 'jsonl', '--to', 'jsonl', '--output', output, input];
    expect(await ebiobert(args)).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(existsSync(output)).toBe(true);
    expect(readFileSync(output, 'utf8')).toBe('');
  });
});
