import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { formats } from '../../src/corpus/registry.js';

const guide = readFileSync(fileURLToPath(new URL('../../docs/formats.md', import.meta.url)), 'utf8');
const sections = new Map(
  guide.split(/^## /m).flatMap((section) => {
    const [title = '', ...rest] = section.split('\n');
    return [...title.matchAll(/`([^`]+)`/g)].map(([, name = '']) => [name, rest.join('\n')] as const);
  }),
);

test('the guide has a section for every format, and for nothing else', () => {
  expect([...sections.keys()].sort()).toEqual([...formats.keys()].sort());
});

test.each([...formats.values()])('the guide says of $name what is kept and lost', ({ name, write }) => {
  const [, row = ''] = /^\| (\[`[^`]+`.*)$/m.exec(guide.split('\n').filter((line) => line.includes(`\`${name}\``) && line.startsWith('| [')).join('\n')) ?? []; // prettier-ignore
  expect(row.split(' | ').slice(2, 4)).toEqual(['yes', write === undefined ? 'no' : 'yes']);
  const section = sections.get(name) ?? '';
  expect(section).toMatch(write === undefined ? /cannot\s+be written/ : /keeps|Keeps/);
});
