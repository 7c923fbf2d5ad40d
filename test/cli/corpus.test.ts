import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { ebiobert, failure, temporaryFolder } from './support/run.js';
import { iobText, writeCorpus } from './support/tiny.js';

const folder = temporaryFolder();
const corpus = join(folder, 'tiny');

beforeAll(async () => {
  await writeCorpus(corpus, true);
  writeFileSync(join(corpus, 'test.tsv'), iobText(0, 9));
});

describe('ebiobert corpus stats', () => {
  test('prints a column for each split and the overlap between them', async () => {
    const { status, stdout } = await ebiobert(['corpus', 'stats', corpus]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^tiny +train +devel +test$/m);
    expect(stdout).toMatch(/^sentences +126 +6 +9$/m);
    expect(stdout).toMatch(/^ {2}Gene +84 +4 +6$/m);
    expect(stdout).toMatch(/^mentions of test in train: 18 of 18 \(100\.0 %\), different ones \d+ of \d+/m);
  });

  test('--json has the same numbers, for files too', async () => {
    const { stdout } = await ebiobert(['corpus', 'stats', corpus, join(corpus, 'test.tsv'), '--json']);
    const [whole, file] = JSON.parse(stdout) as {
      name: string;
      sets: Record<string, { sentences: number; mentions: number }>;
      overlap: Record<string, { share: number }>;
    }[];
    expect(whole?.sets['train']).toMatchObject({ sentences: 126, mentions: 252 });
    expect(Object.keys(whole?.overlap ?? {})).toEqual(['devel in train', 'test in train', 'test in train + devel']);
    expect(file).toMatchObject({ name: 'test.tsv', sets: { all: { sentences: 9, mentions: 18 } }, overlap: {} });
  });

  test('what is not there is one line', async () => {
    expect(await failure(['corpus', 'stats', join(folder, 'none')])).toContain('expected a file or folder');
  });
});
