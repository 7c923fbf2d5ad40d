import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fileSource } from './corpus/index.js';
import { wholeText } from './corpus/lines.js';
import { InputError } from './errors.js';
import { nodeRuntime } from './runtime/node.js';
import { Lexicon, parseLexicon, Tagger as BaseTagger, type TaggerOptions } from './tag/index.js';
import {
  graphFile,
  graphLoadError,
  MODEL_FILES,
  readModelFolder,
  readModelGraph,
  readModelLexicon,
  resolveModel,
  type ModelFolder,
} from './weights/index.js';

/** The folder of the models that come with the package. */
export const bundledFolder = fileURLToPath(new URL('../models', import.meta.url));

/** The model that is used where none is named. */
export const DEFAULT_MODEL = 'gene-chemical-disease';

/** Names of the models that come with the package. */
export async function bundledModels(): Promise<string[]> {
  const entries = await readdir(bundledFolder, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory() && existsSync(join(bundledFolder, entry.name, MODEL_FILES.config)))
    .map(({ name }) => name)
    .sort();
}

/**
 * The folder of a model: the name of a bundled one, a folder, or a Hugging Face id (`owner/name`), which is fetched into
 * the cache.
 * @throws InputError when there is no such model, or when it cannot be fetched
 */
export async function findModel(model: string = DEFAULT_MODEL): Promise<string> {
  if ((await bundledModels()).includes(model)) return join(bundledFolder, model);
  if (existsSync(model)) return model;
  if (!/^[\w.-]+\/[\w.-]+(@\S+)?$/.test(model)) {
    const known = (await bundledModels()).join(', ') || 'none';
    throw new InputError(`expected a model folder, a bundled model (${known}) or a hub id, found ${model}`);
  }
  return resolveModel(model, {
    select: (files) => {
      const graph = [MODEL_FILES.quantized, MODEL_FILES.graph].find((name) => files.includes(name));
      const optional = [MODEL_FILES.card, MODEL_FILES.lexicon, MODEL_FILES.gazetteer].filter((name) =>
        files.includes(name),
      );
      return [MODEL_FILES.config, MODEL_FILES.tokenizer, ...optional, ...(graph === undefined ? [] : [graph])];
    },
  });
}

/** How a model is loaded from disk. */
export interface LoadOptions extends TaggerOptions {
  /** The float32 graph instead of the quantised one; an error where the folder has none. */
  readonly float32?: boolean;
  /** A file of names (`parseLexicon`) that count beside those of the model's own lexicon. */
  readonly lexicon?: string;
}

/**
 * Finds genes, chemicals and diseases, or whatever its model was trained for. `text.slice(start, end)` is the mention of
 * a span: offsets are UTF-16 code units of the text exactly as given. A tagger holds a native session: call `dispose`
 * when done. Several taggers work side by side, and one takes calls from several places at once.
 */
export class Tagger extends BaseTagger {
  /**
   * Loads the bundled model, another by its name, a model folder, or a Hugging Face id; see {@link findModel}.
   * @throws InputError when there is no such model, or a file of it is missing, damaged or not that of its config
   */
  static load(model?: string, options?: LoadOptions): Promise<Tagger> {
    return loadTagger(model, options);
  }

  /** The folder of a model; see {@link findModel}. */
  static find(model?: string): Promise<string> {
    return findModel(model);
  }
}

/**
 * What {@link Tagger.load} does; see {@link findModel} for what `model` may be.
 * @throws InputError when a file of the model is missing, damaged or not that of its config
 */
export async function loadTagger(model?: string, options: LoadOptions = {}): Promise<Tagger> {
  const folder = await readModelFolder(await findModel(model));
  const name = graphFile(folder, options.float32);
  const graph = await readModelGraph(folder, name);
  const { config, tokenizer, gazetteer } = folder;
  const lexicon = await readLexicon(folder, options.lexicon);
  const parts = { config: config.model, flat: config.flat, tokenizer, gazetteer, graph };
  try {
    return await Tagger.create({ ...parts, ...(lexicon === undefined ? {} : { lexicon }) }, nodeRuntime, options);
  } catch (cause) {
    throw options.providers === undefined ? graphLoadError(join(folder.folder, name), cause) : cause;
  }
}

/** The names of a model folder and of a user's file; undefined where there are none. */
export async function readLexicon(folder: ModelFolder, file?: string): Promise<Lexicon | undefined> {
  const { types } = folder.config.model;
  const own = await readModelLexicon(folder);
  if (own === undefined && file === undefined) return undefined;
  const added = file === undefined ? [] : parseLexicon(await readNames(file), types, file);
  return new Lexicon([...added, ...parseLexicon(own ?? '', types, join(folder.folder, MODEL_FILES.lexicon))]);
}

/**
 * The text of a user's file of names, which `parseLexicon` reads.
 * @throws InputError when it cannot be read, or is not UTF-8 (with its line)
 */
export function readNames(file: string): Promise<string> {
  return wholeText(fileSource(file));
}
