import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { InputError } from '../errors.js';
import { toOnnx } from '../graph/index.js';
import { buildModel, inferenceOutputs, modelConfigSchema, type ModelConfig } from '../model/index.js';
import { WordPieceTokenizer } from '../text/index.js';
import { writeFolderAtomic } from './atomic.js';
import { readJsonObject } from './checkpoint.js';
import { attempt } from './file-errors.js';
import { readSafetensors, writeSafetensors } from './safetensors.js';
import { toFloat32 } from './tensor-data.js';

/** Files of a model folder, laid out as a hub repository and as transformers.js expects them. */
export const MODEL_FILES = {
  config: 'config.json',
  tokenizer: 'tokenizer.json',
  weights: 'model.safetensors',
  graph: 'onnx/model.onnx',
  quantized: 'onnx/model_quantized.onnx',
  card: 'README.md',
} as const;

const folderSchema = z.strictObject({
  model_type: z.literal('ebiobert'),
  /** Version of this layout. */
  format: z.literal(1),
  model: modelConfigSchema,
  /** Whether overlapping entities are resolved by score. */
  flat: z.boolean(),
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
}

/** @throws InputError when the folder is not a model's, or a file is missing, damaged or of another version */
export async function readModelFolder(folder: string): Promise<ModelFolder> {
  const file = join(folder, MODEL_FILES.config);
  const raw = await readJsonObject(file);
  if (raw['model_type'] !== 'ebiobert') {
    const found = JSON.stringify(raw['model_type']) ?? 'none';
    throw new InputError(`expected an ebiobert model ("model_type": "ebiobert"), found ${found}`, { file });
  }
  const parsed = folderSchema.safeParse(raw);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new InputError(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not a model config'}`, { file });
  }
  const bytes = await readModelFile({ folder, config: parsed.data }, MODEL_FILES.tokenizer);
  const json: unknown = JSON.parse(new TextDecoder().decode(bytes));
  return { folder, config: parsed.data, tokenizer: WordPieceTokenizer.fromJson(json) };
}

/** The bytes of a file of the folder, checked against the digest in its config. */
export async function readModelFile(
  { folder, config }: Pick<ModelFolder, 'folder' | 'config'>,
  name: string,
): Promise<Uint8Array> {
  const file = join(folder, name);
  const bytes = await attempt(file, 'read', readFile(file));
  const expected = config.files[name];
  const found = digest(bytes);
  if (expected !== found) {
    const known = expected === undefined ? 'no digest' : `SHA-256 ${expected.slice(0, 12)}...`;
    throw new InputError(`expected a file with ${known} as config.json says, found ${found.slice(0, 12)}...`, { file });
  }
  return bytes;
}

/** The float32 weights by parameter name. */
export async function readModelWeights(folder: string): Promise<Map<string, Float32Array>> {
  const { tensors } = await readSafetensors(join(folder, MODEL_FILES.weights));
  return new Map([...tensors].map(([name, tensor]) => [name, toFloat32(tensor)]));
}

export interface ModelFolderContent {
  readonly model: ModelConfig;
  readonly flat: boolean;
  readonly tokenizer: WordPieceTokenizer;
  /** Values by parameter name. */
  readonly weights: ReadonlyMap<string, Float32Array>;
  readonly training?: ModelFolderConfig['training'];
  readonly scores?: ModelFolderConfig['scores'];
  /** Text of the model card. */
  readonly card: string;
  /** Graphs to write. */
  readonly graphs: readonly ('float32' | 'quantized')[];
  /** Whether to write the weights for fine-tuning. */
  readonly safetensors: boolean;
}

/** Writes a model folder as a whole; a folder that is half written never has its name. */
export async function writeModelFolder(folder: string, content: ModelFolderContent): Promise<void> {
  const { model, weights, tokenizer, training, scores } = content;
  const graph = buildModel(model, false);
  const outputs = inferenceOutputs(graph);
  const files: Record<string, string> = {};
  await writeFolderAtomic(
    folder,
    async (target) => {
      const write = async (name: string, bytes: Uint8Array | string): Promise<void> => {
        const path = join(target, name);
        const data = typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes;
        await attempt(path, 'write', mkdir(dirname(path), { recursive: true }));
        await attempt(path, 'write', writeFile(path, data));
        files[name] = digest(data);
      };
      await write(MODEL_FILES.tokenizer, `${JSON.stringify(tokenizer.json)}\n`);
      await write(MODEL_FILES.card, content.card);
      if (content.safetensors) {
        await writeSafetensors(
          join(target, MODEL_FILES.weights),
          graph.scope.parameters.map(({ name, shape }) => ({
            name,
            shape: [...shape],
            dtype: 'F32' as const,
            data: weights.get(name) ?? new Float32Array(0),
          })),
        );
        files[MODEL_FILES.weights] = digest(await readFile(join(target, MODEL_FILES.weights)));
      }
      for (const kind of content.graphs) {
        const name = kind === 'float32' ? MODEL_FILES.graph : MODEL_FILES.quantized;
        await write(name, toOnnx(outputs, { parameters: weights, quantize: kind === 'quantized' }));
      }
      const config: ModelFolderConfig = {
        model_type: 'ebiobert',
        format: 1,
        model,
        flat: content.flat,
        ...(training === undefined ? {} : { training }),
        ...(scores === undefined ? {} : { scores }),
        files,
      };
      await writeFile(join(target, MODEL_FILES.config), `${JSON.stringify(config, null, 2)}\n`);
    },
    { disposable: () => true },
  );
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
