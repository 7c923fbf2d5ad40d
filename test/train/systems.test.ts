import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadTagger } from '../../src/node.js';
import { nodeRuntime } from '../../src/runtime/node.js';
import { runTraining, type EpochRecord } from '../../src/train/index.js';
import { MODEL_FILES, readModelFile, readModelFolder, readModelWeights } from '../../src/weights/index.js';
import { FOUND, SAMPLE, writeCorpus, writeEncoder } from '../cli/support/tiny.js';

const folder = mkdtempSync(join(tmpdir(), 'ebiobert-systems-'));
const [corpus, encoder] = [join(folder, 'tiny'), join(folder, 'encoder')];
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});
beforeAll(async () => {
  await writeCorpus(corpus, true);
  await writeEncoder(encoder);
});

async function train(name: string, model: Record<string, unknown>): Promise<{ output: string; score: number | null }> {
  const output = join(folder, name);
  const training = { epochs: 14, batchSentences: 6, encoderRate: 0.01, headRate: 0.02, weightDecay: 0 };
  let last: EpochRecord | undefined;
  const start = model['encoder'] === null ? {} : { encoder };
  await runTraining({ corpora: [corpus], ...start, output, threads: 1, config: { model, training } }, nodeRuntime, {
    onEpoch: (record) => (last = record),
  });
  return { output, score: last?.score ?? null };
}

async function tagged(model: string, float32: boolean): Promise<{ mention: string; score: number }[]> {
  const tagger = await loadTagger(model, { float32, threads: 1 });
  const entities = await tagger.tag(SAMPLE, { discourse: false });
  await tagger.dispose();
  return entities.map(({ type, spans, score = NaN }) => {
    const [start, end] = [spans[0].start, spans.at(-1)?.end ?? 0];
    return { mention: `${type} ${SAMPLE.slice(start, end)}`, score };
  });
}

const sequence = { kind: 'sequence', prefix: 2, featureDropout: 0, lstm: 16 };

/** Words, spelling and a BiLSTM-CRF, without a pretrained encoder (Habibi et al. 2017). */
const bilstmCrf = {
  kind: 'sequence',
  encoder: null,
  words: { embedding: 16, minCount: 1 },
  characters: { embedding: 8, filters: 8 },
  featureDropout: 0,
  lstm: 16,
  crf: true,
};

describe.each<[string, Record<string, unknown>]>([
  ['crf-joint', { ...sequence, crf: true }],
  ['crf-typed', { ...sequence, crf: true, labels: 'typed', scheme: 'BIOES' }],
  ['constrained', { ...sequence, constrained: true, scheme: 'BIOES' }],
  ['bilstm-crf', bilstmCrf],
])('%s', (name, model) => {
  let trained: { output: string; score: number | null };
  beforeAll(async () => {
    trained = await train(name, model);
  });

  test('learns the corpus, scored on devel as it trains', () => {
    expect(trained.score).toBeGreaterThan(0.9);
  });

  test.each([true, false])('tags, sure of what it found (float32: %s)', async (float32) => {
    const found = await tagged(trained.output, float32);
    expect(found.map(({ mention }) => mention).sort()).toEqual([...FOUND].sort());
    for (const { score } of found) {
      expect(score).toBeGreaterThan(0.2);
      expect(score).toBeLessThanOrEqual(1);
    }
  });

  test('its graph holds all that tagging needs', async () => {
    const graph = await readModelFile(await readModelFolder(trained.output), MODEL_FILES.quantized);
    const session = await nodeRuntime.load(graph);
    const needed = ['emissions', 'start_transitions', 'transitions', 'end_transitions'];
    expect(session.outputNames).toEqual(expect.arrayContaining(['probabilities', ...(model['crf'] === true ? needed : [])])); // prettier-ignore
    expect(session.inputNames).not.toEqual(expect.arrayContaining(['crf.transitions']));
    await session.release();
  });
});

describe('settings that the encoder cannot have end before anything is written', () => {
  test.each([
    [{ guidance: { layers: [-3], alpha: 1 } }, 'guidance.layers: expected layers from -2 to 1, found -3'],
    [{ featureLayers: 5 }, "featureLayers: expected at most the encoder's 2 layers, found 5"],
  ])('%j', async (model, message) => {
    await expect(train('never', model)).rejects.toThrow(message);
    expect(existsSync(join(folder, 'never'))).toBe(false);
    expect(existsSync(join(folder, 'never.run'))).toBe(false);
  });
});

describe('word embeddings', () => {
  test('belong to the words of the training sentences, which the model folder keeps', async () => {
    const { output } = await train('vocabulary', { ...bilstmCrf, words: { embedding: 8, minCount: 20 } });
    const { config, tokenizer } = await readModelFolder(output);
    const words = tokenizer.pieces(Array.from({ length: tokenizer.vocabularySize }, (_, id) => id));
    expect(words).toEqual(expect.arrayContaining(['[UNK]', 'patients', 'asthma', '.']));
    expect(config.model).toMatchObject({
      encoder: null,
      words: { embedding: 8, minCount: 20, lowercase: true, vocabulary: words.length },
    });
    const weights = await readModelWeights(output);
    expect(weights.get('words.embedding.weight')).toHaveLength(8 * words.length);
  });

  test('go on from a model with its vocabulary', async () => {
    const [first, output] = [join(folder, 'bilstm-crf'), join(folder, 'further')];
    await runTraining(
      { corpora: [corpus], fromModel: first, output, threads: 1, config: { training: { epochs: 1, headRate: 1e-9 } } },
      nodeRuntime,
    );
    expect((await readModelFolder(output)).config.model).toEqual((await readModelFolder(first)).config.model);
    expect((await tagged(output, true)).map(({ mention }) => mention).sort()).toEqual([...FOUND].sort());
  });

  test.each<[string, Record<string, unknown>, string]>([
    ['settings of an encoder', { ...bilstmCrf, prefix: 2 }, 'prefix: expected 0 without an encoder, found 2'],
    ['a vocabulary of one\'s own', { ...bilstmCrf, words: { vocabulary: 7 } }, 'expected known settings only, found "vocabulary"'], // prettier-ignore
    ['a width the optimiser does not take', { ...bilstmCrf, words: { embedding: 12 } }, 'embedding: '],
  ])('%s are refused', async (_, model, message) => {
    await expect(train('never', model)).rejects.toThrow(message);
    expect(existsSync(join(folder, 'never.run'))).toBe(false);
  });

  test('are not beside an encoder', async () => {
    const options = { corpora: [corpus], encoder, output: join(folder, 'never'), config: { model: { encoder: null } } };
    await expect(runTraining(options, nodeRuntime)).rejects.toThrow('expected no encoder beside "encoder": null');
  });
});
