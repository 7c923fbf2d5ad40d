import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  costRunsOf,
  LOOKS,
  looksText,
  measureCost,
  measurementOf,
  readLooks,
  type CostResult,
  type Experiment,
  type PlanOptions,
} from '../experiment/index.js';
import { nodeRuntime } from '../runtime/node.js';
import { attempt, writeFileAtomic } from '../weights/index.js';
import { print } from './io.js';
import type { ProgressBar } from './progress.js';

export interface RunCostOptions {
  readonly corpora: string;
  /** The folder of results. */
  readonly results: string;
  readonly findEncoder: (name: string) => Promise<string>;
  readonly threads?: number;
  readonly signal: AbortSignal;
  readonly bar: ProgressBar;
}

/**
 * `ebiobert experiment run` on an experiment of the kind `cost`: measures its systems corpus by corpus. A corpus that was
 * measured under the same configs is not measured again; what is done is saved before the next begins.
 */
export async function runCost(
  experiment: Experiment,
  narrowed: PlanOptions,
  { corpora, results, findEncoder, threads, signal, bar }: RunCostOptions,
): Promise<void> {
  const file = join(results, LOOKS.cost);
  let result: CostResult = (await readLooks(results)).cost ?? { format: 1, corpora: [] };
  for (const run of costRunsOf(experiment, narrowed)) {
    const name = `${experiment.name}.${run.corpus}`;
    if (measurementOf(result, run) === undefined) {
      if (!existsSync(join(corpora, run.corpus))) {
        bar.log(`${name}: left out, ${run.corpus} not in ${corpora}`);
        continue;
      }
      bar.log(name);
      const encoder = run.runs.map(({ config }) => config.encoder).find((each) => each !== null);
      const measured = await measureCost(
        run,
        {
          corpora,
          signal,
          ...(encoder === undefined || encoder === null ? {} : { encoder: await findEncoder(encoder) }),
          ...(threads === undefined ? {} : { threads }),
        },
        nodeRuntime,
        (done, all) => {
          bar.show(`${name}  ${done} of ${all} batches`, done / all);
        },
      );
      bar.clear();
      // Of the same corpus an older measurement under other configs gives way.
      const others = result.corpora.filter(({ corpus }) => corpus !== run.corpus);
      result = { format: 1, corpora: [...others, measured] };
      await attempt(dirname(file), 'write', mkdir(dirname(file), { recursive: true }));
      await writeFileAtomic(file, looksText(result));
    }
    await print(`${name}\n`);
  }
}
