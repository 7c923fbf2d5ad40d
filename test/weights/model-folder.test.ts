import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { buildModel } from '../../src/model/index.js';
import { loadTagger } from '../../src/node.js';
import { WordPieceTokenizer } from '../../src/text/index.js';
import {
  MODEL_FILES,
  readModelFolder,
  readModelWeights,
  writeModelFolder,
  type ModelFolderContent,
} from '../../src/weights/index.js';
import { tinySequence, tinyWordPair } from '../model/support/tiny.js';

const scratch = mkdtempSync(join(tmpdir(), 'ebiobert-model-folder-'));
afterAll(() => {
  rmSync(scratch, { recursive: true, force: true });
});

const pieces = ['[PAD]', '[CLS]', '[SEP]', '[UNK]', '[MASK]', 'p53', 'a', 'b', 'c', 'd', 'e', 'f'];

function content(model = tinyWordPair()): ModelFolderContent {
  const { parameters } = buildModel(model, false).scope;
  const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
  return {
    model,
    flat: true,
    tokenizer: WordPieceTokenizer.fromVocabulary(`${pieces.join('\n')}\n`, { lowercase: true }),
    weights: new Map(parameters.map(({ name, shape }) => [name, new Float32Array(size(shape)).fill(0.01)])),
    activations: {},
    card: 'A model.\n',
    graphs: ['float32', 'quantized'],
    safetensors: true,
  };
}

const whole = join(scratch, 'whole');
const folder = join(scratch, 'model');
beforeAll(() => writeModelFolder(whole, content()), 60_000);
beforeEach(() => {
  rmSync(folder, { recursive: true, force: true });
  cpSync(whole, folder, { recursive: true });
});

interface Config {
  model: Record<string, unknown>;
  files: Record<string, string>;
}

function edit(change: (config: Config) => void): void {
  const file = join(folder, MODEL_FILES.config);
  const config = JSON.parse(readFileSync(file, 'utf8')) as Config;
  change(config);
  writeFileSync(file, JSON.stringify(config));
}

/** Writes a file of the folder with a digest that matches. */
function replace(name: string, bytes: string | Uint8Array): void {
  writeFileSync(join(folder, name), bytes);
  edit(({ files }) => {
    files[name] = createHash('sha256').update(bytes).digest('hex');
  });
}

const refusal = (action: Promise<unknown>): Promise<string> =>
  action.then(
    () => 'nothing was refused',
    (error: unknown) => (error as Error).message.replaceAll(`${scratch}/`, ''),
  );

describe('writing takes the place of a model, and of nothing else', () => {
  const write = (path: string): Promise<string> => refusal(writeModelFolder(path, content()));

  test('an earlier model, an empty folder, a link to one', async () => {
    writeFileSync(join(folder, MODEL_FILES.card), 'old');
    expect(await write(folder)).toBe('nothing was refused');
    expect(readFileSync(join(folder, MODEL_FILES.card), 'utf8')).toBe('A model.\n');
    mkdirSync(join(scratch, 'empty'));
    symlinkSync(join(scratch, 'empty'), join(scratch, 'link'));
    expect(await write(join(scratch, 'link'))).toBe('nothing was refused');
    expect(readdirSync(join(scratch, 'empty')).sort()).toEqual(readdirSync(whole).sort());
  });

  test.each([
    ['other files', { 'notes.txt': '' }, 'notes.txt'],
    ['an encoder', { 'config.json': '{"model_type": "bert"}', 'model.safetensors': '' }, 'config.json, model.saf'],
    ['a config that is none', { 'config.json': '[]', 'README.md': '' }, 'README.md, config.json'],
    ['folders', { '.git/HEAD': '', 'onnx/model.onnx': '' }, '.git, onnx'],
  ])('not %s', async (_, files, found) => {
    const occupied = mkdtempSync(join(scratch, 'occupied-'));
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(occupied, name)), { recursive: true });
      writeFileSync(join(occupied, name), text);
    }
    const before = readdirSync(occupied, { recursive: true });
    expect(await write(occupied)).toContain(`: expected an empty folder or a model to replace, found ${found}`);
    expect(readdirSync(occupied, { recursive: true })).toEqual(before);
  });

  test.each(['.git/HEAD', 'onnx/model_fp16.onnx', 'notes.txt'])(
    'not a model that somebody added %s to',
    async (name) => {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), 'precious');
      expect(await write(folder)).toBe(`model: expected an empty folder or a model to replace, found ${name}`);
      expect(readFileSync(join(folder, name), 'utf8')).toBe('precious');
    },
  );
});

test('weights are those whose digest the config has', async () => {
  expect([...(await readModelWeights(folder)).keys()].sort()).toEqual([...content().weights.keys()].sort());
  const file = join(folder, MODEL_FILES.weights);
  const bytes = readFileSync(file);
  bytes[bytes.length - 1] = 7;
  writeFileSync(file, bytes);
  expect(await refusal(readModelWeights(folder))).toMatch(
    /^model\/model\.safetensors: expected a file with SHA-256 \w+\.\.\. as config\.json says, found \w+\.\.\.$/,
  );
  edit(({ files }) => {
    Reflect.deleteProperty(files, MODEL_FILES.weights);
  });
  expect(await refusal(readModelWeights(folder))).toMatch(/^model\/model\.safetensors: expected a file with no digest/);
});

describe('a config that describes another model than the graph', () => {
  const load = (float32 = false): Promise<string> =>
    refusal(loadTagger(folder, { float32 }).then((tagger) => tagger.dispose()));

  test('loads untouched', async () => {
    expect(await load()).toBe('nothing was refused');
    expect(await load(true)).toBe('nothing was refused');
  });

  test.each<[string, unknown, string]>([
    ['types', ['A'], '["A","B"] as in model/onnx/model_quantized.onnx, found ["A"]'],
    ['types', ['B', 'A'], '["A","B"] as in model/onnx/model_quantized.onnx, found ["B","A"]'],
    ['prefix', 3, '2 as in model/onnx/model_quantized.onnx, found 3'],
    ['labels', 'typed', '"joint" as in model/onnx/model_quantized.onnx, found "typed"'],
  ])('%s', async (setting, value, message) => {
    edit(({ model }) => {
      model[setting] = value;
    });
    expect(await load()).toBe(`model/config.json: model.${setting}: expected ${message}`);
  });

  test('another encoder, by its first setting that differs', async () => {
    const graph = `as in model/${MODEL_FILES.quantized}`;
    edit(({ model }) => {
      Object.assign(model['encoder'] as object, { vocab_size: 13, intermediate_size: 99, max_position_embeddings: 30 });
    });
    expect(await load()).toBe(`model/config.json: model.encoder.vocab_size: expected 12 ${graph}, found 13`);
    edit(({ model }) => {
      Object.assign(model['encoder'] as object, { vocab_size: 12 });
    });
    expect(await load()).toBe(`model/config.json: model.encoder.intermediate_size: expected 10 ${graph}, found 99`);
  });

  test.each<[string, ModelFolderContent['model'], Record<string, unknown>, string]>([
    ['types', tinyWordPair(), { types: ['A', 'B', 'C'] }, 'types: expected 2 as in model/onnx/model.onnx, found 3'],
    ['prefix', tinyWordPair({ prefix: 0 }), { prefix: 4 }, 'prefix: expected 0 as in model/onnx/model.onnx, found 4'],
    ['typed types', tinyWordPair({ labels: 'typed' }), { types: ['A'] }, 'types: expected 2 as in'],
    ['labels', tinySequence({ labels: 'typed' }), { labels: 'joint' }, 'types: expected '],
    ['tags', tinySequence(), { scheme: 'BIOES' }, 'types: expected '],
  ])('%s, of a graph that has no config within', async (_, model, changes, message) => {
    rmSync(folder, { recursive: true });
    await writeModelFolder(folder, { ...content(model), graphs: ['float32'] });
    const graph = readFileSync(join(folder, MODEL_FILES.graph));
    replace(MODEL_FILES.graph, Buffer.from(graph.toString('latin1').replace('ebiobert.config', 'elsewhat.config'), 'latin1')); // prettier-ignore
    expect(await load()).toBe('nothing was refused');
    edit((config) => Object.assign(config.model, changes));
    expect(await load()).toContain(`model/config.json: model.${message}`);
  });
});

describe('a damaged file is named though its digest fits', () => {
  const graph = MODEL_FILES.quantized;
  test.each([
    ['no JSON', '{', /^model\/tokenizer\.json: expected a JSON object, found text that is no JSON$/],
    ['no object', '[]', /^model\/tokenizer\.json: expected tokenizer\.json to be an object, found/],
    ['another tokenizer', '{"model": {"type": "BPE"}}', /^model\/tokenizer\.json: expected .*WordPiece/],
    ['no UTF-8', Buffer.from([0x7b, 0xff]), /^model\/tokenizer\.json: expected a JSON object/],
  ])('a tokenizer that is %s', async (_, bytes, message) => {
    replace(MODEL_FILES.tokenizer, bytes);
    expect(await refusal(readModelFolder(folder))).toMatch(message);
  });

  test('a graph', async () => {
    const bytes = readFileSync(join(folder, graph));
    const named = bytes.toString('latin1');
    const operator = named.replace('Softmax', 'Hardmin');
    expect(operator).not.toBe(named);
    for (const [damaged, message] of [
      [Buffer.alloc(0), 'expected outputs probabilities and attention.0, found none'],
      [Buffer.from('no graph at all'), 'expected an ONNX model, found other bytes'],
      [bytes.subarray(0, bytes.length >> 1), 'expected an ONNX model, found other bytes'],
      [Buffer.from(operator, 'latin1'), 'expected a graph that ONNX Runtime loads, found '],
    ] as const) {
      replace(graph, damaged);
      const said = await refusal(loadTagger(folder));
      expect(said).toContain(`model/${graph}: ${message}`);
      expect(said).not.toContain('\n');
    }
  });
});
