import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { ebiobert, jsonLines, temporaryFolder, type Outcome } from './support/run.js';
import { FOUND, SAMPLE, writeCorpus, writeEncoder } from './support/tiny.js';

const folder = temporaryFolder();
const [corpus, config, model] = ['tiny', 'config.json', 'model'].map((name) => join(folder, name)) as [string, string, string]; // prettier-ignore
let trained: Outcome;

beforeAll(async () => {
  await writeCorpus(corpus, true);
  const words = { embedding: 16, minCount: 1 };
  const characters = { reader: 'lstm', embedding: 8, filters: 8 };
  const settings = { kind: 'sequence', encoder: null, words, characters, featureDropout: 0, lstm: 16, crf: true };
  const training = { epochs: 14, batchSentences: 6, headRate: 0.02, weightDecay: 0 };
  writeFileSync(config, JSON.stringify({ model: settings, training }));
  trained = await ebiobert(['train', '--corpus', corpus, '--config', config, '--output', model, '--threads', '1']);
}, 600_000);

describe('ebiobert without a pretrained encoder', () => {
  test('trains word embeddings and scores them on devel', () => {
    expect(trained).toMatchObject({ status: 0, stdout: `${model}\n` });
    expect(trained.stderr).toMatch(/^epoch 14 .* devel F1 \d+\.\d\d \(tiny: /m);
  });

  test('tags', async () => {
    const { status, stdout } = await ebiobert(['tag', '--model', model], { input: SAMPLE });
    expect(status).toBe(0);
    const [line] = jsonLines(stdout) as { entities: { type: string; text: string }[] }[];
    const found = line?.entities.map(({ type, text }) => `${type} ${text}`) ?? [];
    expect(found.sort()).toEqual([...FOUND].sort());
  });

  test('evaluates', async () => {
    const { status, stdout } = await ebiobert(['evaluate', join(corpus, 'devel.tsv'), '--model', model, '--json']);
    expect(status).toBe(0);
    const { overall } = JSON.parse(stdout) as { overall: { f1: number } };
    expect(overall.f1).toBeGreaterThan(0.8);
  });

  test('inspects, without attention maps', async () => {
    const { status, stdout } = await ebiobert(['inspect', 'BRCA1 causes asthma .', '--model', model]);
    expect(status).toBe(0);
    const { sentences } = JSON.parse(stdout) as { sentences: { attention: unknown[]; labels: string[][] }[] };
    expect(sentences[0]).toMatchObject({ attention: [], prefix: 0 });
    expect(sentences[0]?.labels[0]).toContain('B-Disease');
  });

  test('takes no --encoder beside', async () => {
    const encoder = await writeEncoder(join(folder, 'encoder'));
    const args = ['--corpus', corpus, '--config', config, '--encoder', encoder, '--output', join(folder, 'never')];
    const { status, stderr } = await ebiobert(['train', ...args]);
    expect(status).toBe(2);
    expect(stderr).toContain('expected no encoder beside "encoder": null');
  });
});
