import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { readModelWeights } from '../../src/weights/index.js';
import { ebiobert, hasTerminal, jsonLines, onTerminal, temporaryFolder, type Outcome } from './support/run.js';
import { iobText, SAMPLE, settings, writeCorpus, writeEncoder } from './support/tiny.js';

const folder = temporaryFolder();
const [corpus, encoder] = [join(folder, 'tiny'), join(folder, 'encoder')];
const config = join(folder, 'config.json');
const model = join(folder, 'model');
let first: Outcome;

const train = (output: string, ...args: string[]): Promise<Outcome> =>
  ebiobert(['train', '--output', join(folder, output), '--threads', '1', ...args]);

beforeAll(async () => {
  await writeCorpus(corpus, true);
  await writeEncoder(encoder);
  const training = { epochs: 4, encoderRate: 0.01, headRate: 0.01 };
  writeFileSync(config, JSON.stringify({ model: settings.sequence, training }));
  first = await train('model', '--corpus', corpus, '--encoder', encoder, '--config', config);
}, 60_000);

const log = (name: string): Record<string, unknown>[] =>
  jsonLines(readFileSync(join(folder, `${name}.run`, 'log.jsonl'), 'utf8'));
const configOf = (name: string) =>
  JSON.parse(readFileSync(join(folder, name, 'config.json'), 'utf8')) as {
    readonly model: Readonly<Record<string, unknown>>;
    readonly training: Readonly<Record<string, unknown>>;
    readonly files: Readonly<Record<string, string>>;
  };

describe('ebiobert train', () => {
  test('prints the folder alone, and its progress as diagnostics', () => {
    expect(first).toMatchObject({ status: 0, stdout: `${model}\n` });
    expect(first.stderr).toMatch(/^tiny: Chemical, Disease, Gene, \d+ sentences/);
    for (const epoch of [1, 2, 3, 4]) {
      const line = `^epoch ${epoch}  loss \\d\\.\\d+ .* devel F1 \\d+\\.\\d\\d \\(tiny: Chemical .*, Disease .*, Gene .*\\)$`;
      expect(first.stderr).toMatch(new RegExp(line, 'm'));
    }
    expect(first.stderr).not.toContain('\u001b');
  });

  test('writes a model folder that tags, with the command in its card', async () => {
    expect(readdirSync(model, { recursive: true }).sort()).toEqual([
      'README.md',
      'config.json',
      'model.safetensors',
      'onnx',
      'onnx/model.onnx',
      'onnx/model_quantized.onnx',
      'tokenizer.json',
    ]);
    expect(readFileSync(join(model, 'README.md'), 'utf8')).toContain(`ebiobert train --output ${model} --threads 1`);
    const { status, stdout } = await ebiobert(['tag', '--model', model], { input: SAMPLE });
    expect(status).toBe(0);
    expect(JSON.stringify(jsonLines(stdout)[0])).toContain('"breast cancer"');
  });

  test('logs the full settings and every epoch', () => {
    const [settings, ...epochs] = log('model');
    expect(settings).toMatchObject({
      model: { kind: 'sequence', types: ['Gene', 'Chemical', 'Disease'], encoder: { hidden_size: 16 } },
      training: { epochs: 4, seed: 0, encoderRate: 0.01, weightDecay: 0.1 },
      corpora: [{ name: 'tiny', splits: ['train'] }],
    });
    expect(epochs.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4]);
    const losses = epochs.map(({ loss }) => Number(loss));
    expect(losses.at(-1)).toBeLessThan((losses[0] ?? 0) / 2);
    const best = Math.max(...epochs.map(({ score }) => Number(score)));
    const kept = epochs.find(({ score }) => score === best)?.['epoch'];
    expect(configOf('model').training).toMatchObject({ epoch: kept, settings: { epochs: 4 } });
  });

  test('goes on from a model, keeping its settings and starting at its weights', async () => {
    const { status } = await train('further', '--corpus', corpus, '--from-model', model, '--epochs', '1');
    expect(status).toBe(0);
    expect(configOf('further').model).toEqual(configOf('model').model);
    const [firstLoss, further] = [log('model')[1]?.['loss'], log('further')[1]?.['loss']].map(Number);
    expect(further).toBeLessThan((firstLoss ?? 0) / 2);
  });

  test('goes on from a model of the other kind with its encoder', async () => {
    const other = join(folder, 'word-pair.json');
    writeFileSync(other, JSON.stringify({ model: { kind: 'word-pair', ...settings['word-pair'] }, training: { epochs: 1, encoderRate: 1e-9 } })); // prettier-ignore
    const { status } = await train('crossed', '--corpus', corpus, '--from-model', model, '--config', other);
    expect(status).toBe(0);
    const [before, after] = await Promise.all([model, join(folder, 'crossed')].map(readModelWeights));
    const name = 'bert.embeddings.word_embeddings.weight';
    const moved = after?.get(name)?.map((x, k) => Math.abs(x - (before?.get(name)?.[k] ?? NaN))) ?? [NaN];
    expect(Math.max(...moved)).toBeLessThan(1e-5);
    expect(configOf('crossed').model).toMatchObject({ kind: 'word-pair', types: ['Gene', 'Chemical', 'Disease'] });
  });

  test('the seed decides the weights, the run does not', async () => {
    const args = ['--corpus', corpus, '--encoder', encoder, '--config', config, '--epochs', '1'];
    const outcomes = [await train('a', ...args), await train('b', ...args), await train('c', ...args, '--seed', '1')];
    expect(outcomes.map(({ status }) => status)).toEqual([0, 0, 0]);
    const digests = ['a', 'b', 'c'].map((name) => configOf(name).files['model.safetensors']);
    expect(digests[1]).toBe(digests[0]);
    expect(digests[2]).not.toBe(digests[0]);
  });

  test('--merge-devel trains on devel too, and selects nothing', async () => {
    const args = ['--corpus', corpus, '--encoder', encoder, '--config', config, '--epochs', '1', '--merge-devel'];
    const { status, stderr } = await train('merged', ...args);
    expect(status).toBe(0);
    expect(stderr).not.toContain('devel F1');
    const [{ sentences }] = configOf('merged').training['corpora'] as [{ sentences: number }];
    const [{ sentences: before }] = configOf('model').training['corpora'] as [{ sentences: number }];
    expect(sentences).toBe(before + 6);
    expect(log('merged')[1]).toMatchObject({ epoch: 1, score: null, devel: {} });
  });

  test('corpora of different types train together; sentences of a test split are left out', async () => {
    const genes = join(folder, 'genes');
    mkdirSync(genes);
    const only = iobText(0, 12).replaceAll(/\t[BI]-(?!Gene).*/g, '\tO');
    writeFileSync(join(genes, 'train.tsv'), only);
    writeFileSync(join(genes, 'test.tsv'), iobText(6, 9).replaceAll(/\t[BI]-(?!Gene).*/g, '\tO'));
    const args = ['--corpus', corpus, genes, '--encoder', encoder, '--config', config, '--epochs', '1'];
    const { status, stderr } = await train('both', ...args);
    expect(status).toBe(0);
    expect(configOf('both').model).toMatchObject({ labels: 'typed' });
    expect(stderr).toMatch(/^genes: Gene, 3 sentences, 9 left out that held-out splits contain$/m);
    expect(stderr).toMatch(/^tiny: Chemical, Disease, Gene, 108 sentences, 18 left out that held-out splits contain$/m);
  });

  test.skipIf(!hasTerminal)('on a terminal a bar covers the whole run (skipped without the command script)', () => {
    const shown = onTerminal(
      ['train', '--output', join(folder, 'shown'), '--corpus', corpus, '--encoder', encoder, '--config', config],
      folder,
    );
    const bars = [
      ...shown.matchAll(/ (\d+) %  epoch (\d) of 4  loss \d+\.\d{4}  \d+\.\d sentences\/s  \d+:\d\d left/g),
    ];
    expect(bars.length).toBeGreaterThan(1);
    for (const [, percent, epoch] of bars) {
      expect(Number(percent)).toBeGreaterThanOrEqual(25 * (Number(epoch) - 1));
      expect(Number(percent)).toBeLessThanOrEqual(25 * Number(epoch));
    }
    expect(bars.at(-1)?.slice(1)).toEqual(['100', '4']);
  });
});
