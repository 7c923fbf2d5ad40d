import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { InputError } from '../errors.js';
import { modelConfigSchema } from '../model/index.js';
import { Gazetteer, WordPieceTokenizer } from '../text/index.js';
import { readJsonObject } from './checkpoint.js';
import { attempt } from './file-errors.js';
import { checkGraph } from './graph-check.js';
import { readSafetensors } from './safetensors.js';
import { schemaError } from './schema-error.js';
import { toFloat32 } from './tensor-data.js';

/** Files of a model folder, laid out as a hub repository and as transformers.js expects them. */
export const MODEL_FILES = {
  config: 'config.json',
  tokenizer: 'tokenizer.json',
  weights: 'model.safetensors',
  graph: 'onnx/model.onnx',
  quantized: 'onnx/model_quantized.onnx',
  lexicon: 'lexicon.tsv',
  gazetteer: 'gazetteer.bin',
  card: 'README.md',
} as const;

const folderSchema = z.strictObject({
  model_type: z.literal('ebiobert'),
  /** Version of this layout. */
  format: z.literal(1),
  model: modelConfigSchema,
  /** Whether overlapping entities are resolved by score. */
  flat: z.boolean(),
  /** Least and largest activations of the quantised products, by the name of the weights. */
  activations: z
    .record(z.string(), z.tuple([z.number(), z.number()]).readonly())
    .readonly()
    .optional(),
  /** How the weights came about: corpora, settings, seeds, encoder. */
  training: z.record(z.string(), z.json()).optional(),
  /** Scores, each with the command that measured it. */
  scores: z.record(z.string(), z.json()).optional(),
  /** SHA-256 of every other file, so that a damaged download is noticed. */
  files: z.record(z.string(), z.string()),
});

export type ModelFolderConfig = z.infer<typeof folderSchema>;

/** What a model folder says of itself, read and checked. */
export interface ModelFolder {
  readonly folder: string;
  readonly config: ModelFolderConfig;
  readonly tokenizer: WordPieceTokenizer;
  /** Of a model whose config has classes of one. */
  readonly gazetteer?: Gazetteer;
}

/**
 * What the `config.json` of a model folder says.
 * @throws InputError when the folder is not a model's, or its config is missing, damaged or of another version
 */
export async function readModelConfig(folder: string): Promise<ModelFolderConfig> {
  const file = join(folder, MODEL_FILES.config);
  const raw = await readJsonObject(file);
  if (raw['model_type'] !== 'ebiobert') {
    const found = JSON.stringify(raw['model_type']) ?? 'none';
    throw new InputError(`expected an ebiobert model ("model_type": "ebiobert"), found ${found}`, { file });
  }
  const parsed = folderSchema.safeParse(raw);
  if (!parsed.success) throw schemaError(parsed.error, { file });
  return parsed.data;
}

/**
 * The text of the folder's lexicon; undefined where it has none.
 * @throws InputError when it is missing although the config has it, or damaged
 */
export async function readModelLexicon(folder: Pick<ModelFolder, 'folder' | 'config'>): Promise<string | undefined> {
  if (!(MODEL_FILES.lexicon in folder.config.files)) return undefined;
  return new TextDecoder().decode(await readModelFile(folder, MODEL_FILES.lexicon));
}

/** @throws InputError as `readModelConfig`, and when the tokenizer or the gazetteer is missing or damaged */
export async function readModelFolder(folder: string): Promise<ModelFolder> {
  const config = await readModelConfig(folder);
  const bytes = await readModelFile({ folder, config }, MODEL_FILES.tokenizer);
  const tokenizer = parseTokenizer(bytes, join(folder, MODEL_FILES.tokenizer));
  const { gazetteer: classes } = config.model;
  return classes === null
    ? { folder, config, tokenizer }
    : { folder, config, tokenizer, gazetteer: await readModelGazetteer({ folder, config }, classes) };
}

async function readModelGazetteer(
  folder: Pick<ModelFolder, 'folder' | 'config'>,
  classes: readonly string[],
): Promise<Gazetteer> {
  const file = join(folder.folder, MODEL_FILES.gazetteer);
  const gazetteer = Gazetteer.fromBytes(await readModelFile(folder, MODEL_FILES.gazetteer), file);
  const [expected, found] = [classes, gazetteer.classes].map((names) => names.join(', '));
  if (expected !== found) throw new InputError(`expected names of ${expected}, found ${found}`, { file });
  return gazetteer;
}

function parseTokenizer(bytes: Uint8Array, file: string): WordPieceTokenizer {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new InputError('expected a JSON object, found text that is no JSON', { file }, { cause });
  }
  try {
    return WordPieceTokenizer.fromJson(json);
  } catch (cause) {
    throw cause instanceof InputError ? new InputError(cause.message, { file }, { cause }) : cause;
  }
}

/** The bytes of a file of the folder, checked against the digest in its config. */
export async function readModelFile(
  { folder, config }: Pick<ModelFolder, 'folder' | 'config'>,
  name: string,
): Promise<Uint8Array> {
  const file = join(folder, name);
  const bytes = await attempt(file, 'read', readFile(file));
  requireDigest(config.files[name], createHash('sha256').update(bytes).digest('hex'), file);
  return bytes;
}

/** A graph of a model folder, by its place there. */
export type GraphName = typeof MODEL_FILES.graph | typeof MODEL_FILES.quantized;

/**
 * Which graph of a folder is run: the quantised one where there is one, or the float32 one alone.
 * @throws InputError when the folder has none
 */
export function graphFile({ folder, config }: Pick<ModelFolder, 'folder' | 'config'>, float32 = false): GraphName {
  const order = float32 ? [MODEL_FILES.graph] : [MODEL_FILES.quantized, MODEL_FILES.graph];
  const found = order.find((name) => name in config.files);
  if (found === undefined) throw new InputError(`expected ${order.join(' or ')}, found none`, { file: folder });
  return found;
}

/** What is said of a graph that the runtime refuses. */
export function graphLoadError(file: string, cause: unknown): InputError {
  const reason = cause instanceof Error ? cause.message.replace(/\s+/g, ' ') : String(cause);
  return new InputError(`expected a graph that ONNX Runtime loads, found ${reason}`, { file }, { cause });
}

/**
 * The bytes of a graph of the folder.
 * @throws InputError when the file is missing or damaged, or when `config.json` states another model than the graph's
 */
export async function readModelGraph(
  folder: Pick<ModelFolder, 'folder' | 'config'>,
  name: GraphName,
): Promise<Uint8Array> {
  const bytes = await readModelFile(folder, name);
  checkGraph(bytes, folder.config.model, {
    graph: join(folder.folder, name),
    config: join(folder.folder, MODEL_FILES.config),
  });
  return bytes;
}

/**
 * The float32 weights by parameter name.
 * @throws InputError as `readModelConfig`, and when the weights are missing, damaged or not those of the config
 */
export async function readModelWeights(folder: string): Promise<Map<string, Float32Array>> {
  const { files } = await readModelConfig(folder);
  const file = join(folder, MODEL_FILES.weights);
  requireDigest(files[MODEL_FILES.weights], await attempt(file, 'read', digestOf(file)), file);
  const { tensors } = await readSafetensors(file);
  return new Map([...tensors].map(([name, tensor]) => [name, toFloat32(tensor)]));
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file) as AsyncIterable<Uint8Array>) hash.update(chunk);
  return hash.digest('hex');
}

function requireDigest(expected: string | undefined, found: string, file: string): void {
  if (expected === found) return;
  const known = expected === undefined ? 'no digest' : `SHA-256 ${expected.slice(0, 12)}...`;
  throw new InputError(`expected a file with ${known} as config.json says, found ${found.slice(0, 12)}...`, { file });
}
