import { Command } from 'commander';
import { existsSync, statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import {
  CorpusStatistics,
  findSplits,
  type MentionOverlap,
  type SetStatistics,
  type Split,
} from '../../corpus/index.js';
import { InputError } from '../../errors.js';
import { lexiconText } from '../../tag/index.js';
import { collectLexicon } from '../../train/index.js';
import { readTrainingData } from '../../train/corpora.js';
import { addInputOptions, checkInput, print, readInputs, type InputOptions } from '../io.js';
import { columns } from '../style.js';

interface Options extends InputOptions {
  readonly mergeDevel?: boolean;
  readonly json?: boolean;
}

/** Train and devel together, as the paper trains. */
const MERGED = 'train + devel';

interface CorpusReport {
  readonly name: string;
  readonly sets: Readonly<Record<string, SetStatistics>>;
  /** What of the mentions of one split is known from others, by a name like `test in train`. */
  readonly overlap: Readonly<Record<string, MentionOverlap>>;
}

const stats = addInputOptions(new Command('stats'))
  .argument('<paths...>', 'corpus folders with train, devel and test files, or files')
  .description(
    'Counts sentences, mentions and different mentions of each type, lengths, nested and discontinuous mentions, and ' +
      'the overlap of mentions between the splits: Table 1 of the paper, and more.',
  )
  .option('--merge-devel', 'count train and devel together')
  .option('--json', 'print JSON')
  .action(run);

const lexicon = new Command('lexicon')
  .argument('<folders...>', 'corpus folders with train, devel and test files')
  .description(
    'Prints the names that the training sentences mark almost wherever they stand, as `tag --lexicon` and ' +
      '`model lexicon` read them. What is in a test split too (or, without --merge-devel, in a devel split) is left out.',
  )
  .option('--merge-devel', 'from train and devel together')
  .action(async (folders: readonly string[], { mergeDevel = false }: { readonly mergeDevel?: boolean }) => {
    const { train, types } = await readTrainingData(folders, mergeDevel);
    await print(lexiconText(collectLexicon(train, types)));
  });

export const command = new Command('corpus')
  .description('Describes annotated corpora.')
  .addCommand(stats)
  .addCommand(lexicon);

async function run(paths: readonly string[], options: Options): Promise<void> {
  checkInput(options);
  const reports: CorpusReport[] = [];
  for (const path of paths) reports.push(await reportOf(path, options));
  if (options.json === true) await print(`${JSON.stringify(reports, null, 2)}\n`);
  else await print(reports.map(reportText).join('\n'));
}

async function reportOf(path: string, options: Options): Promise<CorpusReport> {
  if (!existsSync(path)) throw new InputError('expected a file or folder, found nothing of that name', { file: path });
  const splits = statSync(path).isDirectory() ? await findSplits(path) : {};
  const found = Object.entries(splits);
  const parts = found.length > 0 ? found : [['all', path] as const];
  const sets = new Map<string, CorpusStatistics>();
  const isMerged = options.mergeDevel === true && splits.train !== undefined && splits.devel !== undefined;
  for (const [name, part] of parts) {
    const column = isMerged && (name === 'train' || name === 'devel') ? MERGED : name;
    const set = sets.get(column) ?? new CorpusStatistics();
    for await (const document of readInputs([part], options)) set.add(document);
    sets.set(column, set);
  }
  return {
    name: basename(resolve(path)),
    sets: Object.fromEntries([...sets].map(([name, set]) => [name, set.result()])),
    overlap: overlaps(sets),
  };
}

function overlaps(sets: ReadonlyMap<string, CorpusStatistics>): Record<string, MentionOverlap> {
  const pairs: [Split, (Split | typeof MERGED)[]][] = [
    ['devel', ['train']],
    ['test', ['train']],
    ['test', ['train', 'devel']],
    ['test', [MERGED]],
  ];
  const result: Record<string, MentionOverlap> = {};
  for (const [name, others] of pairs) {
    const set = sets.get(name);
    const known = others.flatMap((other) => sets.get(other) ?? []);
    if (set !== undefined && known.length === others.length) {
      result[`${name} in ${others.join(' + ')}`] = set.overlapWith(known);
    }
  }
  return result;
}

function reportText({ name, sets, overlap }: CorpusReport): string {
  const all = Object.values(sets);
  const row = (label: string, value: (set: SetStatistics) => string | number): string[] => [
    label,
    ...all.map((set) => String(value(set))),
  ];
  const types = [...new Set(all.flatMap((set) => Object.keys(set.types)))].sort();
  const lengths = ({ mean, median, max }: SetStatistics['sentenceWords']): string =>
    `${mean.toFixed(1)} / ${median} / ${max}`;
  const rows = [
    [name, ...Object.keys(sets)],
    row('documents', (set) => set.documents),
    row('sentences', (set) => set.sentences),
    row('  with mentions', (set) => set.sentencesWithMentions),
    row('words', (set) => set.words),
    row('mentions', (set) => set.mentions),
    row('different mentions', (set) => set.unique),
    ...types.flatMap((type) => [
      row(`  ${type}`, (set) => set.types[type]?.mentions ?? 0),
      row(`  ${type}, different`, (set) => set.types[type]?.unique ?? 0),
    ]),
    row('words of a sentence: mean / median / most', (set) => lengths(set.sentenceWords)),
    row('words of a mention: mean / median / most', (set) => lengths(set.mentionWords)),
    row('mentions of one word', (set) => set.single),
    row('nested mentions', (set) => set.nested),
    row('crossing mentions', (set) => set.crossing),
    row('discontinuous mentions', (set) => set.discontinuous),
  ];
  const known = Object.entries(overlap).map(([pair, of]) => {
    const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
    return `mentions of ${pair}: ${of.known} of ${of.mentions} (${percent(of.share)}), different ones ${of.knownUnique} of ${of.unique} (${percent(of.uniqueShare)})\n`;
  });
  return columns(rows) + known.join('');
}
