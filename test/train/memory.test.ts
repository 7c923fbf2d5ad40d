import { expect, test } from 'vitest';
import { nodeRuntime } from '../../src/runtime/node.js';
import { WordPieceTokenizer } from '../../src/text/index.js';
import { trainingConfigSchema } from '../../src/train/config.js';
import type { LabelledSentence } from '../../src/train/index.js';
import { Trainer } from '../../src/train/trainer.js';
import { tinyWordPair, VOCABULARY } from '../model/support/tiny.js';
import { memory } from '../runtime/support/memory.js';

const [WARM_UP, UPDATES] = [200, 1000];

const pieces = ['[PAD]', '[CLS]', '[SEP]', '[UNK]', '[MASK]', 'a', 'b', 'c', 'd', '##a', '##b', '##c'];
const tokenizer = WordPieceTokenizer.fromVocabulary(`${pieces.join('\n')}\n`, { lowercase: true });

/** Sentences of 1 to 9 words, so that batches differ in every size; each marks words after which a type is named. */
const sentences = Array.from({ length: 64 }, (_, k): LabelledSentence => {
  const words = Array.from({ length: 1 + (k % 9) }, (_, n) => ['a', 'b', 'ca', 'dbc'][(k + n * n) % 4] ?? 'a');
  const entities = words.flatMap((word, n) => (word === 'a' || word === 'b' ? [{ type: word === 'a' ? 0 : 1, words: [n] }] : [])); // prettier-ignore
  return { words, entities, annotated: [0, 1] };
});

/** The whole tiny model, its grid wide enough (92,000 parameters) that a copy kept of them would be seen. */
const model = tinyWordPair({ lstm: 128, channels: 64, mlp: 128 });

test('updates of a word-pair model do not grow memory, and write where they wrote before', async () => {
  expect(tokenizer.vocabularySize).toBe(VOCABULARY);
  const training = trainingConfigSchema.parse({
    epochs: 100,
    batchSentences: 4,
    average: { kind: 'moving', decay: 0.9, every: 2 },
  });
  const trainer = await Trainer.create({
    model,
    training,
    vocabulary: { tokenizer },
    sentences,
    pretrained: new Map(),
    runtime: nodeRuntime,
    threads: 1,
  });
  const { store } = trainer;
  const copy = (store.parameterCount * Float32Array.BYTES_PER_ELEMENT) / 2 ** 20;
  /** MiB: a sixteenth of what one copy of the parameters kept from each update would take. */
  const allowance = (copy * UPDATES) / 16;
  const regions = ['values', 'gradients', 'firstMoments', 'secondMoments', 'average'] as const;
  const views = () => regions.flatMap((region) => store.specs.map(({ name }) => store.view(region, name)));
  const batches = trainer.batches(0);
  const update = async (count: number): Promise<number> => {
    let loss = NaN;
    for (let k = 0; k < count; k++) {
      const batch = batches[k % batches.length] ?? new Int32Array();
      ({ total: loss } = (await trainer.update([batch])).losses);
    }
    return loss;
  };

  const viewsBefore = views();
  const first = await update(1);
  await update(WARM_UP);
  const valuesBefore = store.region('values').slice();
  const before = await memory();
  const last = await update(UPDATES);
  const after = await memory();
  expect(after.resident - before.resident).toBeLessThan(allowance);
  expect(after.external - before.external).toBeLessThan(1);
  expect(after.arrays - before.arrays).toBeLessThan(1);
  expect(after.heap - before.heap).toBeLessThan(1);

  // The same views of the same memory, which has not been moved: a buffer that grew is left with no bytes.
  const viewsAfter = views();
  expect(viewsAfter.every((view, k) => view === viewsBefore[k] && view.length > 0)).toBe(true);
  expect(new Set(viewsAfter.map(({ buffer }) => buffer)).size).toBe(1);
  expect(store.region('values').some((value, k) => value !== valuesBefore[k])).toBe(true);
  expect(last).toBeLessThan(first);
  await trainer.release();
});
