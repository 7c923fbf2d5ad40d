import { copyFileSync, cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { InputError } from '../../src/errors.js';
import {
  loadBertWeights,
  openCheckpoint,
  readBertConfig,
  readJsonObject,
  readSafetensors,
  writeSafetensors,
  type TensorData,
} from '../../src/weights/index.js';
import { GOLDEN, goldenTensors, temporaryFolder } from './files.js';

/** Shapes of a BERT by canonical name, without the pooler. */
function bertShapes(
  vocabulary: number,
  hidden: number,
  layers: number,
  inner: number,
  positions: number,
): Map<string, number[]> {
  const shapes = new Map<string, number[]>();
  const norm = (name: string): void => void shapes.set(`${name}.weight`, [hidden]).set(`${name}.bias`, [hidden]);
  const dense = (name: string, from: number, to: number): void =>
    void shapes.set(`${name}.weight`, [to, from]).set(`${name}.bias`, [to]);
  shapes.set('bert.embeddings.word_embeddings.weight', [vocabulary, hidden]);
  shapes.set('bert.embeddings.position_embeddings.weight', [positions, hidden]);
  shapes.set('bert.embeddings.token_type_embeddings.weight', [2, hidden]);
  norm('bert.embeddings.LayerNorm');
  for (let i = 0; i < layers; i++) {
    const layer = `bert.encoder.layer.${i}`;
    for (const part of ['query', 'key', 'value']) dense(`${layer}.attention.self.${part}`, hidden, hidden);
    dense(`${layer}.attention.output.dense`, hidden, hidden);
    norm(`${layer}.attention.output.LayerNorm`);
    dense(`${layer}.intermediate.dense`, hidden, inner);
    dense(`${layer}.output.dense`, inner, hidden);
    norm(`${layer}.output.LayerNorm`);
  }
  return shapes;
}

const tiny = bertShapes(12, 8, 2, 16, 16);
const golden = (name: string): string => join(GOLDEN, name);

/** The golden values under canonical names. */
function expected(file: string, prefix: string): Map<string, number[]> {
  const values = goldenTensors(file);
  return new Map([...tiny.keys()].map((name) => [name, values.get(name.replace('bert.', prefix))?.values ?? []]));
}

async function loaded(folder: string): Promise<Map<string, number[]>> {
  const { tensors } = await loadBertWeights(folder, tiny);
  return new Map([...tensors].map(([name, values]) => [name, [...values]]));
}

/** A copy of a golden folder whose tensors are changed; weights as safetensors. */
async function changed(change: (tensors: TensorData[]) => TensorData[]): Promise<string> {
  const folder = temporaryFolder();
  cpSync(golden('safetensors'), folder, { recursive: true });
  const path = join(folder, 'model.safetensors');
  const { tensors } = await readSafetensors(path);
  await writeSafetensors(path, change([...tensors.values()]));
  return folder;
}

const renamed = (rename: (name: string) => string): Promise<string> =>
  changed((tensors) => tensors.map((tensor) => ({ ...tensor, name: rename(tensor.name) })));

describe('folders that transformers and torch wrote', () => {
  test('safetensors without prefix: all weights, the pooler unused', async () => {
    expect(await loaded(golden('safetensors'))).toEqual(expected('safetensors/model.safetensors', ''));
    const { unused } = await loadBertWeights(golden('safetensors'), tiny);
    expect(unused).toEqual(['pooler.dense.bias', 'pooler.dense.weight']);
  });

  test('shards', async () => {
    expect(await loaded(golden('sharded'))).toEqual(expected('safetensors/model.safetensors', ''));
  });

  test('pytorch_model.bin with prefix, head and position ids', async () => {
    expect(await loaded(golden('pytorch'))).toEqual(expected('pytorch/pytorch_model.bin', 'bert.'));
    const { unused } = await loadBertWeights(golden('pytorch'), tiny);
    expect(unused).toEqual(['bert.embeddings.position_ids', 'classifier.bias', 'classifier.weight']);
  });

  test('the old file format with LayerNorm.gamma and .beta', async () => {
    expect(await loaded(golden('legacy'))).toEqual(expected('pytorch/pytorch_model.bin', 'bert.'));
  });

  test('config and tokenizer files', async () => {
    const checkpoint = await openCheckpoint(golden('pytorch'));
    expect(checkpoint.config).toMatchObject({ model_type: 'bert', hidden_size: 8 });
    expect(checkpoint.tokenizer).toEqual({
      tokenizer: undefined,
      vocabulary: join(golden('pytorch'), 'vocab.txt'),
      config: join(golden('pytorch'), 'tokenizer_config.json'),
      specialTokens: undefined,
    });
    await checkpoint.close();
  });
});

describe('names', () => {
  test.each(['bert.', 'model.', 'encoder.', 'module.bert.', '0.auto_model.'])('prefix %s', async (prefix) => {
    const folder = await renamed((name) => prefix + name);
    expect(await loaded(folder)).toEqual(expected('safetensors/model.safetensors', ''));
  });

  test.each<[string, (name: string) => string, string]>([
    [
      'a missing tensor',
      (name) => name.replace('encoder.layer.1.output.dense', 'encoder.layer.9.output.dense'),
      'expected tensor bert.encoder.layer.1.output.dense.weight [8, 16], found none (nor 1 others)',
    ],
    [
      'another architecture',
      (name) => `x.${name.replace('word_embeddings', 'tokens')}`,
      'expected tensor bert.embeddings.word_embeddings.weight (with any prefix), found x.',
    ],
    [
      'two of one name',
      (name) =>
        name
          .replace('attention.output.LayerNorm.bias', 'attention.output.LayerNorm.beta')
          .replace('attention.output.dense.bias', 'attention.output.LayerNorm.bias'),
      'expected one tensor for bert.encoder.layer.0.attention.output.LayerNorm.bias, found',
    ],
  ])('%s', async (_, rename, message) => {
    const loading = loadBertWeights(await renamed(rename), tiny);
    await expect(loading).rejects.toThrow(InputError);
    await expect(loading).rejects.toThrow(message);
  });

  test('two encoders in one file', async () => {
    const folder = await changed((all) => all.flatMap((t) => [t, { ...t, name: `other.${t.name}` }]));
    await expect(loadBertWeights(folder, tiny)).rejects.toThrow(
      /expected one BERT, found several: .*other\.embeddings/,
    );
  });

  test('a misshapen tensor is named with both shapes', async () => {
    const loading = loadBertWeights(golden('safetensors'), bertShapes(13, 8, 2, 16, 16));
    await expect(loading).rejects.toThrow(
      'model.safetensors: tensor bert.embeddings.word_embeddings.weight (embeddings.word_embeddings.weight in the file): expected shape [13, 8], found [12, 8]',
    );
  });

  test('a transposed tensor is not taken for the right one', async () => {
    const folder = await changed((all) =>
      all.map((t) => (t.name === 'encoder.layer.0.output.dense.weight' ? { ...t, shape: [...t.shape].reverse() } : t)),
    );
    await expect(loadBertWeights(folder, tiny)).rejects.toThrow('expected shape [8, 16], found [16, 8]');
  });

  test('integer weights are refused', async () => {
    const folder = await changed((all) =>
      all.map((t) => (t.name === 'embeddings.LayerNorm.bias' ? { ...t, dtype: 'I32', data: new Int32Array(8) } : t)),
    );
    await expect(loadBertWeights(folder, tiny)).rejects.toThrow(
      'embeddings.LayerNorm.bias: expected floating-point values, found I32',
    );
  });
});

describe('folders that are no BERT checkpoint', () => {
  const copy = (change: (folder: string) => void, from = 'safetensors'): string => {
    const folder = temporaryFolder();
    cpSync(golden(from), folder, { recursive: true });
    change(folder);
    return folder;
  };
  const config = (folder: string, text: string): void => writeFileSync(join(folder, 'config.json'), text);

  test.each<[string, () => string, string]>([
    ['no folder', () => join(GOLDEN, 'none'), 'no such file or folder'],
    ['a file', () => golden('dtypes.bin'), 'expected a checkpoint folder, found a file'],
    ['no config', () => copy((f) => rmSync(join(f, 'config.json'))), 'config.json: cannot read: no such file'],
    [
      'config no JSON',
      () => copy((f) => config(f, '{')),
      'config.json: expected a JSON object, found text that is no JSON',
    ],
    ['config a list', () => copy((f) => config(f, '[]')), 'found another JSON value'],
    [
      'another model',
      () => copy((f) => config(f, '{"model_type":"roberta"}')),
      'expected "model_type": "bert", found "roberta"',
    ],
    [
      'no weights',
      () => copy((f) => rmSync(join(f, 'model.safetensors'))),
      'expected model.safetensors or model.safetensors.index.json or pytorch_model.bin or pytorch_model.bin.index.json, found no weights',
    ],
    [
      'TensorFlow weights',
      () => copy((f) => (rmSync(join(f, 'model.safetensors')), writeFileSync(join(f, 'tf_model.h5'), ''))),
      'found tf_model.h5 (TensorFlow weights must be converted first)',
    ],
    [
      'a shard missing',
      () => copy((f) => rmSync(join(f, 'model-00002-of-00002.safetensors')), 'sharded'),
      'model-00002-of-00002.safetensors: cannot read: no such file',
    ],
    [
      'a tensor missing in its shard',
      () =>
        copy(
          (f) => copyFileSync(join(f, 'model-00001-of-00002.safetensors'), join(f, 'model-00002-of-00002.safetensors')),
          'sharded',
        ),
      'in model-00002-of-00002.safetensors, found none',
    ],
    [
      'a shard outside the folder',
      () =>
        copy(
          (f) => writeFileSync(join(f, 'model.safetensors.index.json'), '{"weight_map":{"a":"../a.safetensors"}}'),
          'sharded',
        ),
      'expected the name of a file beside the index, found "../a.safetensors"',
    ],
  ])('%s', async (_, folder, message) => {
    const loading = loadBertWeights(folder(), tiny);
    await expect(loading).rejects.toThrow(InputError);
    await expect(loading).rejects.toThrow(message);
  });
});

describe('config.json', () => {
  const raw = JSON.parse(readFileSync(golden('safetensors/config.json'), 'utf8')) as Record<string, unknown>;

  test('what shapes the encoder, and nothing else', () => {
    expect(readBertConfig(raw, 'c')).toEqual({
      vocab_size: 12,
      hidden_size: 8,
      num_hidden_layers: 2,
      num_attention_heads: 2,
      intermediate_size: 16,
      max_position_embeddings: 16,
      type_vocab_size: 2,
      layer_norm_eps: 1e-12,
      hidden_dropout_prob: 0.1,
      attention_probs_dropout_prob: 0.1,
      initializer_range: 0.02,
    });
  });

  test("BioBERT's, which has neither model_type nor layer_norm_eps", () => {
    const biobert = {
      attention_probs_dropout_prob: 0.1,
      hidden_act: 'gelu',
      hidden_dropout_prob: 0.1,
      hidden_size: 768,
      initializer_range: 0.02,
      intermediate_size: 3072,
      max_position_embeddings: 512,
      num_attention_heads: 12,
      num_hidden_layers: 12,
      type_vocab_size: 2,
      vocab_size: 28996,
    };
    expect(readBertConfig(biobert, 'c')).toEqual({ ...biobert, hidden_act: undefined, layer_norm_eps: 1e-12 });
  });

  test.each([
    [{ model_type: 'distilbert' }, 'c: model_type: expected "bert", found "distilbert"'],
    [{ hidden_act: 'relu' }, 'c: hidden_act: expected "gelu", found "relu"'],
    [{ position_embedding_type: 'relative_key' }, 'position_embedding_type: expected "absolute"'],
    [{ vocab_size: undefined }, 'c: vocab_size: expected number, found nothing'],
    [{ hidden_size: 'big' }, 'c: hidden_size: expected number, found "big"'],
    [{ num_attention_heads: 3 }, 'c: hidden_size: expected a multiple of 3 attention heads, found 8'],
    [{ num_hidden_layers: -1 }, 'c: num_hidden_layers: '],
  ])('%j', (change, message) => {
    expect(() => readBertConfig({ ...raw, ...change }, 'c')).toThrow(InputError);
    expect(() => readBertConfig({ ...raw, ...change }, 'c')).toThrow(message);
  });
});

const minilm = fileURLToPath(new URL('../../../shared/encoders/all-minilm-l6-v2/', import.meta.url));

describe.skipIf(!existsSync(minilm))('all-MiniLM-L6-v2 (beside the repository in shared/encoders)', () => {
  test('all its weights, by config', async () => {
    const config = readBertConfig(await readJsonObject(join(minilm, 'config.json')), 'config.json');
    const shapes = bertShapes(
      config.vocab_size,
      config.hidden_size,
      config.num_hidden_layers,
      config.intermediate_size,
      config.max_position_embeddings,
    );
    const { tensors, unused } = await loadBertWeights(minilm, shapes);
    expect([...tensors.keys()]).toEqual([...shapes.keys()]);
    expect(unused).toEqual(['embeddings.position_ids', 'pooler.dense.bias', 'pooler.dense.weight']);
    const words = tensors.get('bert.embeddings.word_embeddings.weight') ?? new Float32Array();
    const norms = Math.hypot(...words.subarray(2000 * 384, 2001 * 384));
    expect(norms).toBeGreaterThan(0.5);
    expect(norms).toBeLessThan(3);
  });
});
