import type { DocumentCounts } from '../counts.js';
import type { Experiment } from '../definition.js';
import { runFor, runsOf, type Run } from '../plan.js';
import type { Result, ResultEpoch, Results } from '../results.js';
import { mean, pairedDifference, variance, type PairedDifference } from '../significance.js';

/** A run that is done. */
export interface DoneRun {
  readonly run: Run;
  readonly result: Result;
  /** The epoch whose weights count. */
  readonly kept: ResultEpoch;
}

/** All runs of a system on a corpus: one cell of a table. */
export interface Cell {
  readonly system: string;
  readonly corpus: string;
  readonly runs: readonly DoneRun[];
  /** Seeds that the definition asks for. */
  readonly seeds: number;
}

/** The cell of a system on a corpus, with those of its runs that are done. */
export function cellOf(experiment: Experiment, results: Results, system: string, corpus: string): Cell {
  const planned = runsOf(experiment);
  const seeds = planned.filter((run) => run.system === system && run.config.corpora.includes(corpus));
  const runs = seeds.flatMap(({ seed }): DoneRun[] => {
    const run = runFor(planned, { system, corpus, seed });
    const result = run === undefined ? undefined : results.get(run.key);
    const kept = result?.epochs[result.kept - 1];
    return run === undefined || result === undefined || kept === undefined ? [] : [{ run, result, kept }];
  });
  return { system, corpus, runs, seeds: seeds.length };
}

/** F1 of each run of a cell, in percent. */
export function f1Values({ corpus, runs }: Cell, split: 'devel' | 'test'): number[] {
  return runs.flatMap(({ kept }) => {
    const score = kept[split][corpus];
    return score === undefined ? [] : [100 * score.f1];
  });
}

export interface Spread {
  readonly mean: number;
  /** Of a sample; undefined for one value. */
  readonly deviation: number | undefined;
  readonly maximum: number;
  readonly count: number;
}

export function spreadOf(values: readonly number[]): Spread | undefined {
  if (values.length === 0) return undefined;
  return {
    mean: mean(values),
    deviation: values.length > 1 ? Math.sqrt(variance(values)) : undefined,
    maximum: Math.max(...values),
    count: values.length,
  };
}

/** How the first cell differs from the second in test F1, by the seeds that both have; undefined where there is none. */
export function differenceOf(first: Cell, second: Cell): PairedDifference | undefined {
  const countsOf = ({ corpus, runs }: Cell): Map<number, DocumentCounts> =>
    new Map(
      runs.flatMap(({ run, result }) => {
        const counts = result.documents[corpus];
        return counts === undefined ? [] : [[run.seed, counts] as const];
      }),
    );
  const [a, b] = [countsOf(first), countsOf(second)];
  const pairs = [...a].flatMap(([seed, counts]) => {
    const other = b.get(seed);
    return other === undefined ? [] : [{ first: counts, second: other }];
  });
  return pairs.length === 0 ? undefined : pairedDifference(pairs);
}
