import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { command } from '../../src/cli/commands/tag.js';
import { formats } from '../../src/corpus/index.js';
import { bundledFolder, DEFAULT_MODEL } from '../../src/node.js';
import { project, temporaryFolder } from './support/run.js';

const guide = readFileSync(fileURLToPath(new URL('../../docs/tagging.md', import.meta.url)), 'utf8');
const known = new Set(command.options.flatMap(({ long }) => (long == null ? [] : [long])));

test('the guide names options that there are, and all that belong to tagging many documents', () => {
  const named = new Set(guide.match(/--[a-z][a-z-]+/g));
  expect([...named].filter((option) => !known.has(option))).toEqual([]);
  for (const option of ['--workers', '--resume', '--keep-going', '--summary', '--per-document', '--text-column']) {
    expect(named).toContain(option);
  }
});

test('the guide names formats that can be read and written', () => {
  const to = [...guide.matchAll(/--to ([a-z-]+)/g)].map(([, name = '']) => name);
  const from = [...guide.matchAll(/--from ([a-z-]+)/g)].map(([, name = '']) => name);
  expect(to.length).toBeGreaterThan(4);
  for (const name of to) expect(formats.get(name)?.write).toBeDefined();
  for (const name of from) expect(formats.get(name)?.read).toBeDefined();
});

const folder = temporaryFolder();
const hasModel = existsSync(join(bundledFolder, DEFAULT_MODEL));

test.skipIf(!hasModel)('the program of the guide runs as written (skipped without the bundled model)', () => {
  const [, program = ''] = /^```js\n([^]*?)^```$/m.exec(guide) ?? [];
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(project, join(folder, 'node_modules/ebiobert'), 'junction');
  symlinkSync(join(project, 'examples'), join(folder, 'examples'), 'junction');
  writeFileSync(join(folder, 'program.mjs'), program);
  const printed = execFileSync(process.execPath, ['program.mjs'], { cwd: folder, encoding: 'utf8' }).trim().split('\n');
  expect(printed.at(-1)).toBe('CHF = Congestive heart failure');
  expect(printed.slice(0, -1)).toHaveLength(5);
  for (const line of printed.slice(0, -1)) expect(line).toMatch(/ (?:Gene|Chemical|Disease) \d+$/);
});
