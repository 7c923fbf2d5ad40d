import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { ebiobert, hasTerminal, jsonLines, onTerminal, start, temporaryFolder } from './support/run.js';
import { SAMPLE, writeModel } from './support/tiny.js';

const folder = temporaryFolder();
const model = join(folder, 'model');
beforeAll(() => writeModel('word-pair', model), 60_000);

const genes = ['BRCA1', 'TP53', 'p53'];
const diseases = ['breast cancer', 'asthma', 'renal failure'];
/** Documents of 2,048 characters, each another: 16 of them go through the model together. */
const documentText = (k: number): string =>
  Array.from({ length: 70 }, (_, n) => `${genes[(k + n) % 3]} causes ${diseases[(k * n) % 3]} .`)
    .join(' ')
    .padEnd(2048);
const jsonl = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, k) => `${JSON.stringify({ id: `d${from + k}`, text: documentText(from + k) })}\n`).join(''); // prettier-ignore
const DOCUMENTS = 100;
const GROUP = 16;

const tag = (args: readonly string[], input?: string) =>
  ebiobert(['tag', '--model', model, ...args], { cwd: folder, ...(input === undefined ? {} : { input }) });
const at = (name: string): string => join(folder, name);
const content = (name: string): string => readFileSync(at(name), 'utf8');

beforeAll(async () => {
  writeFileSync(at('in.jsonl'), jsonl(0, DOCUMENTS));
  expect((await tag(['--workers', '1', '--output', 'whole.jsonl', 'in.jsonl'])).status).toBe(0);
}, 600_000);

describe('workers', () => {
  test('give the bytes of one, in the order of the input', async () => {
    for (const workers of ['2', '3']) {
      const { status, stderr } = await tag(['--workers', workers, '--output', 'workers.jsonl', 'in.jsonl']);
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(content('workers.jsonl') === content('whole.jsonl')).toBe(true);
    }
    const documents = jsonLines(content('whole.jsonl'));
    expect(documents.map(({ id }) => id)).toEqual(Array.from({ length: DOCUMENTS }, (_, k) => `d${k}`));
    expect(documents.every(({ entities }) => Array.isArray(entities) && entities.length > 10)).toBe(true);
    expect(readdirSync(folder).filter((name) => /tagging|tmp/.test(name))).toEqual([]);
  });

  test('take options for what is found', async () => {
    const { stdout } = await tag(['--workers', '2', '--types', 'Disease'], `${SAMPLE}\n`);
    const [document] = jsonLines(stdout) as { entities: { type: string }[] }[];
    expect(new Set(document?.entities.map(({ type }) => type))).toEqual(new Set(['Disease']));
  });

  test('end with the command when the input is at fault', async () => {
    const { status, stderr } = await tag(['--workers', '2'], '{"text": 1}\n');
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: 'ebiobert: <stdin>:1: expected a string "text", found "1"\n',
    });
  });

  test.each(['--workers', '--threads'])('%s has to be a number', async (option) => {
    expect(await tag([option, '0'], '')).toEqual({
      status: 2,
      stdout: '',
      stderr: `ebiobert: expected ${option} 1 or more, found 0\n`,
    });
  });
});

describe('--resume', () => {
  const journal = at('resumed.jsonl.tagging');
  const groups = (): number => (existsSync(journal) ? readFileSync(journal, 'utf8').split('\n').length - 2 : 0);

  /** Kills a run when it has noted some groups; it cannot end, because its input does not. */
  async function killed(input: string, args: readonly string[] = []): Promise<void> {
    rmSync(at('resumed.jsonl'), { force: true });
    const child = start(['tag', '--model', model, '--output', 'resumed.jsonl', ...args], { cwd: folder });
    const ended = new Promise((resolve) => child.on('close', resolve));
    child.stdin?.write(input);
    while (groups() < 3) await sleep(20);
    child.kill('SIGKILL');
    await ended;
  }

  test.each([
    ['one worker, then one', [], []],
    ['two workers, then one', ['--workers', '2'], ['--workers', '1']],
    ['one worker, then two', ['--workers', '1'], ['--workers', '2']],
  ])('a killed run goes on to the same bytes: %s', async (_, first, second) => {
    await killed(jsonl(0, DOCUMENTS - 3), first);
    expect(existsSync(at('resumed.jsonl'))).toBe(false);
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toHaveLength(1);
    const { status, stderr } = await tag(['--resume', '--output', 'resumed.jsonl', ...second], jsonl(0, DOCUMENTS));
    expect(status).toBe(0);
    const recovered = Number(/^(\d+) documents were tagged by the interrupted run\n$/.exec(stderr)?.[1]);
    expect(recovered).toBeGreaterThanOrEqual(3 * GROUP);
    expect(recovered % GROUP).toBe(0);
    expect(content('resumed.jsonl') === content('whole.jsonl')).toBe(true);
    expect(readdirSync(folder).filter((name) => /tagging|tmp/.test(name))).toEqual([]);
  });

  test('a line that was cut off is tagged again, and what was killed twice goes on too', async () => {
    await killed(jsonl(0, DOCUMENTS - 3));
    const bytes = readFileSync(journal);
    writeFileSync(journal, bytes.subarray(0, bytes.length - 100));
    const before = groups();
    const child = start(['tag', '--model', model, '--resume', '--output', 'resumed.jsonl'], { cwd: folder });
    const ended = new Promise((resolve) => child.on('close', resolve));
    child.stdin?.write(jsonl(0, DOCUMENTS - 3));
    while (groups() <= before) await sleep(20);
    child.kill('SIGKILL');
    await ended;
    const { status, stderr } = await tag(['--resume', '--output', 'resumed.jsonl'], jsonl(0, DOCUMENTS));
    expect(status).toBe(0);
    expect(stderr).toMatch(/^\d+ documents were tagged by the interrupted run\n$/);
    expect(content('resumed.jsonl') === content('whole.jsonl')).toBe(true);
  });

  test('documents that changed are tagged again, those before are not', async () => {
    await killed(jsonl(0, DOCUMENTS - 3));
    const changed = `${jsonl(0, 20)}${jsonl(40, 60)}`;
    const { stderr } = await tag(['--resume', '--output', 'resumed.jsonl'], changed);
    expect(stderr).toBe(`${GROUP} documents were tagged by the interrupted run\n`);
    expect((await tag(['--output', 'changed.jsonl'], changed)).status).toBe(0);
    expect(content('resumed.jsonl') === content('changed.jsonl')).toBe(true);
  });

  test('another setting, or a run without --resume, starts afresh', async () => {
    await killed(jsonl(0, DOCUMENTS - 3));
    const args = ['--types', 'Gene', '--output', 'resumed.jsonl'];
    const { status, stderr } = await tag(['--resume', ...args], jsonl(0, 20));
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(content('resumed.jsonl')).not.toContain('Disease');
    await killed(jsonl(0, DOCUMENTS - 3));
    expect((await tag(['--output', 'resumed.jsonl'], jsonl(0, DOCUMENTS))).stderr).toBe('');
    expect(content('resumed.jsonl') === content('whole.jsonl')).toBe(true);
    expect(existsSync(journal)).toBe(false);
  });

  test('a fault of the input keeps what was done, and the repaired input goes on', async () => {
    const fault = await tag(['--output', 'resumed.jsonl'], `${jsonl(0, 60)}{"id":7}\n`);
    expect(fault.status).toBe(1);
    expect(fault.stderr).toMatch(
      /^what was tagged so far is kept: go on with --resume\nebiobert: <stdin>:61: [^\n]+\n$/,
    );
    const { stderr } = await tag(['--resume', '--output', 'resumed.jsonl'], jsonl(0, DOCUMENTS));
    expect(stderr).toMatch(/^\d+ documents were tagged/);
    expect(content('resumed.jsonl') === content('whole.jsonl')).toBe(true);
  });

  test('needs an output', async () => {
    expect((await tag(['--resume'], '')).stderr).toBe('ebiobert: expected --output with --resume, found none\n');
  });
});

describe('--keep-going', () => {
  test('leaves out documents and files at fault, says so, and ends with status 1', async () => {
    mkdirSync(at('mixed'));
    writeFileSync(at('mixed/1.jsonl'), `${jsonl(0, 1)}{"id":"bad"}\n${jsonl(1, 2)}`);
    writeFileSync(at('mixed/2.gz'), Buffer.from([0x1f, 0x8b, 8, 0, 0]));
    writeFileSync(at('mixed/3.txt'), SAMPLE);
    const args = ['--keep-going', 'mixed', 'absent.txt'];
    const { status, stdout, stderr } = await tag(args);
    expect(status).toBe(1);
    expect(jsonLines(stdout).map(({ id }) => id)).toEqual(['d0', 'd1', '3']);
    expect(stderr.split('\n').map((line) => line.replace(/: expected.*; /, ' ... '))).toEqual([
      'mixed/1.jsonl:2 ... the document is left out',
      'mixed/2.gz ... all that follows in it is left out',
      'absent.txt ... all that follows in it is left out',
      '3 faults in the input',
      '',
    ]);
    const written = await tag([...args, '--output', 'kept.jsonl']);
    expect(written).toEqual({ status: 1, stdout: '', stderr });
    expect(content('kept.jsonl')).toBe(stdout);
    expect((await tag(['--keep-going', 'mixed/3.txt'])).status).toBe(0);
    expect((await tag(['mixed'])).status).toBe(1);
  });
});

describe('--summary', () => {
  const text = 'Patients with renal failure (RF) were given aspirin . RF causes renal failure .';

  test('counts names over documents; with --output the documents are written too', async () => {
    writeFileSync(
      at('s.jsonl'),
      `${JSON.stringify({ id: 'a', text: SAMPLE })}\n${JSON.stringify({ id: 'b', text })}\n`,
    );
    const { status, stdout } = await tag(['--summary', 's.jsonl']);
    expect(status).toBe(0);
    const groups = jsonLines(stdout) as {
      name: string;
      mentions: number;
      documents: number;
      first: { document: string };
    }[];
    const failure = groups.find(({ name }) => name === 'renal failure');
    expect(failure).toMatchObject({ type: 'Disease', documents: 1, first: { document: 'b', start: 14, end: 27 } });
    expect(failure?.mentions).toBeGreaterThanOrEqual(2);
    expect(groups.find(({ name }) => name === 'BRCA1')).toMatchObject({ type: 'Gene', mentions: 1 });
    expect(groups.map(({ mentions }) => mentions)).toEqual([...groups.map(({ mentions }) => mentions)].sort((a, b) => b - a)); // prettier-ignore
    const both = await tag(['--summary', '--output', 's.out.jsonl', 's.jsonl']);
    expect(both.stdout).toBe(stdout);
    expect(jsonLines(content('s.out.jsonl')).map(({ id }) => id)).toEqual(['a', 'b']);
  });

  test('for each document', async () => {
    const { stdout } = await tag(['--summary', '--per-document', 's.jsonl']);
    const groups = jsonLines(stdout);
    expect(new Set(groups.map(({ document }) => document))).toEqual(new Set(['a', 'b']));
    expect(groups.every((group) => !('documents' in group))).toBe(true);
    expect((await tag(['--per-document', 's.jsonl'])).status).toBe(2);
  });
});

describe.skipIf(!hasTerminal)('on a terminal (skipped without the command script)', () => {
  const shownOf = (...args: string[]): string => onTerminal(['tag', '--model', model, ...args], folder);

  test('a bar shows documents, sentences a second and the time left, and goes away', () => {
    const shown = shownOf('--output', 'terminal.jsonl', 'in.jsonl');
    expect(shown).toMatch(/\d+ % {2}\d+ documents {2}\d+\.\d sentences\/s {2}\d+:\d\d left/);
    expect(shown.trimEnd().endsWith('\u001b[K')).toBe(true);
    expect(content('terminal.jsonl') === content('whole.jsonl')).toBe(true);
  });

  test('a summary is a table', () => {
    expect(shownOf('--summary', 's.jsonl')).toMatch(/\u001b\[Kname +type +mentions +documents +first +also\r?\n/);
  });
});
