import { createHash } from 'node:crypto';
import type { z } from 'zod';
import type { Experiment, System } from './definition.js';

type Settings = Readonly<Record<string, z.core.util.JSONType>>;

/** Everything beside the seed that decides what a run gives. */
export interface RunConfig {
  /** Null for a model without a pretrained encoder. */
  readonly encoder: string | null;
  readonly corpora: readonly string[];
  /** Of the training sentences, `1/1` for all. */
  readonly share: string;
  readonly mergeDevel: boolean;
  /** What differs from the defaults of `train`; without the seed. */
  readonly model: Settings;
  readonly training: Settings;
}

/** One training: a config and a seed. The same run may belong to several experiments. */
export interface Run {
  /** Identifies config and seed: equal for equal ones, whatever experiment and system they are called by. */
  readonly key: string;
  /** For people: experiment, system, corpora, seed, beginning of the key. Also the name of files. */
  readonly name: string;
  readonly experiment: string;
  readonly system: string;
  readonly seed: number;
  readonly config: RunConfig;
}

/** The runs of an experiment can be narrowed from the command line. */
export interface PlanOptions {
  readonly systems?: readonly string[];
  readonly corpora?: readonly string[];
  readonly seeds?: readonly number[];
}

/** The runs of an experiment: systems in order, corpora in order, seeds in order. */
export function runsOf(experiment: Experiment, options: PlanOptions = {}): Run[] {
  const { systems, corpora, seeds } = options;
  const runs: Run[] = [];
  for (const [name, system] of Object.entries(experiment.systems)) {
    if (systems?.includes(name) === false) continue;
    for (const columns of trainedTogether(experiment, system)) {
      if (corpora !== undefined && !columns.some((corpus) => corpora.includes(corpus))) continue;
      for (const seed of seedsOf(experiment, columns)) {
        if (seeds?.includes(seed) === false) continue;
        runs.push(runOf(experiment, name, system, columns, seed));
      }
    }
  }
  return runs;
}

/** The run of a system that scores a corpus with a seed; undefined where the experiment has none. */
export function runFor(
  runs: readonly Run[],
  cell: { readonly system: string; readonly corpus: string; readonly seed: number },
): Run | undefined {
  return runs.find(
    ({ system, seed, config }) => system === cell.system && seed === cell.seed && config.corpora.includes(cell.corpus),
  );
}

/** SHA-256 of config and seed, whatever the order of their fields; the first 16 digits. */
export function runKey(config: RunConfig, seed: number): string {
  return createHash('sha256').update(canonical({ config, seed })).digest('hex').slice(0, 16);
}

function trainedTogether({ corpora }: Experiment, { together }: System): string[][] {
  return together === undefined ? Object.keys(corpora).map((corpus) => [corpus]) : [together];
}

function seedsOf({ corpora }: Experiment, columns: readonly string[]): number[] {
  return [...new Set(columns.flatMap((corpus) => corpora[corpus]?.seeds ?? []))].sort((a, b) => a - b);
}

function runOf(experiment: Experiment, name: string, system: System, corpora: readonly string[], seed: number): Run {
  const { protocol } = experiment;
  const model = { ...protocol.model, ...experiment.model, ...system.model };
  const ofCorpus = corpora.length === 1 ? protocol.corpora[corpora[0] ?? ''] : undefined;
  const config: RunConfig = {
    encoder: model['encoder'] === null ? null : protocol.encoder,
    corpora,
    // Cost is measured on single updates, for which a share would save nothing.
    share: experiment.kind === 'cost' ? '1/1' : protocol.share,
    mergeDevel: protocol.mergeDevel,
    model,
    training: { ...protocol.training, ...ofCorpus, ...experiment.training, ...system.training },
  };
  const key = runKey(config, seed);
  const where = corpora.length === 1 ? (corpora[0] ?? '') : 'together';
  return {
    key,
    name: `${experiment.name}.${name}.${where}.seed-${seed}.${key.slice(0, 8)}`,
    experiment: experiment.name,
    system: name,
    seed,
    config,
  };
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([name, of]) => `${JSON.stringify(name)}:${canonical(of)}`).join()}}`;
}
