import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { InputError, UsageError } from '../errors.js';
import { attempt } from '../weights/index.js';

const settings = z.record(z.string(), z.json());
const f1 = z.number().min(0).max(100);

/** What all systems of a comparison share: encoder, epochs, rates. `experiments/protocols/NAME.json`. */
const protocolSchema = z.strictObject({
  title: z.string().min(1),
  /** Name of the pretrained encoder: a folder of `--encoders`, or a Hugging Face id. */
  encoder: z.string().min(1),
  /** Train on train and devel together and keep the last epoch, as the paper does for its final figures. */
  mergeDevel: z.boolean().default(false),
  /** The share of the training sentences that is trained on, `1/3` or the like: every third, whatever the seed. */
  share: z
    .string()
    .regex(/^[1-9]\d*\/[1-9]\d*$/)
    .refine((share) => partOf(share) <= 1, { error: 'expected at most 1/1' })
    .default('1/1'),
  model: settings.default({}),
  training: settings.default({}),
  /** Training settings of single corpora, before those above. */
  corpora: z.record(z.string(), settings).default({}),
});

const systemSchema = z.strictObject({
  title: z.string().min(1),
  /** Model settings that differ from the defaults; `"encoder": null` is a model without a pretrained encoder. */
  model: settings.default({}),
  training: settings.default({}),
  /** Corpora that one model is trained on together; its scores fill their columns. */
  together: z.array(z.string().min(1)).min(2).optional(),
});

const publishedSchema = z.strictObject({
  title: z.string().min(1),
  /** Where the figures are from, for a reader to look up. */
  source: z.string().min(1),
  /** By corpus: test F1 in percent, or seconds of an epoch where the experiment measures cost. */
  values: z.record(z.string(), f1),
});

const definitionSchema = z
  .strictObject({
    title: z.string().min(1),
    /** Table or figure of Guan and Zhou (2023) that it belongs to. */
    paper: z.string().min(1),
    /** What a reader wants to know from it. */
    question: z.string().min(1),
    /**
     * `scores`: systems by corpora; `sweep`: the systems are the values of one setting, in order; `cost`: seconds of an
     * epoch over all training sentences, systems by corpora, measured and not trained.
     */
    kind: z.enum(['scores', 'sweep', 'cost']),
    /** Name of the protocol; `--protocol` overrules. */
    protocol: z.string().min(1),
    /** Corpora, and the seeds of the runs on each. */
    corpora: z.record(z.string(), z.strictObject({ seeds: z.array(z.int().min(0)).min(1) })),
    model: settings.default({}),
    training: settings.default({}),
    /** The system that the others are compared with. */
    baseline: z.string().optional(),
    /** What the values of a sweep are, for its picture. */
    axis: z.string().optional(),
    /** Systems by name, in the order of the tables. */
    systems: z.record(z.string().regex(/^[\w.-]+$/), systemSchema),
    published: z.array(publishedSchema).default([]),
    notes: z.array(z.string()).default([]),
  })
  .refine(({ systems, baseline }) => baseline === undefined || baseline in systems, {
    error: 'expected the name of one of the systems',
    path: ['baseline'],
  });

export type Protocol = z.infer<typeof protocolSchema> & { readonly name: string };
export type System = z.infer<typeof systemSchema>;
export type Experiment = Omit<z.infer<typeof definitionSchema>, 'protocol'> & {
  readonly name: string;
  readonly protocol: Protocol;
};

/** A share like `1/3` as a number. */
export function partOf(share: string): number {
  const [part = 1, whole = 1] = share.split('/').map(Number);
  return part / whole;
}

/** What takes the place of an experiment's own. */
export interface ReadOptions {
  /** The name of a protocol. */
  readonly protocol?: string;
  /** What results call a pretrained encoder. */
  readonly encoder?: string;
}

/**
 * The experiments of a folder, sorted by name: its JSON files but for those that are configs of `train`
 * (`model` and `training` alone).
 * @throws InputError for a file that is no definition, naming what is wrong in it
 */
export async function readExperiments(folder: string, { protocol, encoder }: ReadOptions = {}): Promise<Experiment[]> {
  const names = await attempt(folder, 'read', readdir(folder));
  const experiments: Experiment[] = [];
  for (const file of names.filter((name) => name.endsWith('.json')).sort()) {
    const path = join(folder, file);
    const json = await readJson(path);
    if (isTrainConfig(json)) continue;
    const definition = checked(definitionSchema, json, path);
    const own = await readProtocol(folder, protocol ?? definition.protocol);
    experiments.push({
      ...definition,
      name: basename(file, '.json'),
      protocol: encoder === undefined ? own : { ...own, encoder },
    });
  }
  return experiments;
}

/** @throws UsageError for a name that no experiment has */
export function experimentsNamed(all: readonly Experiment[], names: readonly string[]): Experiment[] {
  const known = all.map(({ name }) => name).join(', ');
  return names.map((name) => {
    const found = all.find((experiment) => experiment.name === name);
    if (found === undefined) throw new UsageError(`expected an experiment (${known}), found ${name}`);
    return found;
  });
}

async function readProtocol(folder: string, name: string): Promise<Protocol> {
  const path = join(folder, 'protocols', `${name}.json`);
  return { ...checked(protocolSchema, await readJson(path), path), name };
}

function isTrainConfig(json: unknown): boolean {
  return typeof json === 'object' && json !== null && Object.keys(json).every((key) => /^(model|training)$/.test(key));
}

async function readJson(file: string): Promise<unknown> {
  const text = await attempt(file, 'read', readFile(file, 'utf8'));
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new InputError(`expected JSON, found ${String(cause)}`, { file }, { cause });
  }
}

function checked<T>(schema: z.ZodType<T>, json: unknown, file: string): T {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new InputError(`${issue?.path.join('.') || 'experiment'}: ${issue?.message ?? 'impossible'}`, { file });
}
