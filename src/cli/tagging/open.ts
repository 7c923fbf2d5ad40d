import { readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { pathBytes } from '../../corpus/index.js';
import { findModel, loadTagger, readNames } from '../../node.js';
import { readModelConfig } from '../../weights/index.js';
import { LocalEngine, type Choice, type Engine } from './engine.js';
import type { Identity } from './journal.js';
import { WorkerPool } from './worker-pool.js';

/** Bytes of input for each worker that is started without being asked for: some seconds of work. */
const BYTES_PER_WORKER = 1 << 16;

export interface EngineSettings {
  readonly model?: string | undefined;
  readonly workers: number;
  readonly threads?: number | undefined;
  readonly options: Choice;
  /** A file of names that are marked too. */
  readonly lexicon?: string | undefined;
}

/** A model, its types, and what decides its findings. */
export interface OpenModel {
  readonly folder: string;
  readonly types: readonly string[];
  readonly identity: Identity;
}

/** Finds a model and reads its config, before anything is loaded; `names` is a file of names that are marked too. */
export async function openModel(model: string | undefined, options: Choice, names?: string): Promise<OpenModel> {
  const folder = await findModel(model);
  const { model: config, files, flat } = await readModelConfig(folder);
  const { types = null, minScore = null, discourse = true, lexicon = true } = options;
  const added = names === undefined ? null : await readNames(names);
  return {
    folder,
    types: config.types,
    identity: { version: version(), config, flat, files, types, minScore, discourse, lexicon, added },
  };
}

/** Loads a model in this thread, or one in each of several workers that share the cores. */
export async function startEngine(
  folder: string,
  { workers, threads, options, lexicon }: EngineSettings,
): Promise<Engine> {
  if (workers > 1) {
    const share = Math.max(1, Math.floor(availableParallelism() / workers));
    return WorkerPool.start(workers, { model: folder, threads: threads ?? share, options, lexicon });
  }
  const settings = {
    ...(threads === undefined ? {} : { threads }),
    ...(lexicon === undefined ? {} : { lexicon }),
  };
  return new LocalEngine(await loadTagger(folder, settings), options);
}

/** As many workers as there are cores to use and input to share among them; 1 for standard input. */
export async function usualWorkers(files: readonly string[], threads = 1): Promise<number> {
  const cores = Math.max(1, Math.floor(availableParallelism() / threads));
  if (cores === 1 || files.length === 0) return 1;
  return Math.max(1, Math.min(cores, Math.floor((await pathBytes(files)) / BYTES_PER_WORKER)));
}

/** Whether an output is one that can be written again: a file or folder, or nothing yet. */
export async function isReplaceable(output: string): Promise<boolean> {
  return stat(output).then(
    (status) => status.isFile() || status.isDirectory(),
    () => true,
  );
}

function version(): unknown {
  const file = new URL('../../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version?: unknown }).version;
}
