import { costRunsOf, measurementOf, type CostMeasurement, type CostResult } from '../cost.js';
import type { Experiment } from '../definition.js';
import { LEVEL, mean, variance } from '../significance.js';
import { twoSidedQuantile } from '../student.js';
import { signed, table } from './text.js';

/** Whether any of an experiment's corpora was measured under its configs. */
export function isMeasured(experiment: Experiment, cost: CostResult | undefined): boolean {
  return costRunsOf(experiment).some((run) => measurementOf(cost, run) !== undefined);
}

/** Seconds of an epoch of every system, and what each adds to the baseline, in Markdown. */
export function costTable(experiment: Experiment, cost: CostResult | undefined): string {
  const { baseline } = experiment;
  const columns = costRunsOf(experiment).map((run) => ({
    corpus: run.corpus,
    measured: measurementOf(cost, run),
  }));
  const row = (title: string, text: (measured: CostMeasurement) => string): string[] => [
    title,
    ...columns.map(({ measured }) => (measured === undefined ? 'not run' : text(measured))),
  ];
  const systems = Object.entries(experiment.systems);
  return table([
    ['seconds of an epoch', ...columns.map(({ corpus }) => corpus)],
    row('training sentences', ({ sentences }) => String(sentences)),
    row('batches, of them measured', ({ batches, seconds }) => `${batches}, ${Object.values(seconds)[0]?.length ?? 0}`),
    ...systems.map(([name, { title }]) => row(title, (measured) => epochOf(measured, name).toFixed(1))),
    ...systems
      .filter(([name]) => baseline !== undefined && name !== baseline)
      .map(([name, { title }]) => row(`added by "${title}"`, (measured) => addedText(measured, name, baseline ?? ''))),
  ]);
}

function secondsOf({ seconds }: CostMeasurement, system: string): readonly number[] {
  return seconds[system] ?? [];
}

function epochOf(measured: CostMeasurement, system: string): number {
  return measured.batches * mean(secondsOf(measured, system));
}

/** The mean difference over the batches with its 95 % interval, by Student's t over pairs of updates of one batch. */
function addedText(measured: CostMeasurement, system: string, baseline: string): string {
  const base = secondsOf(measured, baseline);
  const differences = secondsOf(measured, system).map((own, k) => own - (base[k] ?? 0));
  const { batches } = measured;
  const added = batches * mean(differences);
  const margin =
    differences.length < 2
      ? 0
      : batches *
        twoSidedQuantile(LEVEL, differences.length - 1) *
        Math.sqrt(variance(differences) / differences.length);
  const share = (100 * added) / epochOf(measured, baseline);
  return `${signed(added)} s (${signed(added - margin)} to ${signed(added + margin)}), ${signed(share)} %`;
}
