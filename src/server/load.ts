import { basename, resolve } from 'node:path';
import { existsSync } from 'node:fs';
import { UsageError } from '../errors.js';
import { bundledModels, DEFAULT_MODEL, findModel, readLexicon } from '../node.js';
import type { Lexicon } from '../tag/index.js';
import { readModelFolder } from '../weights/index.js';
import type { Engine } from './engine.js';
import type { ModelAnswer } from './schemas.js';
import { workerEngine } from './worker-engine.js';

export interface LoadedModel {
  readonly about: Omit<ModelAnswer, 'default'>;
  readonly lexicon?: Lexicon;
  readonly engines: readonly Engine[];
}

export interface LoadModelsOptions {
  /** Copies of each model, each in a thread of its own. */
  readonly workers?: number;
  /** Threads of one copy. */
  readonly threads?: number;
  readonly float32?: boolean;
}

/** Loads models, the bundled one where none is named; a folder is served under its own name. */
export async function loadModels(names: readonly string[], options: LoadModelsOptions = {}): Promise<LoadedModel[]> {
  const { workers = 1, ...settings } = options;
  const loaded: LoadedModel[] = [];
  try {
    for (const given of names.length === 0 ? [DEFAULT_MODEL] : names) {
      const folder = await findModel(given);
      const name = await servedName(given);
      if (loaded.some(({ about }) => about.name === name)) {
        throw new UsageError(`expected models of different names, found ${name} twice`);
      }
      const files = await readModelFolder(folder);
      const { config } = files;
      const lexicon = await readLexicon(files);
      const { kind, types } = config.model;
      const scores = config.scores === undefined ? {} : { scores: config.scores };
      const engines: Engine[] = [];
      loaded.push({
        about: { name, kind, types, flat: config.flat, ...scores },
        engines,
        ...(lexicon === undefined ? {} : { lexicon }),
      });
      for (let k = 0; k < workers; k++) engines.push(await workerEngine({ model: folder, ...settings }));
    }
  } catch (error) {
    await Promise.all(loaded.flatMap(({ engines }) => engines.map((engine) => engine.dispose())));
    throw error;
  }
  return loaded;
}

/** A folder's path stays on this machine: only its last part is a name. */
async function servedName(given: string): Promise<string> {
  const isFolder = !(await bundledModels()).includes(given) && existsSync(given);
  return isFolder ? basename(resolve(given)) : given;
}
