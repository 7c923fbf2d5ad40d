import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { bundledFolder, DEFAULT_MODEL } from '../../src/node.js';
import { main, project, temporaryFolder, type Outcome } from '../cli/support/run.js';
import { run } from '../docs/support/shell.js';

const folder = temporaryFolder();
const clone = join(folder, 'clone');
const calls = join(folder, 'npm-calls');
const ready = process.platform !== 'win32' && existsSync(join(bundledFolder, DEFAULT_MODEL)) && existsSync(main);

/** Seconds since 1970; files of the clone are that old unless a test says otherwise. */
const BEFORE = 1_600_000_000;
const setTime = (name: string, seconds: number): void => utimesSync(join(clone, name), seconds, seconds);

/** `npm start` in the clone, where `npm` itself only notes what it was asked to do and fails. */
async function start(args: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  rmSync(calls, { force: true });
  const path = `${join(folder, 'bin')}${delimiter}${process.env['PATH'] ?? ''}`;
  return run(process.execPath, [join(clone, 'scripts/start.mjs'), ...args], {
    cwd: clone,
    env: { ...process.env, NO_COLOR: '1', PATH: path, ...env },
  });
}
const npmCalls = (): string => (existsSync(calls) ? readFileSync(calls, 'utf8') : '');

describe.skipIf(!ready)('npm start (skipped without sh, the bundled model or a build)', () => {
  beforeAll(() => {
    for (const part of ['package.json', 'package-lock.json', 'scripts', 'src', 'dist', 'examples']) {
      cpSync(join(project, part), join(clone, part), { recursive: true });
    }
    symlinkSync(join(project, 'models'), join(clone, 'models'), 'junction');
    mkdirSync(join(clone, 'node_modules'));
    for (const name of readdirSync(join(project, 'node_modules')).filter((name) => !name.startsWith('.'))) {
      symlinkSync(join(project, 'node_modules', name), join(clone, 'node_modules', name), 'junction');
    }
    for (const built of ['node_modules/.package-lock.json', 'dist/.built']) writeFileSync(join(clone, built), '{}');
    setTime('package-lock.json', BEFORE);
    mkdirSync(join(folder, 'bin'));
    writeFileSync(join(folder, 'bin/npm'), `#!/bin/sh\necho "$*" >> '${calls}'\nexit 1\n`);
    chmodSync(join(folder, 'bin/npm'), 0o755);
  });

  test('tags the examples where all is installed and built, and installs and builds nothing', async () => {
    const { status, stdout, stderr } = await start();
    expect({ status, stderr, npm: npmCalls() }).toEqual({ status: 0, stderr: '', npm: '' });
    const texts = readdirSync(join(project, 'examples')).filter((name) => name.endsWith('.txt'));
    const lines = stdout.split('\n');
    for (const name of texts) expect(lines).toContain(name.replace('.txt', ''));
    const found = lines.flatMap(
      (line) => /^ {2}(Gene|Chemical|Disease) +(\S.*\S) +\d+-\d+ +[01]\.\d\d$/.exec(line) ?? [],
    );
    expect(found.length).toBeGreaterThan(3 * 20);
    expect(found).toContain('prostate cancer');
  });

  test('tags a file that is named from where it was called', async () => {
    const elsewhere = join(folder, 'elsewhere');
    mkdirSync(elsewhere);
    writeFileSync(join(elsewhere, 'note.txt'), 'Patients with asthma were given aspirin.');
    const { status, stdout, stderr } = await start(['note.txt', '--types', 'Disease'], { INIT_CWD: elsewhere });
    expect({ status, stderr, npm: npmCalls() }).toEqual({ status: 0, stderr: '', npm: '' });
    expect(JSON.parse(stdout)).toMatchObject({ id: 'note', entities: [{ type: 'Disease', text: 'asthma' }] });
  });

  test('builds where a source is newer than the build, and ends where that fails', async () => {
    setTime('dist/.built', BEFORE);
    const { status, stderr } = await start();
    writeFileSync(join(clone, 'dist/.built'), '');
    expect({ status, stderr, npm: npmCalls() }).toEqual({
      status: 1,
      stderr: 'Building ...\n',
      npm: 'run --silent build\n',
    });
  });

  test('installs where the lockfile is newer than what is installed, and ends where that fails', async () => {
    setTime('node_modules/.package-lock.json', BEFORE - 1);
    const { status, stderr } = await start();
    writeFileSync(join(clone, 'node_modules/.package-lock.json'), '{}');
    expect({ status, stderr, npm: npmCalls() }).toEqual({
      status: 1,
      stderr: 'Installing packages ...\n',
      npm: 'ci\n',
    });
  });

  test('says what is missing where there is no bundled model', async () => {
    rmSync(join(clone, 'models'), { recursive: true });
    const { status, stdout, stderr } = await start();
    symlinkSync(join(project, 'models'), join(clone, 'models'), 'junction');
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toBe('ebiobert: expected the bundled model in models/gene-chemical-disease, found none\n');
  });
});
