import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { bundledFolder, DEFAULT_MODEL } from '../../src/node.js';
import { jsonLines, project, temporaryFolder } from '../cli/support/run.js';
import { writeReadersFolder } from './support/folder.js';
import { blocks } from './support/pages.js';
import { run } from './support/shell.js';

/** Programs that belong to a web page: what they need is not in Node. */
const inBrowser = /from 'ebiobert\/web'/;

const example = /^ \* ```js\n([\s\S]*?)^ \* ```$/m.exec(readFileSync(join(project, 'src/index.ts'), 'utf8'))?.[1] ?? '';
const programs = [
  ...blocks('js', 'ts', 'mjs', 'mts', 'javascript', 'typescript').filter(({ code }) => !inBrowser.test(code)),
  { place: 'src/index.ts', page: 'src/index.ts', language: 'js', code: example.replaceAll(/^ \* ?/gm, '') },
];
const folder = temporaryFolder();
const hasModel = existsSync(join(bundledFolder, DEFAULT_MODEL));

/** Runs programs one after the other in one process, each from its own file, and prints what each printed. */
const runner = `
import { pathToFileURL } from 'node:url';
let printed = '';
const write = process.stdout.write;
process.stdout.write = (text) => { printed += text; return true; };
const done = (place, error) => {
  write.call(process.stdout, JSON.stringify({ place, printed, error }) + '\\n');
  printed = '';
};
for (const [place, file] of JSON.parse(process.argv[2])) {
  await import(pathToFileURL(file)).then(() => done(place), (error) => done(place, String(error?.stack ?? error)));
}
`;

describe.skipIf(!hasModel)('the programs of the pages (skipped without the bundled model)', () => {
  const outputs = new Map<string, string>();

  beforeAll(async () => {
    await writeReadersFolder(folder);
    for (const old of ['my-model', 'my-model.run']) rmSync(join(folder, old), { recursive: true });
    mkdirSync(join(folder, 'programs'));
    const files = programs.map(({ place, language, code }): [string, string] => {
      const file = join(
        folder,
        'programs',
        `${place.replaceAll(/\W/g, '-')}.${language.includes('t') ? 'mts' : 'mjs'}`,
      );
      writeFileSync(file, code);
      return [place, file];
    });
    writeFileSync(join(folder, 'run.mjs'), runner);
    const tsx = pathToFileURL(join(project, 'node_modules/tsx/dist/esm/index.mjs')).href;
    const { status, stdout, stderr } = await run(
      process.execPath,
      ['--import', tsx, 'run.mjs', JSON.stringify(files)],
      { cwd: folder },
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    for (const { place, printed, error } of jsonLines(stdout)) {
      expect({ place, error }).toEqual({ place, error: undefined });
      outputs.set(String(place), String(printed));
    }
  }, 600_000);

  test.each(programs)('$place runs as it stands', ({ place, code }) => {
    const printed = outputs.get(place);
    if (/console\.log|stdout/.test(code)) expect(printed).toMatch(/\S/);
    else expect(printed).toBe('');
    const text = /= '([^'\n]{20,})'/.exec(code)?.[1] ?? '';
    for (const [, start, end, mention] of printed?.matchAll(/^\w+ (\d+) (\d+) (.+) [01]\.\d\d$/gm) ?? []) {
      expect(text.slice(Number(start), Number(end))).toBe(mention);
    }
  });

  const printedBy = (page: string): string[] =>
    [...outputs].flatMap(([place, printed]) => (place.startsWith(`${page}:`) ? printed.trim().split('\n') : []));

  test('print what their pages say', () => {
    expect(printedBy('README.md')).toEqual(
      expect.arrayContaining([expect.stringMatching(/^\w+ 0 9 Cisplatin [01]\./)]),
    );
    const tagging = printedBy('docs/tagging.md');
    expect(tagging).toContain('CHF = Congestive heart failure');
    expect(tagging.filter((line) => / (?:Gene|Chemical|Disease) \d+$/.test(line))).toHaveLength(5);
    expect(printedBy('docs/inspect.md').join('\n')).toMatch(/^THW-\w+ /m);
    for (const line of printedBy('docs/formats.md')) expect(JSON.parse(line)).toHaveProperty('entities.0.start');
    expect(printedBy('docs/training.md').join('\n')).toMatch(/^1 [\d.]+\n2 [\d.]+\n3 /);
  });
});
