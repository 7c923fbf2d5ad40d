import { access, mkdir, rename } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { InputError } from '../errors.js';
import { attempt } from '../weights/file-errors.js';
import { type CheckpointTensor, readCheckpointFile, writeCheckpointFile } from './checkpoint-file.js';
import type { ParameterStore, Region } from './parameters.js';

const count = z.int().nonnegative();

const stateSchema = z.strictObject({
  /** What the run was started with; a checkpoint resumes only the same configuration. */
  config: z.json(),
  seed: count,
  /** Updates made, and epochs finished. */
  step: count,
  epoch: count,
  /** Batches of the current epoch already trained on; 0 at an epoch's end. */
  batch: count,
  /** Running sums of the current epoch (losses, sentences, ...), for its log record. */
  sums: z.record(z.string(), z.number()),
  averageCount: count,
  /** Best development score so far and the epoch that had it; null before the first evaluation. */
  best: z.strictObject({ score: z.number(), epoch: count }).nullable(),
  /** Length of the training log when the checkpoint was made. */
  logBytes: count,
});

/** Where a run stands, next to its parameters and moments. Random numbers need no state: they are counted. */
export type TrainingState = z.infer<typeof stateSchema>;

export type CheckpointName = 'last' | 'previous' | 'best';

const RESUMABLE: readonly Region[] = ['values', 'firstMoments', 'secondMoments'];

/**
 * The checkpoints of one run: `last` and `previous` hold everything needed to go on (values, both moments, the average
 * if there is one, the state); `best` holds the weights of the best development score alone. A checkpoint replaces the
 * older one of its name only when it is on the disk in full.
 */
export class CheckpointFolder {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  file(name: CheckpointName): string {
    return path.join(this.folder, `${name}.safetensors`);
  }

  /** Saves the complete state as `last`; the `last` before becomes `previous`. Throws `InputError` on a full disk. */
  async saveLast(store: ParameterStore, state: TrainingState): Promise<void> {
    await this.#prepare();
    const next = path.join(this.folder, 'next.safetensors');
    await writeCheckpointFile(next, resumableTensors(store), state);
    if (await exists(this.file('last'))) await this.#rename(this.file('last'), this.file('previous'));
    await this.#rename(next, this.file('last'));
  }

  /** Saves the weights of `region` as `best`. To be called before the `saveLast` whose state names them as the best. */
  async saveBest(store: ParameterStore, region: 'values' | 'average', state: TrainingState): Promise<void> {
    await this.#prepare();
    await writeCheckpointFile(this.file('best'), tensorsOf(store, region, 'values'), state);
  }

  /** The checkpoint to go on from: `last`, or `previous` if a crash fell between the two renames; none yet: undefined. */
  async latest(): Promise<'last' | 'previous' | undefined> {
    if (await exists(this.file('last'))) return 'last';
    return (await exists(this.file('previous'))) ? 'previous' : undefined;
  }

  /**
   * Reads a checkpoint into the store and returns its state; `best` fills the values alone. Throws `InputError` for a
   * missing, damaged or foreign file, leaving the store as it was; the message names the checkpoint that is left.
   */
  async load(name: CheckpointName, store: ParameterStore): Promise<TrainingState> {
    const file = this.file(name);
    try {
      const tensors = name === 'best' ? tensorsOf(store, 'values') : resumableTensors(store);
      const parsed = stateSchema.safeParse(await readCheckpointFile(file, tensors));
      if (parsed.success) return parsed.data;
      const [issue] = parsed.error.issues;
      throw new InputError(`expected a training state, found '${issue?.path.join('.')}': ${issue?.message}`, { file });
    } catch (error) {
      if (!(error instanceof InputError) || name !== 'last' || !(await exists(this.file('previous')))) throw error;
      throw new InputError(
        `${error.message}; the checkpoint before it is ${this.file('previous')}: delete ${path.basename(file)} to resume there`,
        {},
        { cause: error },
      );
    }
  }

  async #prepare(): Promise<void> {
    await attempt(this.folder, 'make the checkpoint folder', mkdir(this.folder, { recursive: true }));
  }

  async #rename(from: string, to: string): Promise<void> {
    await attempt(to, 'write', rename(from, to));
  }
}

function resumableTensors(store: ParameterStore): CheckpointTensor[] {
  const regions: Region[] = store.has('average') ? [...RESUMABLE, 'average'] : [...RESUMABLE];
  return regions.flatMap((region) => tensorsOf(store, region));
}

function tensorsOf(store: ParameterStore, region: Region, label: Region = region): CheckpointTensor[] {
  return store.specs.map(({ name, shape }) => ({ name: `${label}/${name}`, shape, data: store.view(region, name) }));
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
