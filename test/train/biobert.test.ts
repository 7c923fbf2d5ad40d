import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compareExport, openEncoder } from '../../bench/checkpoint-path.js';
import { loadTagger } from '../../src/node.js';
import { nodeRuntime } from '../../src/runtime/node.js';
import { runTraining, type StepLosses } from '../../src/train/index.js';
import { readStart } from '../../src/train/start.js';
import { MODEL_FILES, readModelConfig, readModelFolder } from '../../src/weights/index.js';
import { FOUND, SAMPLE, settings, writeCorpus } from '../cli/support/tiny.js';

/**
 * What `python scripts/biobert-checkpoints.py test/golden/data/biobert --small` wrote: one cased BERT in the forms in
 * which BioBERT and its like are published, and what transformers makes of a sentence.
 */
const GOLDEN = fileURLToPath(new URL('../golden/data/biobert/', import.meta.url));
const forms = ['pytorch', 'legacy', 'safetensors'] as const;
type Form = (typeof forms)[number];

const expected = JSON.parse(readFileSync(join(GOLDEN, 'expected.json'), 'utf8')) as {
  readonly words: readonly string[];
  readonly pieces: readonly string[];
  readonly ids: readonly number[];
  readonly hidden: readonly (readonly number[])[];
};

const folder = mkdtempSync(join(tmpdir(), 'ebiobert-forms-'));
const corpus = join(folder, 'tiny');
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

interface Trained {
  readonly output: string;
  readonly steps: StepLosses[];
  readonly unused: readonly string[];
}

async function train(form: Form, epochs: number): Promise<Trained> {
  const output = join(folder, `${form}-${epochs}`);
  const steps: StepLosses[] = [];
  const unused: string[] = [];
  const training = { epochs, batchSentences: 6, encoderRate: 0.01, headRate: 0.02, weightDecay: 0 };
  await runTraining(
    {
      corpora: [corpus],
      encoder: join(GOLDEN, form),
      output,
      threads: 1,
      config: { model: settings['word-pair'], training },
    },
    nodeRuntime,
    {
      onStart: (info) => void unused.push(...info.unused),
      onStep: ({ losses }) => void steps.push(losses),
    },
  );
  return { output, steps, unused };
}

describe.each(forms)('BioBERT in the form of %s', (form) => {
  test('gives the pieces and the hidden states of transformers', async () => {
    const opened = await openEncoder(join(GOLDEN, form), expected.words);
    expect(opened.ids).toEqual(expected.ids);
    expect(opened.pieces).toEqual(expected.pieces);
    expect(opened.hidden).toHaveLength(expected.hidden.length);
    const off = opened.hidden.flatMap((row, k) => row.map((x, c) => Math.abs(x - (expected.hidden[k]?.[c] ?? NaN))));
    expect(Math.max(...off)).toBeLessThan(5e-6);
  });
});

describe('training from each form', () => {
  const trained = new Map<Form, Trained>();
  beforeAll(async () => {
    await writeCorpus(corpus, false);
    for (const form of forms) trained.set(form, await train(form, 1));
  });

  test('starts and goes on with the same losses, and ends with the same bits', async () => {
    const [first, ...others] = [...trained.values()];
    expect(first?.steps.length).toBeGreaterThan(10);
    expect(others.map(({ steps }) => steps)).toEqual([first?.steps, first?.steps]);
    const configs = await Promise.all([...trained.values()].map(({ output }) => readModelConfig(output)));
    const digests = configs.map(({ files }) => [files[MODEL_FILES.weights], files[MODEL_FILES.tokenizer]]);
    expect(digests[0]?.[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(digests).toEqual([digests[0], digests[0], digests[0]]);
  });

  test('names the heads that it left aside, and nothing of the encoder', () => {
    for (const { unused } of trained.values()) {
      expect(unused).toEqual(expect.arrayContaining(['bert.pooler.dense.weight', 'cls.seq_relationship.bias']));
      expect(unused.filter((name) => !/^(cls|bert\.pooler)\./.test(name))).toEqual([]);
    }
  });

  test.each(forms)('%s: the exported float32 graph gives what the trained weights give', async (form) => {
    const words = SAMPLE.split(' ');
    const { values, largest } = await compareExport(trained.get(form)?.output ?? '', [{ words }, { words: ['BRCA1'] }]);
    expect(values).toBe(2 * words.length ** 2 * 5);
    expect(largest).toBeLessThan(1e-6);
  });

  test('the model folder keeps the case, and tags', async () => {
    const { tokenizer } = await readModelFolder(trained.get('pytorch')?.output ?? '');
    expect(tokenizer.encodeWord('BRCA1')).not.toEqual(tokenizer.encodeWord('brca1'));
    const { output } = await train('pytorch', 24);
    const tagger = await loadTagger(output, { threads: 1 });
    const entities = await tagger.tag(SAMPLE, { discourse: false });
    await tagger.dispose();
    const found = entities.map(({ type, spans }) => `${type} ${SAMPLE.slice(spans[0].start, spans.at(-1)?.end)}`);
    expect(found.sort()).toEqual([...FOUND].sort());
  });
});

describe('the case of a vocab.txt that comes without do_lower_case', () => {
  const pieces = async (name: string, change: (vocabulary: string) => string): Promise<string[]> => {
    const copy = join(folder, name);
    mkdirSync(join(copy, '..'), { recursive: true });
    cpSync(join(GOLDEN, 'pytorch'), copy, { recursive: true });
    writeFileSync(join(copy, 'vocab.txt'), change(readFileSync(join(copy, 'vocab.txt'), 'utf8')));
    const { tokenizer } = await readStart({ corpora: [], output: '', encoder: copy });
    return tokenizer.pieces(tokenizer.encodeWords(['TP53']).ids);
  };

  test.each(['model', 'uncased-runs/model', 'bert-base-uncased'])(
    'is that of its pieces, whatever the folder %s says',
    async (name) => {
      // prettier-ignore
      expect(await pieces(`cased/${name}`, (text) => text)).toEqual(['T', '##P', '##5', '##3']);
      const lower = (text: string): string =>
        text.replace(/^(?:##)?[A-Z]$/gm, (piece) => `[was ${piece.toLowerCase()}${piece.length}]`);
      expect(await pieces(`lower/${name}-cased`, lower)).toEqual(['t', '##p', '##5', '##3']);
    },
  );
});
