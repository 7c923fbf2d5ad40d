import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildModel, type ModelConfig } from '../../src/model/index.js';
import { WordPieceTokenizer } from '../../src/text/index.js';
import {
  averageModels,
  MODEL_FILES,
  readModelConfig,
  readModelFolder,
  readModelGraph,
  readModelWeights,
  writeModelFolder,
} from '../../src/weights/index.js';
import { tinySequence, tinyWordPair } from '../model/support/tiny.js';

const scratch = mkdtempSync(join(tmpdir(), 'ebiobert-model-average-'));
afterAll(() => {
  rmSync(scratch, { recursive: true, force: true });
});

const pieces = ['[PAD]', '[CLS]', '[SEP]', '[UNK]', '[MASK]', 'p53', 'a', 'b', 'c', 'd', 'e', 'f'];

async function write(
  name: string,
  value: number,
  model: ModelConfig = tinyWordPair(),
  lowercase = true,
): Promise<string> {
  const folder = join(scratch, name);
  const { parameters } = buildModel(model, false).scope;
  const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
  await writeModelFolder(folder, {
    model,
    flat: true,
    tokenizer: WordPieceTokenizer.fromVocabulary(`${pieces.join('\n')}\n`, { lowercase }),
    training: { command: `train ${name}` },
    weights: new Map(parameters.map(({ name, shape }, k) => [name, new Float32Array(size(shape)).fill(value + k)])),
    activations: { weight: [-value, 1] },
    card: 'A model.\n',
    graphs: ['quantized'],
    safetensors: true,
  });
  return folder;
}

let one = '';
let two = '';
beforeAll(async () => {
  one = await write('one', 0.25);
  two = await write('two', 0.5);
}, 60_000);

describe('averageModels', () => {
  test('writes the mean of every parameter, in a model whose graph has them', async () => {
    const mean = join(scratch, 'mean');
    await averageModels([one, two], mean, 'average one two');
    const first = await readModelWeights(one);
    const means = await readModelWeights(mean);
    expect(new Set(means.keys())).toEqual(new Set(first.keys()));
    for (const [name, values] of means) {
      expect(values).toEqual(first.get(name)?.map((value) => value + 0.125));
    }
    expect((await readModelConfig(mean)).training).toEqual({
      command: 'average one two',
      meanOf: [{ command: 'train one' }, { command: 'train two' }],
    });
    expect(readFileSync(join(mean, MODEL_FILES.card), 'utf8')).toMatch(
      /mean of 2 models:\n\n```\ntrain one\ntrain two\naverage/,
    );
    expect((await readModelConfig(mean)).activations).toEqual({ weight: [-0.5, 1] });
    const graphOf = async (folder: string) => readModelGraph(await readModelFolder(folder), MODEL_FILES.quantized);
    expect(await graphOf(mean)).toEqual(await graphOf(await write('expected', 0.375)));
  });

  test('refuses models that differ in more than their weights, and writes nothing', async () => {
    const other = await write('other', 1, tinySequence());
    const cased = await write('cased', 1, tinyWordPair(), false);
    const refused = join(scratch, 'refused');
    await expect(averageModels([one, other], refused)).rejects.toThrow(
      `other/config.json: expected the types and the architecture of ${one}, found others`,
    );
    await expect(averageModels([one, cased], refused)).rejects.toThrow(
      `cased/tokenizer.json: expected the tokenizer of ${one}, found another`,
    );
    const old = join(scratch, 'old');
    cpSync(one, old, { recursive: true });
    const file = join(old, MODEL_FILES.config);
    writeFileSync(file, JSON.stringify({ ...(await readModelConfig(one)), activations: undefined }));
    await expect(averageModels([one, old], refused)).rejects.toThrow(
      'old/config.json: expected the ranges of the activations ("activations"), found none: train it anew',
    );
    await expect(averageModels([one], refused)).rejects.toThrow('expected two model folders or more, found 1');
    await expect(readModelConfig(refused)).rejects.toThrow('no such file or folder');
  });
});
