import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ebiobert, failure as failed, main, start, temporaryFolder } from './support/run.js';
import { SAMPLE, writeModel } from './support/tiny.js';

const folder = temporaryFolder();
const failure = (args: readonly string[], input = ''): Promise<string> => failed(args, { cwd: folder, input });

const model = join(folder, 'model');
beforeAll(() => writeModel('sequence', model), 60_000);

const bytes = (...parts: (string | number)[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from([part]))));

const title = '1|t|p53 and 😀 asthma\n1|a|\n';

/** A file, what it holds, and what is said of it. */
const inputs: [file: string, content: string | Uint8Array | undefined, message: string][] = [
  ['absent.txt', undefined, 'absent.txt: expected a readable file, found nothing of that name'],
  ['binary', bytes('\u007fELF', 2, 1, 0, 0), 'binary: expected UTF-8 text, found a binary file'],
  ['utf16.txt', bytes(0xff, 0xfe, 'a', 0, 'b', 0), 'utf16.txt: expected UTF-8 text, found UTF-16'],
  ['latin1.txt', bytes('fine\nM', 0xe9, 'ni', 0xe8, 're\n'), 'latin1.txt:2: expected UTF-8, found bytes that are not'],
  ['cut.gz', gzipSync('Lithium '.repeat(999)).subarray(0, 30), 'cut.gz: expected whole gzip data, found'],
  [
    'inside.tsv',
    'a\tO\nb\tI-Gene\n',
    'inside.tsv:2: expected B-Gene or O, found I-Gene after no mention (--repair-tags takes it as a beginning)',
  ],
  [
    'other.tsv',
    'a\tB-Gene\nb\tI-Disease\n',
    'other.tsv:2: expected B-Disease or O, found I-Disease after a mention of Gene',
  ],
  ['past.txt', `${title}1\t14\t99\tasthma\tDisease\n`, 'past.txt:3: expected the mention "asthma" at 14-99, found'],
  ['else.txt', `${title}1\t0\t3\tp54\tGene\n`, 'else.txt:3: expected the mention "p54" at 0-3, found "p53"'],
  ['units.txt', `${title}1\t11\t17\tasthma\tDisease\n`, 'units.txt:3: expected the mention "asthma" at 11-17, found'],
  ['short.txt', `${title}1\t0\t3\n`, 'short.txt:3: expected id, start, end, mention and type, found 3 fields'],
  ['order.txt', `${title}1\t3\t0\tp53\tGene\n`, 'order.txt:3: expected'],
  ['cut.jsonl', '{"text":"a"}\n{"text":', 'cut.jsonl:2: expected a JSON object, found'],
  [
    'kind.jsonl',
    '{"text":"a","entities":[{"type":7}]}\n',
    'kind.jsonl:1: expected a string "type" of an entity, found',
  ],
  ['score.jsonl', '{"text":"a","entities":[{"type":"X","start":0,"end":1,"score":2}]}\n', 'score.jsonl:1: expected a "score" between 0 and 1'], // prettier-ignore
];

describe('an input at fault is named with its line', () => {
  beforeAll(() => {
    for (const [file, content] of inputs) if (content !== undefined) writeFileSync(join(folder, file), content);
  });

  test.each(inputs)('%s', async (file, _, message) => {
    const output = join(folder, 'kept.out');
    writeFileSync(output, 'precious');
    const said = await failure(['convert', '--to', 'pubtator', '--output', output, file]);
    expect(said.slice(0, message.length)).toBe(message);
    expect(readFileSync(output, 'utf8')).toBe('precious');
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  test.concurrent.each(inputs)('%s, by tag and by evaluate', async (file, _, message) => {
    const output = `${file}.tagged`;
    expect(await failure(['tag', '--model', model, '--output', output, file])).toContain(message);
    expect(readdirSync(folder)).not.toContain(output);
    expect(await failure(['evaluate', '--model', model, file])).toContain(message);
  });

  test('a file of predictions or of names that is not there', async () => {
    writeFileSync(join(folder, 'gold.txt'), `${title}1\t0\t3\tp53\tGene\n`);
    const absent = 'no.txt: expected a readable file, found nothing of that name';
    expect(await failure(['evaluate', 'gold.txt', '--predictions', 'no.txt'])).toContain(absent);
    expect(await failure(['evaluate', 'gold.txt', '--model', model, '--lexicon', 'no.txt'])).toContain(absent);
    expect(await failure(['tag', 'gold.txt', '--model', model, '--lexicon', 'no.txt'])).toContain(absent);
  });

  test('standard input has a name and lines too', async () => {
    const args = ['convert', '--from', 'iob', '--to', 'jsonl', '--output', 'x'];
    expect(await failure(args, 'a\tO\nb\n')).toBe(
      '<stdin>:2: expected a word and a tag in two to four columns, found "b"',
    );
  });

  test('a brat mention past its text, a mention file without its text, a folder without files', async () => {
    mkdirSync(join(folder, 'brat'));
    writeFileSync(join(folder, 'brat/a.txt'), 'p53');
    writeFileSync(join(folder, 'brat/a.ann'), 'T1\tGene 0 3\tp53\nT2\tGene 0 9\tp53\n');
    const args = ['convert', '--to', 'pubtator', '--output', 'y'];
    expect(await failure([...args, 'brat'])).toMatch(/^brat\/a\.ann:2: expected the mention "p53" at 0-9, found/);
    writeFileSync(join(folder, 'alone.ann'), '');
    expect(await failure([...args, 'alone.ann'])).toMatch(/^alone\.ann: expected a \.txt file beside the \.ann/);
    mkdirSync(join(folder, 'empty'));
    expect(await failure([...args, 'empty'])).toBe('empty: expected files in the folder, found none');
  });
});

describe('an output that cannot be written is named and left as it was', () => {
  const input = join(folder, 'in.txt');
  const [readOnly, occupied] = [join(folder, 'read-only.json'), join(folder, 'occupied')];
  beforeAll(() => {
    writeFileSync(input, SAMPLE);
    writeFileSync(readOnly, 'precious');
    chmodSync(readOnly, 0o444);
    mkdirSync(occupied);
    writeFileSync(join(occupied, 'precious.txt'), 'precious');
  });

  const commands: [string, (output: string) => string[]][] = [
    ['convert', (output) => ['convert', '--from', 'text', '--to', 'jsonl', input, '--output', output]],
    ['tag', (output) => ['tag', '--model', model, input, '--output', output]],
    ['inspect', (output) => ['inspect', 'BRCA1', '--model', model, '--output', output]],
  ];
  test.each(commands)('%s', async (_, args) => {
    expect(await failure(args(readOnly))).toMatch(
      /read-only\.json: expected a file that may be written, found a read-only/,
    );
    expect(await failure(args(occupied))).toMatch(/occupied: expected a file to write, found a folder/);
    expect(await failure(args('absent/out'))).toMatch(
      /^absent\/out: expected a folder to write the file in, found none/,
    );
    expect(readFileSync(readOnly, 'utf8')).toBe('precious');
    expect(readdirSync(occupied)).toEqual(['precious.txt']);
  });

  test.skipIf(process.platform !== 'linux')('a full disk', async () => {
    expect(await failure(['convert', '--from', 'text', '--to', 'jsonl', input, '--output', '/dev/full'])).toMatch(
      /^\/dev\/full: expected to write the file, found a full disk/,
    );
  });
});

describe('the journal of a run that tags', () => {
  const input = join(folder, 'journal.txt');
  const [output, journal] = ['journalled.jsonl', join(folder, 'journalled.jsonl.tagging')];
  beforeAll(() => {
    writeFileSync(input, SAMPLE);
  });
  afterEach(() => {
    rmSync(journal, { recursive: true, force: true });
  });
  const tag = (...args: string[]): string[] => ['tag', '--model', model, ...args];

  test.skipIf(process.platform !== 'linux')('names the output where none can be written', async () => {
    for (const workers of ['1', '2']) {
      expect(await failure(tag(input, '--workers', workers, '--output', '/proc/x.jsonl'))).toBe(
        '/proc/x.jsonl: cannot write: no such file or folder (ENOENT)',
      );
    }
  });

  test.skipIf(process.platform === 'win32')('names the output where there is no more place', async () => {
    const many = join(folder, 'place.txt');
    writeFileSync(many, `${SAMPLE}\n`.repeat(1000));
    const command = [process.execPath, main, ...tag('--from', 'lines', many, '--output', output)];
    const child = spawn('sh', ['-c', 'ulimit -f 20; exec "$0" "$@"', ...command], { cwd: folder });
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(1);
    expect(errors).toBe(`ebiobert: ${output}: cannot write: the file would be larger than allowed (EFBIG)\n`);
    expect(readdirSync(folder).filter((name) => name.startsWith(output) && name !== `${output}.tagging`)).toEqual([]);
  });

  test.each([[[]], [['--resume']], [['--workers', '2']]])('is no other file of its name: %j', async (args) => {
    writeFileSync(journal, 'precious');
    expect(await failure(tag(input, '--output', output, ...args))).toBe(
      `${output}.tagging: expected the journal of an earlier run or nothing, found another file`,
    );
    expect(readFileSync(journal, 'utf8')).toBe('precious');
    expect(readdirSync(folder)).not.toContain(output);
  });

  test('is no folder of its name, and one that was cut off gives way', async () => {
    mkdirSync(journal);
    expect(await failure(tag(input, '--output', output))).toBe(
      `${output}.tagging: expected the journal of an earlier run or nothing, found a folder`,
    );
    rmSync(journal, { recursive: true });
    for (const beginning of ['', '{"jour', '{"journal":1,"version":"0']) {
      writeFileSync(journal, beginning);
      const done = await ebiobert(tag(input, '--resume', '--output', output), { cwd: folder });
      expect(done).toEqual({ status: 0, stdout: '', stderr: '' });
      expect(readdirSync(folder)).not.toContain(`${output}.tagging`);
    }
  });
});

describe('output that nobody reads, or that nothing can take', () => {
  const many = join(folder, 'many.txt');
  beforeAll(() => {
    writeFileSync(many, `${SAMPLE}\n`.repeat(6000));
  });
  const tag = ['tag', '--model', model, '--from', 'lines'];

  test.each(['1', '2'])('tag --workers %s | head ends quietly', async (workers) => {
    const child = start([...tag, '--workers', workers, many]);
    let errors = '';
    child.stderr?.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    child.stdout?.once('data', () => child.stdout?.destroy());
    const ended = await new Promise((resolve) =>
      child.on('close', (status, signal) => {
        resolve({ status, signal });
      }),
    );
    expect({ ended, errors }).toEqual({ ended: { status: 0, signal: null }, errors: '' });
  });

  test('tag | head ends although standard input goes on', async () => {
    const child = start([...tag, '--workers', '2']);
    child.stdin?.on('error', () => undefined).write(`${SAMPLE}\n`.repeat(6000));
    child.stdout?.once('data', () => child.stdout?.destroy());
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(0);
  });

  test.skipIf(process.platform !== 'linux')('a full disk is named', async () => {
    const child = spawn('sh', ['-c', '"$0" "$@" > /dev/full', process.execPath, main, ...tag, '--workers', '2', many]);
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(1);
    expect(errors).toMatch(/^ebiobert: <stdout>: cannot write: no space left on the disk \(ENOSPC\)\n$/);
  });
});
