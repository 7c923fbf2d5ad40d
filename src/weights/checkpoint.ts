import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../errors.js';
import { attempt, errorCode, fileError } from './file-errors.js';
import { openPyTorch } from './pytorch.js';
import { SafetensorsFile } from './safetensors.js';
import { openShards } from './shards.js';
import type { TensorSource } from './tensor-data.js';

/** The tokenizer's files in a checkpoint folder, as paths; undefined where there is none. */
export interface TokenizerFiles {
  /** `tokenizer.json`: everything a fast tokenizer needs. */
  readonly tokenizer: string | undefined;
  /** `vocab.txt`: one word piece a line. */
  readonly vocabulary: string | undefined;
  /** `tokenizer_config.json`: casing and special tokens. */
  readonly config: string | undefined;
  /** `special_tokens_map.json` */
  readonly specialTokens: string | undefined;
}

/** An encoder as Hugging Face folders hold it. Close it when its tensors are read. */
export interface Checkpoint {
  readonly folder: string;
  /** `config.json`, unchecked. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly tensors: TensorSource;
  readonly tokenizer: TokenizerFiles;
  close(): Promise<void>;
}

/** Files that hold weights, in the order in which they are preferred. */
export const WEIGHT_FILES = [
  'model.safetensors',
  'model.safetensors.index.json',
  'pytorch_model.bin',
  'pytorch_model.bin.index.json',
] as const;

/** Files of a tokenizer, each optional. */
export const TOKENIZER_FILES = [
  'tokenizer.json',
  'vocab.txt',
  'tokenizer_config.json',
  'special_tokens_map.json',
] as const;

/**
 * Opens a checkpoint folder: `config.json`, weights as safetensors or PyTorch file, whole or in shards (the first of
 * `WEIGHT_FILES` that is there), and whatever tokenizer files it has.
 *
 * @throws InputError when the folder, `config.json` or weights are missing or damaged
 */
export async function openCheckpoint(folder: string): Promise<Checkpoint> {
  const names = new Set(await listFolder(folder));
  const config = await readJsonObject(join(folder, 'config.json'));
  const weights = WEIGHT_FILES.find((name) => names.has(name));
  if (weights === undefined)
    throw new InputError(`expected ${WEIGHT_FILES.join(' or ')}, ${othersFound(names)}`, { file: folder });
  const tensors = await openWeights(folder, weights);
  const at = (name: (typeof TOKENIZER_FILES)[number]): string | undefined =>
    names.has(name) ? join(folder, name) : undefined;
  return {
    folder,
    config,
    tensors,
    tokenizer: {
      tokenizer: at('tokenizer.json'),
      vocabulary: at('vocab.txt'),
      config: at('tokenizer_config.json'),
      specialTokens: at('special_tokens_map.json'),
    },
    close: () => tensors.close(),
  };
}

/** Reads a JSON file that must hold an object. Throws InputError when it is missing, not UTF-8 or not such JSON. */
export async function readJsonObject(path: string): Promise<Readonly<Record<string, unknown>>> {
  const bytes = await attempt(path, 'read', readFile(path));
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new InputError('expected a JSON object, found text that is no JSON', { file: path }, { cause: error });
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new InputError('expected a JSON object, found another JSON value', { file: path });
  }
  return json as Readonly<Record<string, unknown>>;
}

async function openWeights(folder: string, name: (typeof WEIGHT_FILES)[number]): Promise<TensorSource> {
  const path = join(folder, name);
  switch (name) {
    case 'model.safetensors':
      return SafetensorsFile.open(path);
    case 'pytorch_model.bin':
      return openPyTorch(path);
    case 'model.safetensors.index.json':
      return openShards(path, folder, await readJsonObject(path), (shard) => SafetensorsFile.open(shard));
    case 'pytorch_model.bin.index.json':
      return openShards(path, folder, await readJsonObject(path), openPyTorch);
  }
}

async function listFolder(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (errorCode(error) !== 'ENOTDIR') throw fileError(error, folder, 'read');
    throw new InputError('expected a checkpoint folder, found a file', { file: folder }, { cause: error });
  }
}

function othersFound(names: ReadonlySet<string>): string {
  const others = [...names].filter((name) => /\.(bin|h5|msgpack|ckpt\..*|safetensors|onnx|pt|pth)$/.test(name)).sort();
  if (others.length === 0) return 'found no weights';
  const tensorflow = others.some((name) => /\.h5$|\.ckpt\./.test(name));
  return `found ${others.slice(0, 3).join(', ')}${tensorflow ? ' (TensorFlow weights must be converted first)' : ''}`;
}
