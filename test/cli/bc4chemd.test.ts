import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { ebiobert, temporaryFolder } from './support/run.js';
import { settings, writeEncoder } from './support/tiny.js';

/**
 * BC4CHEMD in the forms in which it is passed on: CHEMDNER's pairs of files, the two columns of the MTL-Bioinformatics-2016
 * collection, and the columns with bare B and I tags of BioBERT's data.
 */
const splits = { training: 'train', development: 'devel', evaluation: 'test' } as const;

/** Title, abstract, and chemicals as [part, words, class]; of one sentence each. */
const documents: Record<keyof typeof splits, [string, string, ['T' | 'A', string, string][]][]> = {
  training: [
    [
      'Selenium and poly ( vinyl ) acetate .',
      'We gave sodium nitroprusside to rats .',
      [
        ['T', 'Selenium', 'TRIVIAL'],
        ['T', 'poly ( vinyl ) acetate', 'SYSTEMATIC'],
        ['A', 'sodium nitroprusside', 'SYSTEMATIC'],
      ],
    ],
    ['α - Tocopherol in plasma .', 'Nothing else was seen .', [['T', 'α - Tocopherol', 'TRIVIAL']]],
  ],
  development: [['Lithium in mice .', 'No selenium was given .', [['T', 'Lithium', 'TRIVIAL'], ['A', 'selenium', 'TRIVIAL']]]], // prettier-ignore
  evaluation: [['Does lithium help ?', 'It did , but benzene did not .', [['T', 'lithium', 'TRIVIAL'], ['A', 'benzene', 'SYSTEMATIC']]]], // prettier-ignore
};

const root = temporaryFolder();
const [chemdner, typed, bare, encoder] = ['chemdner', 'typed', 'bare', 'encoder'].map((name) => join(root, name)) as [string, string, string, string]; // prettier-ignore

function writePair(split: keyof typeof splits): void {
  const abstracts: string[] = [];
  const annotations: string[] = [];
  for (const [k, [title, abstract, mentions]] of documents[split].entries()) {
    const id = `${Object.keys(splits).indexOf(split) + 1}000000${k}`;
    abstracts.push(`${id}\t${title}\t${abstract}\n`);
    for (const [part, words, kind] of mentions) {
      const start = (part === 'T' ? title : abstract).indexOf(words);
      annotations.push(`${id}\t${part}\t${start}\t${start + words.length}\t${words}\t${kind}\n`);
    }
  }
  writeFileSync(join(chemdner, `${split}.abstracts.txt`), abstracts.join(''));
  writeFileSync(join(chemdner, `${split}.annotations.txt`), annotations.join(''));
}

function columns(split: keyof typeof splits, type: string): string {
  const sentences = documents[split].flatMap(([title, abstract, mentions]) =>
    (['T', 'A'] as const).map((part) => {
      const words = (part === 'T' ? title : abstract).split(' ');
      const tags = words.map(() => 'O');
      for (const [, mention] of mentions.filter(([at]) => at === part)) {
        const length = mention.split(' ').length;
        const from = words.findIndex((_, k) => words.slice(k, k + length).join(' ') === mention);
        for (let k = 0; k < length; k++) tags[from + k] = `${k === 0 ? 'B' : 'I'}${type}`;
      }
      return `${words.map((word, k) => `${word}\t${tags[k]}\n`).join('')}\n`;
    }),
  );
  return sentences.join('');
}

beforeAll(async () => {
  for (const folder of [chemdner, typed, bare]) mkdirSync(folder);
  for (const [name, split] of Object.entries(splits) as [keyof typeof splits, string][]) {
    writePair(name);
    writeFileSync(join(typed, `${split}.tsv`), columns(name, '-Chemical'));
    writeFileSync(join(bare, `${split}.tsv`), columns(name, ''));
  }
  await writeEncoder(encoder);
});

interface Report {
  readonly sets: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly overlap: Readonly<Record<string, { readonly known: number; readonly knownUnique: number }>>;
}

async function report(folder: string, ...args: string[]): Promise<Report> {
  const { status, stdout } = await ebiobert(['corpus', 'stats', folder, '--json', ...args]);
  expect(status).toBe(0);
  return (JSON.parse(stdout) as [Report])[0];
}

const MAP = ['--map', 'Entity=Chemical'];
const forms = [
  ['the pairs of CHEMDNER', chemdner, []],
  ['typed columns', typed, []],
  ['bare columns', bare, MAP],
] as const;

describe.each(forms)('BC4CHEMD as %s', (_, folder, map) => {
  test('is counted as Table 1 counts', async () => {
    const { sets, overlap } = await report(folder, ...map);
    expect(Object.keys(sets)).toEqual(['train', 'devel', 'test']);
    expect(sets['train']).toMatchObject({
      sentences: 4,
      words: 8 + 7 + 6 + 5,
      sentencesWithMentions: 3,
      mentions: 4,
      unique: 4,
      types: { Chemical: { mentions: 4, unique: 4 } },
      sentenceWords: { mean: 26 / 4, median: 6.5, max: 8 },
      mentionWords: { mean: (1 + 5 + 2 + 3) / 4, median: 2.5, max: 5 },
      single: 1,
      nested: 0,
      discontinuous: 0,
    });
    expect(sets['devel']).toMatchObject({ sentences: 2, mentions: 2 });
    expect(sets['test']).toMatchObject({ sentences: 2, mentions: 2, unique: 2 });
    expect(overlap).toMatchObject({
      'devel in train': { known: 1 },
      'test in train': { known: 0 },
      'test in train + devel': { known: 1, knownUnique: 1 },
    });
  });

  test('with --merge-devel, train and devel are counted together', async () => {
    const { sets, overlap } = await report(folder, ...map, '--merge-devel');
    expect(Object.keys(sets)).toEqual(['train + devel', 'test']);
    expect(sets['train + devel']).toMatchObject({ sentences: 6, mentions: 6, unique: 5 });
    expect(Object.entries(overlap)).toEqual([['test in train + devel', expect.objectContaining({ known: 1, mentions: 2 })]]); // prettier-ignore
  });

  test('is trained on, train and devel merged, test left out', async () => {
    const output = join(folder, '..', `${folder}-model`);
    const config = join(root, 'config.json');
    writeFileSync(config, JSON.stringify({ model: settings.sequence, training: { epochs: 1, batchSentences: 4 } }));
    const args = ['--corpus', folder, ...map, '--encoder', encoder, '--config', config, '--threads', '1'];
    const { status, stderr } = await ebiobert(['train', ...args, '--merge-devel', '--output', output]);
    expect(status).toBe(0);
    expect(stderr).toMatch(/^\S+: Chemical, 6 sentences$/m);
    const { model, training } = JSON.parse(readFileSync(join(output, 'config.json'), 'utf8')) as Record<string, object>;
    expect(model).toMatchObject({ types: ['Chemical'] });
    expect(training).toMatchObject({ mergeDevel: true, encoder, corpora: [{ splits: ['train', 'devel'], sentences: 6 }] }); // prettier-ignore
  });
});

test('a mapping that is none is wrong usage, found before anything else', async () => {
  const { status, stderr } = await ebiobert([
    'train',
    '--corpus',
    'none',
    '--output',
    join(root, 'x'),
    '--map',
    'Entity',
  ]);
  expect({ status, stderr }).toEqual({ status: 2, stderr: 'ebiobert: expected a mapping like GENE=Gene, found Entity\n' }); // prettier-ignore
});
