import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { command } from '../../src/cli/commands/tag.js';
import { formats } from '../../src/corpus/index.js';

const guide = readFileSync(fileURLToPath(new URL('../../docs/tagging.md', import.meta.url)), 'utf8');
const known = new Set(command.options.flatMap(({ long }) => (long == null ? [] : [long])));

test('the guide names options that there are, and all that belong to tagging many documents', () => {
  const named = new Set(guide.replaceAll(/`npm [^`]+`/g, '').match(/--[a-z][a-z-]+/g));
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
