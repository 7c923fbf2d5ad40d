import type { CostResult } from '../cost.js';
import type { Experiment } from '../definition.js';
import type { Results } from '../results.js';
import { holm, LEVEL, type PairedDifference } from '../significance.js';
import { cellOf, differenceOf, f1Values, spreadOf, type Cell } from './cells.js';
import { costTable, isMeasured } from './cost-table.js';
import { percent, plural, protocolText, signed, spreadText, table } from './text.js';

/** An experiment with the cells of its table: systems by corpora. */
export interface Sheet {
  readonly experiment: Experiment;
  readonly systems: readonly string[];
  readonly corpora: readonly string[];
  readonly cells: readonly Cell[];
}

export function sheetOf(experiment: Experiment, results: Results): Sheet {
  const systems = Object.keys(experiment.systems);
  const corpora = Object.keys(experiment.corpora);
  const cells = systems.flatMap((system) => corpora.map((corpus) => cellOf(experiment, results, system, corpus)));
  return { experiment, systems, corpora, cells };
}

export function cellAt({ cells }: Sheet, system: string, corpus: string): Cell {
  const cell = cells.find((each) => each.system === system && each.corpus === corpus);
  if (cell === undefined) throw new RangeError(`expected a cell of the sheet, found ${system}, ${corpus}`);
  return cell;
}

export const titleOf = ({ systems }: Experiment, name: string): string => systems[name]?.title ?? name;

/** Whether anything of an experiment was run. */
export function isRun({ experiment, cells }: Sheet, cost?: CostResult): boolean {
  return experiment.kind === 'cost' ? isMeasured(experiment, cost) : cells.some(({ runs }) => runs.length > 0);
}

/** A difference from the baseline, with its p-value after Holm's correction over the experiment. */
export interface Comparison {
  readonly system: string;
  readonly corpus: string;
  readonly difference: PairedDifference;
  readonly corrected: number | undefined;
}

/** All systems against the baseline, corpus by corpus, where both have runs with the same seed. */
export function comparisonsOf(sheet: Sheet): Comparison[] {
  const { baseline } = sheet.experiment;
  if (baseline === undefined) return [];
  const found = sheet.cells.flatMap((cell) => {
    if (cell.system === baseline) return [];
    const difference = differenceOf(cell, cellAt(sheet, baseline, cell.corpus));
    return difference === undefined ? [] : [{ system: cell.system, corpus: cell.corpus, difference }];
  });
  const corrected = holm(found.map(({ difference }) => difference.pValue));
  return found.map((comparison, k) => ({ ...comparison, corrected: corrected[k] }));
}

/** Whether a difference is real: only a paired test over documents and seeds can say so. */
export function verdictOf({ corrected }: Comparison): string {
  if (corrected === undefined) return 'one seed: not tested';
  return corrected < LEVEL ? '**real**' : 'within noise';
}

/** The section of an experiment in Markdown. */
export function sectionText(sheet: Sheet, pictures: readonly string[], cost?: CostResult): string {
  const { experiment } = sheet;
  const { name, title, paper, question, notes, published } = experiment;
  const parts = [
    `## ${title} (${paper})`,
    question,
    protocolText(experiment),
    `\`\`\`sh\nebiobert experiment run ${name}\n\`\`\``,
  ];
  if (!isRun(sheet, cost)) parts.push('Not run.');
  else if (experiment.kind === 'cost') parts.push(costTable(experiment, cost));
  else {
    parts.push(scoreTable(sheet));
    const comparisons = comparisonsOf(sheet);
    if (comparisons.length > 0) parts.push(comparisonTable(sheet, comparisons));
    const guidance = guidanceTable(sheet);
    if (guidance !== undefined) parts.push(guidance);
  }
  for (const picture of pictures) {
    parts.push(`![${title}: F1 of each run, and the mean of each system](pictures/${picture})`);
  }
  if (published.length > 0) {
    const unit = experiment.kind === 'cost' ? 'seconds of an epoch' : 'test F1';
    parts.push(`Published, ${unit}:`, publishedTable(sheet));
  }
  parts.push(...notes);
  return parts.join('\n\n');
}

function scoreTable(sheet: Sheet): string {
  const { experiment, systems, corpora } = sheet;
  const row = (split: 'devel' | 'test', system: string, corpus: string): string =>
    spreadText(spreadOf(f1Values(cellAt(sheet, system, corpus), split)));
  const [corpus = '', ...others] = corpora;
  if (others.length === 0) {
    return table([
      [experiment.axis ?? 'system', `${corpus}, devel F1`, `${corpus}, test F1`],
      ...systems.map((system) => [
        titleOf(experiment, system),
        row('devel', system, corpus),
        row('test', system, corpus),
      ]),
    ]);
  }
  return table([
    ['system, test F1', ...corpora],
    ...systems.map((system) => [titleOf(experiment, system), ...corpora.map((each) => row('test', system, each))]),
  ]);
}

function comparisonTable({ experiment }: Sheet, comparisons: readonly Comparison[]): string {
  const baseline = titleOf(experiment, experiment.baseline ?? '');
  return table([
    [`against "${baseline}"`, 'corpus', 'test F1', '95 % interval', 'p (Holm)', 'verdict'],
    ...comparisons.map((comparison) => {
      const { system, corpus, difference, corrected } = comparison;
      const { low, high } = difference.interval;
      return [
        titleOf(experiment, system),
        corpus,
        `${signed(100 * difference.difference)} (${plural(difference.seeds, 'seed')})`,
        `${signed(100 * low)} to ${signed(100 * high)}`,
        corrected === undefined ? '' : corrected.toFixed(3),
        verdictOf(comparison),
      ];
    }),
  ]);
}

/** How large the guidance is beside the task loss, where systems differ in alpha. */
function guidanceTable({ experiment, cells }: Sheet): string | undefined {
  if (experiment.axis !== 'alpha') return undefined;
  const rows = cells.flatMap(({ system, runs }) => {
    const result = runs[0]?.result;
    const guidance = result?.config.model['guidance'];
    const [first, last] = [result?.epochs[0], result?.epochs.at(-1)];
    if (first === undefined || last === undefined || !hasAlpha(guidance)) return [];
    const part = (epoch: typeof first): string => {
      const added = guidance.alpha * epoch.guidance;
      return `${added.toPrecision(2)} beside ${epoch.loss.toPrecision(2)} (${((100 * added) / epoch.loss).toFixed(0)} %)`;
    };
    return [[titleOf(experiment, system), part(first), part(last)]];
  });
  if (rows.length === 0) return undefined;
  return `Alpha times the guidance beside the task loss:\n\n${table([['alpha', 'first epoch', 'last epoch'], ...rows])}`;
}

function hasAlpha(value: unknown): value is { readonly alpha: number } {
  return typeof value === 'object' && value !== null && 'alpha' in value && typeof value.alpha === 'number';
}

function publishedTable({ experiment: { published }, corpora }: Sheet): string {
  return table([
    ['system', ...corpora, 'source'],
    ...published.map(({ title, source, values }) => [
      title,
      ...corpora.map((corpus) => (values[corpus] === undefined ? '' : percent(values[corpus]))),
      source,
    ]),
  ]);
}
