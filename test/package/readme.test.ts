import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { project, temporaryFolder } from '../cli/support/run.js';

const call = promisify(execFile);

const readme = join(project, 'README.md');
const model = join(project, 'models/gene-chemical-disease/config.json');
const folder = temporaryFolder();

/** The programs of a page that begin by importing the Tagger, as written, with the language that their fence names. */
function programs(markdown: string): { language: string; code: string }[] {
  return [...markdown.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)]
    .map(([, language = '', code = '']) => ({ language, code }))
    .filter(({ code }) => code.startsWith("import { Tagger } from 'ebiobert'"));
}

const found = existsSync(readme) ? programs(readFileSync(readme, 'utf8')) : [];

beforeAll(async () => {
  await mkdir(join(folder, 'node_modules'));
  await symlink(project, join(folder, 'node_modules/ebiobert'), 'junction');
}, 60_000);

describe.skipIf(!existsSync(readme))('README.md (skipped without one)', () => {
  test("has a program that begins with import { Tagger } from 'ebiobert'", () => {
    expect(found.map(({ language }) => language)).not.toEqual([]);
    for (const { language } of found) expect(language).toMatch(/^(js|ts|javascript|typescript)$/);
  });
});

describe.skipIf(!existsSync(model))('programs of README.md (skipped without models/gene-chemical-disease)', () => {
  test.each(found.map((program, k) => ({ ...program, number: k + 1 })))(
    'program $number runs as written and prints the entities of its text',
    async ({ language, code, number }) => {
      const file = join(folder, `program-${number}.${/^t/.test(language) ? 'mts' : 'mjs'}`);
      await writeFile(file, code);
      const runner = file.endsWith('.mts') ? [join(project, 'node_modules/tsx/dist/cli.mjs')] : [];
      const { stdout, stderr } = await call(process.execPath, [...runner, file], { cwd: folder });
      expect(stderr).toBe('');
      expect(stdout).toMatch(/\S/);
      const text = /= '([^'\n]{20,})'/.exec(code)?.[1] ?? '';
      for (const [, start, end, mention] of stdout.matchAll(/^\w+ (\d+) (\d+) (.+) [01]\.\d\d$/gm)) {
        expect(text.slice(Number(start), Number(end))).toBe(mention);
      }
    },
  );
});
