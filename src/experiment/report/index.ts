import type { TopLevelSpec } from 'vega-lite';
import type { Experiment } from '../definition.js';
import type { Results } from '../results.js';
import type { Looks } from '../looks.js';
import { SENTENCES_OF_DOCUMENT } from '../significance.js';
import { answersText } from './answers.js';
import { attentionPictures } from './attention-pictures.js';
import { attentionText } from './attention-section.js';
import { casesText } from './cases-section.js';
import { picturesOf } from './pictures.js';
import { isRun, sectionText, sheetOf } from './sections.js';
import { plural } from './text.js';

export { draw, type Drawing } from './draw.js';

/** A report in Markdown, and its pictures by file name without ending. */
export interface Report {
  readonly text: string;
  readonly pictures: Readonly<Record<string, TopLevelSpec>>;
}

/** Sections in the order of an argument; those of other experiments follow. */
const ORDER = ['rates', 'systems', 'ablation', 'prefix', 'layers', 'alpha', 'cost'];

function inOrder(experiments: readonly Experiment[]): Experiment[] {
  const place = ({ name }: Experiment): number => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length);
  return experiments.toSorted((a, b) => place(a) - place(b));
}

/** What results say of experiments: their tables, tests, answers and pictures, and nothing from elsewhere. */
export function reportOf(experiments: readonly Experiment[], results: Results, looks: Looks = {}): Report {
  const sheets = inOrder(experiments).map((experiment) => sheetOf(experiment, results));
  const pictures: Record<string, TopLevelSpec> = {};
  const sections = sheets.map((sheet) => {
    const own = picturesOf(sheet);
    Object.assign(pictures, own);
    return sectionText(
      sheet,
      Object.keys(own).map((name) => `${name}.svg`),
      looks.cost,
    );
  });
  const maps = looks.attention === undefined ? {} : attentionPictures(looks.attention);
  Object.assign(pictures, maps);
  const notRun = sheets.filter((sheet) => !isRun(sheet, looks.cost)).map(({ experiment }) => experiment.title);
  const text = [
    '# Reproduction',
    'Written by `ebiobert experiment report` from the definitions and results in `experiments/` alone. A file of `results/` ' +
      'holds one run: its whole config, seed, scores of every epoch, counts of every test document, seconds and machine; ' +
      '`results/looks/` holds what kept models and timings showed.',
    introduction(results, notRun),
    '## Answers',
    answersText(sheets, looks.attention),
    ...sections,
    attentionText(looks.attention, Object.keys(maps)),
    casesText(looks.cases),
  ].join('\n\n');
  return { text: `${text}\n`, pictures };
}

function introduction(results: Results, notRun: readonly string[]): string {
  const machines = [
    ...new Set(
      results.all.map(
        ({ machine: { processor, cores, system, node } }) => `${processor}, ${cores} cores, ${system}, Node ${node}`,
      ),
    ),
  ];
  return [
    `${plural(results.all.length, 'run')}${machines.length > 0 ? ` on ${machines.join('; ')}` : ''}.`,
    'Scores are strict F1 in percent (exactly the words and the type). A cell says how many seeds it rests on: mean ± ' +
      'standard deviation and maximum for several, the score alone for one, "not run" for none. A difference is called ' +
      'real only if a paired test over test documents and seeds says so at 5 % after Holm’s correction; with one seed the ' +
      `interval is over documents alone and nothing is called real. Where a corpus marks no documents, ${SENTENCES_OF_DOCUMENT} consecutive ` +
      'sentences count as one. Runs were made beside other work, partly on different machines: their seconds say little, ' +
      'and only the cost table is a measurement of time.',
    notRun.length > 0 ? `Not run at all: ${notRun.join('; ')}.` : '',
  ]
    .filter(Boolean)
    .join(' ');
}
