import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { planTraining } from '../../src/train/run.js';
import { temporaryFolder } from '../cli/support/run.js';
import { writeEncoder } from '../cli/support/tiny.js';

const folder = temporaryFolder();
const encoder = join(folder, 'encoder');
const corpora = ['genes', 'diseases'].map((name) => join(folder, name));

beforeAll(async () => {
  await writeEncoder(encoder);
  for (const [k, corpus] of corpora.entries()) {
    mkdirSync(corpus);
    writeFileSync(join(corpus, 'train.tsv'), ['BRCA1\tB-Gene\n', 'asthma\tB-Disease\n'][k] ?? '');
  }
}, 60_000);

const plan = (config: object) => planTraining({ corpora, encoder, output: join(folder, 'model'), config });

test('corpora that annotate different types have a softmax for each type', async () => {
  expect((await plan({})).model.labels).toBe('typed');
});

test('one softmax cannot say that a type is unknown', async () => {
  await expect(plan({ model: { labels: 'joint' } })).rejects.toThrow(
    'labels: expected "typed" for corpora that annotate different types (or "unannotated": "absent"), found "joint"',
  );
});

test('it can where what a corpus does not annotate counts as absent', async () => {
  const { model, training } = await plan({ model: { labels: 'joint' }, training: { unannotated: 'absent' } });
  expect([model.labels, training.unannotated]).toEqual(['joint', 'absent']);
});
