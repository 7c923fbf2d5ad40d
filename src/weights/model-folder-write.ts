import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { InputError } from '../errors.js';
import { toOnnx, type ActivationRanges } from '../graph/index.js';
import { buildModel, inferenceOutputs, type ModelConfig } from '../model/index.js';
import type { Gazetteer, WordPieceTokenizer } from '../text/index.js';
import { writeFileAtomic, writeFolderAtomic } from './atomic.js';
import { readJsonObject } from './checkpoint.js';
import { attempt } from './file-errors.js';
import { graphMetadata } from './graph-check.js';
import { MODEL_FILES, readModelConfig, type ModelFolderConfig } from './model-folder.js';
import { writeSafetensors } from './safetensors.js';

export interface ModelFolderContent {
  readonly model: ModelConfig;
  readonly flat: boolean;
  readonly tokenizer: WordPieceTokenizer;
  /** Of a model whose config has classes of one. */
  readonly gazetteer?: Gazetteer | undefined;
  /** Values by parameter name. */
  readonly weights: ReadonlyMap<string, Float32Array>;
  /** Of the weights, for the quantised graph. */
  readonly activations: ActivationRanges;
  readonly training?: ModelFolderConfig['training'];
  readonly scores?: ModelFolderConfig['scores'];
  /** Text of the lexicon, where there is one. */
  readonly lexicon?: string;
  /** Text of the model card. */
  readonly card: string;
  /** Graphs to write. */
  readonly graphs: readonly ('float32' | 'quantized')[];
  /** Whether to write the weights for fine-tuning. */
  readonly safetensors: boolean;
}

/**
 * Writes a model folder as a whole; a folder that is half written never has its name. It takes the place of an empty
 * folder or of an earlier model, never of anything else.
 * @throws InputError when the folder holds other files, or cannot be written
 */
export async function writeModelFolder(folder: string, content: ModelFolderContent): Promise<void> {
  await requireOwn(folder);
  const { model, weights, activations, tokenizer, training, scores } = content;
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
      if (content.gazetteer !== undefined) await write(MODEL_FILES.gazetteer, content.gazetteer.toBytes());
      await write(MODEL_FILES.card, content.card);
      if (content.lexicon !== undefined) await write(MODEL_FILES.lexicon, content.lexicon);
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
        const options = { parameters: weights, metadata: graphMetadata(model) };
        await write(name, toOnnx(outputs, kind === 'quantized' ? { ...options, quantize: activations } : options));
      }
      const config: ModelFolderConfig = {
        model_type: 'ebiobert',
        format: 1,
        model,
        flat: content.flat,
        activations,
        ...(training === undefined ? {} : { training }),
        ...(scores === undefined ? {} : { scores }),
        files,
      };
      await writeFile(join(target, MODEL_FILES.config), `${JSON.stringify(config, null, 2)}\n`);
    },
    { disposable: () => true },
  );
}

/**
 * Gives a model folder another lexicon, or none. Both files are renamed into place; between the two the folder is refused
 * as damaged.
 * @throws InputError when the folder is no model's, or cannot be written
 */
export async function writeModelLexicon(folder: string, lexicon: string | undefined): Promise<void> {
  const { files, ...config } = await readModelConfig(folder);
  const others = Object.fromEntries(Object.entries(files).filter(([name]) => name !== MODEL_FILES.lexicon));
  const file = join(folder, MODEL_FILES.lexicon);
  if (lexicon !== undefined) await writeFileAtomic(file, lexicon);
  const listed = lexicon === undefined ? others : { ...others, [MODEL_FILES.lexicon]: digest(lexicon) };
  const text = `${JSON.stringify({ ...config, files: listed }, null, 2)}\n`;
  await writeFileAtomic(join(folder, MODEL_FILES.config), text);
  if (lexicon === undefined) await rm(file, { force: true });
}

/** Refuses a folder with anything in it that is not a file of an ebiobert model. */
async function requireOwn(folder: string): Promise<void> {
  if (!existsSync(folder)) return;
  const names = await attempt(folder, 'read', readdir(folder));
  if (names.length === 0) return;
  const known = new Set<string>(Object.values(MODEL_FILES));
  const foreign = (await filesWithin(folder)).filter((name) => !known.has(name)).sort();
  const isModel = await readJsonObject(join(folder, MODEL_FILES.config)).then(
    (config) => config['model_type'] === 'ebiobert',
    () => false,
  );
  if (isModel && foreign.length === 0) return;
  const shown = (isModel ? foreign : names.sort()).slice(0, 3).join(', ');
  throw new InputError(`expected an empty folder or a model to replace, found ${shown}`, { file: folder });
}

/** Paths of all files, of folders within too, with `/` between. */
async function filesWithin(folder: string, prefix = ''): Promise<string[]> {
  const entries = await attempt(folder, 'read', readdir(folder, { withFileTypes: true }));
  const nested = entries.map((entry) => {
    const name = `${prefix}${entry.name}`;
    return entry.isDirectory() ? filesWithin(join(folder, entry.name), `${name}/`) : [name];
  });
  return (await Promise.all(nested)).flat();
}

function digest(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}
