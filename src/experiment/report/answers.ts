import type { AttentionResult } from '../attention.js';
import { diversityAnswer } from './attention-section.js';
import { differenceOf, f1Values, spreadOf, type Spread } from './cells.js';
import { cellAt, comparisonsOf, isRun, titleOf, verdictOf, type Comparison, type Sheet } from './sections.js';
import { percent, plural, signed } from './text.js';

/** The questions that a reader of the paper asks, answered by the statistics of the results alone. */
export function answersText(sheets: readonly Sheet[], attention?: AttentionResult): string {
  const named = (name: string): Sheet | undefined =>
    sheets.find((sheet) => sheet.experiment.name === name && isRun(sheet));
  const noise = seedNoise(named('ablation'));
  const answers = [
    ['Does the guidance of the attention change F1 beyond the noise of seeds?', guidanceAnswer(named('ablation'))],
    ['Does a prefix length of 11 matter?', sweepAnswer(named('prefix'), noise)],
    ['Which layer helps?', sweepAnswer(named('layers'), noise)],
    ['Does the weight alpha matter?', sweepAnswer(named('alpha'), noise)],
    ['Does the guidance make the heads differ?', diversityAnswer(attention)],
  ];
  return answers.map(([question, answer]) => `**${question}** ${answer}`).join('\n\n');
}

const NOT_RUN = 'Not run.';

function guidanceAnswer(sheet: Sheet | undefined): string {
  const comparisons = sheet === undefined ? [] : comparisonsOf(sheet);
  const full = comparisons.find(({ system }) => system === 'pamdfga');
  if (sheet === undefined || full === undefined) return NOT_RUN;
  const { difference, corrected } = full;
  const { low, high } = difference.interval;
  const size =
    `PAMDFGA (prefix and losses) against neither is ${signed(100 * difference.difference)} F1 on ${full.corpus} ` +
    `(${signed(100 * low)} to ${signed(100 * high)}, ${plural(difference.seeds, 'seed')})`;
  if (corrected === undefined) return `${size}; with one seed nothing can be said about seed noise.`;
  const found = verdictOf(full) === '**real**' ? 'beyond' : 'not beyond';
  const others = comparisons.filter(({ system }) => system !== 'pamdfga').map((each) => partText(sheet, each));
  const losses = sheet.systems.includes('prefix') ? [lossesText(sheet, full.corpus)] : [];
  return [`${size}, ${found} the noise (p = ${corrected.toFixed(3)}).`, ...others, ...losses].join(' ');
}

/** What the losses add to the prefix, which is the half of the question that the baseline does not answer. */
function lossesText(sheet: Sheet, corpus: string): string {
  const [prefix, full] = [cellAt(sheet, 'prefix', corpus), cellAt(sheet, 'pamdfga', corpus)];
  const losses = differenceOf(full, prefix);
  if (losses === undefined) return 'Whether the losses or the prefix alone make the difference was not measured.';
  const { low, high } = losses.interval;
  return (
    `The losses alone, PAMDFGA against the prefix without them: ${signed(100 * losses.difference)} ` +
    `(${signed(100 * low)} to ${signed(100 * high)}, ${plural(losses.seeds, 'seed')}` +
    (losses.pValue === undefined ? ').' : `, p = ${losses.pValue.toFixed(3)} uncorrected).`)
  );
}

function partText({ experiment }: Sheet, comparison: Comparison): string {
  const { system, difference } = comparison;
  const verdict = verdictOf(comparison).replaceAll('*', '');
  return `${capital(titleOf(experiment, system))}: ${signed(100 * difference.difference)} (${verdict}).`;
}

/** What the best value of a sweep gains, beside what seeds alone do. */
function sweepAnswer(sheet: Sheet | undefined, noise: Spread | undefined): string {
  const corpus = sheet?.corpora[0];
  if (sheet === undefined || corpus === undefined) return NOT_RUN;
  const values = sheet.systems.flatMap((system) => {
    const cell = cellAt(sheet, system, corpus);
    const devel = spreadOf(f1Values(cell, 'devel'));
    const test = spreadOf(f1Values(cell, 'test'));
    return devel === undefined || test === undefined
      ? []
      : [{ system, devel: devel.mean, test: test.mean, count: test.count }];
  });
  if (values.length < 2) return `Only ${plural(values.length, 'value')} of ${sheet.systems.length} run.`;
  const { experiment } = sheet;
  const name = (system: string): string => titleOf(experiment, system);
  const best = values.reduce((a, b) => (b.devel > a.devel ? b : a));
  const tests = values.map(({ test }) => test);
  const range = Math.max(...tests) - Math.min(...tests);
  const run = values.length < sheet.systems.length ? ` (${values.length} of ${sheet.systems.length} values run)` : '';
  const found = `Best on devel is ${name(best.system)} (devel ${percent(best.devel)}, test ${percent(best.test)})${run}`;
  const single = values.every(({ count }) => count === 1);
  const spread =
    noise?.deviation === undefined
      ? ''
      : `; seeds alone move the test score by a standard deviation of ${percent(noise.deviation)} ` +
        `(${plural(noise.count, 'seed')} of PAMDFGA in the ablation)`;
  return single
    ? `${found}. Each value has one seed, so no difference between them can be called real: their test scores lie within ` +
        `${percent(range)} of each other${spread}.`
    : `${found}; the test scores of all values lie within ${percent(range)} of each other.`;
}

function seedNoise(sheet: Sheet | undefined): Spread | undefined {
  const corpus = sheet?.corpora[0];
  if (sheet === undefined || corpus === undefined || !sheet.systems.includes('pamdfga')) return undefined;
  return spreadOf(f1Values(cellAt(sheet, 'pamdfga', corpus), 'test'));
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
