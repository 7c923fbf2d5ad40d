import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { InputError } from '../errors.js';
import { attempt, writeFileAtomic } from '../weights/index.js';
import { documentCountsSchema } from './counts.js';
import { runKey } from './plan.js';

const settings = z.record(z.string(), z.json());
const count = z.int().min(0);
const share = z.number().min(0).max(1);

const scoreSchema = z.strictObject({
  precision: share,
  recall: share,
  f1: share,
  gold: count,
  predicted: count,
  correct: count,
});

const epochSchema = z.strictObject({
  epoch: z.int().positive(),
  /** Mean task loss of the updates, and mean of the guidance before alpha. */
  loss: z.number(),
  guidance: z.number(),
  sentences: count,
  /** Seconds in updates, without scoring. */
  seconds: z.number().min(0),
  /** Strict scores by corpus, over the types that it annotates. */
  devel: z.record(z.string(), scoreSchema),
  test: z.record(z.string(), scoreSchema),
});

export const machineSchema = z.strictObject({
  processor: z.string(),
  cores: count,
  /** Threads asked for; null for as many as the engine takes. */
  threads: count.nullable(),
  memoryGB: z.number(),
  system: z.string(),
  node: z.string(),
});

const resultSchema = z.strictObject({
  format: z.literal(1),
  /** What the run was called when it was made. */
  experiment: z.string(),
  system: z.string(),
  config: z.strictObject({
    encoder: z.string().nullable(),
    corpora: z.array(z.string()),
    share: z.string(),
    mergeDevel: z.boolean(),
    model: settings,
    training: settings,
  }),
  seed: count,
  /** The whole settings, with all defaults as they were. */
  resolved: z.strictObject({ model: settings, training: settings, corpora: z.array(settings) }),
  parameters: count,
  epochs: z.array(epochSchema).min(1),
  /** The epoch whose weights count: the best on devel, the last where devel was trained on. */
  kept: z.int().positive(),
  /** Counts of every test document at that epoch, by corpus. */
  documents: z.record(z.string(), documentCountsSchema),
  machine: machineSchema,
  version: z.string(),
});

export type Result = z.infer<typeof resultSchema>;
export type ResultEpoch = z.infer<typeof epochSchema>;

/** The committed results, one JSON file each. A result is found by its config and seed, never by its file's name. */
export class Results {
  readonly #byKey = new Map<string, { readonly file: string; readonly result: Result }>();

  private constructor(readonly folder: string) {}

  /**
   * Reads all results of a folder; none when it does not exist.
   * @throws InputError for a file that is no result, and for two files of one run
   */
  static async open(folder: string): Promise<Results> {
    const results = new Results(folder);
    const names = await readdir(folder).catch(() => []);
    for (const name of names.filter((each) => each.endsWith('.json')).sort()) {
      results.#add(join(folder, name), await readResult(join(folder, name)));
    }
    return results;
  }

  get all(): readonly Result[] {
    return [...this.#byKey.values()].map(({ result }) => result);
  }

  get keys(): readonly string[] {
    return [...this.#byKey.keys()];
  }

  get(key: string): Result | undefined {
    return this.#byKey.get(key)?.result;
  }

  /** Writes a result under `<name>.json`; the file is there completely or not at all. */
  async save(name: string, result: Result): Promise<string> {
    const file = join(this.folder, `${name}.json`);
    await attempt(this.folder, 'write', mkdir(this.folder, { recursive: true }));
    await writeFileAtomic(file, resultText(result));
    this.#add(file, result);
    return file;
  }

  #add(file: string, result: Result): void {
    const key = runKey(result.config, result.seed);
    const known = this.#byKey.get(key);
    if (known !== undefined && known.file !== file) {
      throw new InputError(`expected one result of each run, found the same run in ${known.file}`, { file });
    }
    this.#byKey.set(key, { file, result });
  }
}

/** JSON with an epoch a line, so that a file is short and its changes can be read. */
function resultText({ epochs, ...rest }: Result): string {
  const lines = JSON.stringify({ ...rest, epochs: [] }, null, 1).split('\n');
  const rows = epochs.map((epoch) => `  ${JSON.stringify(epoch)}`).join(',\n');
  return `${lines.map((line) => (line === ' "epochs": []' ? ` "epochs": [\n${rows}\n ]` : line)).join('\n')}\n`;
}

async function readResult(file: string): Promise<Result> {
  const text = await attempt(file, 'read', readFile(file, 'utf8'));
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new InputError(`expected JSON, found ${String(cause)}`, { file }, { cause });
  }
  const parsed = resultSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new InputError(`${issue?.path.join('.') || 'result'}: ${issue?.message ?? 'impossible'}`, { file });
}
