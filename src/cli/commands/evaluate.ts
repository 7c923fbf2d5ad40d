import { Command } from 'commander';
import type { Document } from '../../corpus/index.js';
import { InputError, UsageError } from '../../errors.js';
import { loadTagger } from '../../node.js';
import {
  bootstrapIntervals,
  formatConll,
  scoresOf,
  spansKey,
  StrictScorer,
  type Interval,
  type MeasureIntervals,
  type Score,
  type ScoreIntervals,
  type Scores,
} from '../../score/index.js';
import { ConllScorer } from '../conll-scorer.js';
import { addInputOptions, checkInput, list, LossSummary, print, readInputs, type InputOptions } from '../io.js';
import { columns } from '../style.js';
import { checkTypes, threadCount } from './tag.js';

interface Options extends InputOptions {
  readonly model?: string;
  readonly types?: readonly string[];
  readonly predictions?: string;
  readonly predictionsFrom?: string;
  readonly intervals?: boolean;
  readonly conlleval?: boolean;
  readonly json?: boolean;
  readonly float32?: boolean;
  readonly discourse?: boolean;
  readonly lexicon?: string | boolean;
  readonly threads?: number;
}

export const command = addInputOptions(
  new Command('evaluate')
    .argument('[files...]', 'annotated files or folders; standard input where absent')
    .description(
      'Tags annotated documents and scores the result strictly: an entity is right with exactly its characters and its ' +
        'type. Types that the annotations lack are not looked for, as with `tag --types`.',
    ),
)
  .option('--model <model>', 'a bundled model, a model folder, or a Hugging Face id')
  .option('--float32', 'use the float32 graph of the model, not the quantised one')
  .option(
    '--no-discourse',
    'tag each sentence by itself: names that a text repeats or abbreviates are not marked alike',
  )
  .option('--lexicon <file>', 'mark these names too: type, name and perhaps score, divided by tabs')
  .option('--no-lexicon', "mark no names of the model's lexicon")
  .option('--types <list>', 'types to score; those that are annotated where absent', list)
  .option('--predictions <file>', "score this file's entities instead of a model's; documents are matched by id")
  .option('--predictions-from <format>', 'format of the predictions; guessed where absent')
  .option('--intervals', '95 % bootstrap intervals over documents')
  .option('--conlleval', 'score tags of words as conlleval does, and print what it prints')
  .option('--json', 'print JSON')
  .option('--threads <n>', 'threads of the model', threadCount)
  .action(run);

async function run(files: readonly string[], given: Options): Promise<void> {
  // To conlleval an I- tag that continues nothing is a beginning.
  const options = given.conlleval === true ? { ...given, repairTags: true } : given;
  checkInput(options);
  if (options.conlleval === true && options.intervals === true) {
    throw new UsageError('expected either --conlleval or --intervals, found both');
  }
  const scorer = new StrictScorer();
  const losses = new LossSummary();
  const conll = options.conlleval === true ? new ConllScorer(options.types, losses.add) : undefined;
  const annotated = new Set<string>();
  const predictedTypes = new Set<string>();
  const pairs = options.predictions === undefined ? taggedPairs(files, options) : predictedPairs(files, options);
  for await (const [gold, predicted] of pairs) {
    for (const { type } of gold.entities) annotated.add(type);
    for (const { type } of predicted.entities) predictedTypes.add(type);
    scorer.add(keys(gold), keys(predicted));
    conll?.add(gold, predicted);
  }
  if (scorer.units.length === 0) throw new InputError('expected annotated documents, found none');
  const types = options.types ?? [...annotated].sort();
  const known = new Set([...annotated, ...predictedTypes]);
  const unknown = options.predictions === undefined ? undefined : types.find((type) => !known.has(type));
  if (unknown !== undefined) {
    throw new UsageError(`expected a type of the documents (${[...known].sort().join(', ')}), found ${unknown}`);
  }
  if (types.length === 0) throw new InputError('expected annotated entities, found none');
  if (conll !== undefined) {
    const scores = conll.result();
    await print(options.json === true ? `${JSON.stringify(scores)}\n` : formatConll(scores));
    losses.print();
    return;
  }
  const units = scorer.units.map((unit) => new Map([...unit].filter(([type]) => types.includes(type))));
  const scores = scoresOf(units, types);
  const intervals = options.intervals === true ? bootstrapIntervals(units) : undefined;
  if (options.json === true) {
    await print(`${JSON.stringify(intervals === undefined ? scores : { ...scores, intervals })}\n`);
    return;
  }
  await print(scoreTable(scores, intervals));
}

function keys({ entities }: Document): { type: string; key: string }[] {
  return entities.map(({ type, spans }) => ({ type, key: spansKey(spans) }));
}

async function* taggedPairs(files: readonly string[], options: Options): AsyncGenerator<[Document, Document]> {
  const { discourse = true, lexicon = true } = options;
  const tagger = await loadTagger(options.model, {
    float32: options.float32 ?? false,
    ...(options.threads === undefined ? {} : { threads: options.threads }),
    ...(typeof lexicon === 'string' ? { lexicon } : {}),
  });
  try {
    checkTypes(options.types, tagger);
    const { documents, types } = await goldDocuments(files, options);
    const waiting: Document[] = [];
    const gold = async function* (): AsyncGenerator<Document> {
      for await (const document of documents) {
        waiting.push(document);
        yield document;
      }
    };
    for await (const predicted of tagger.tagDocuments(gold(), { discourse, lexicon: lexicon !== false, types })) {
      const document = waiting.shift();
      if (document !== undefined) yield [document, predicted];
    }
  } finally {
    await tagger.dispose();
  }
}

/** The annotated documents, and the types to look for: those asked for, else those annotated, which takes a first reading. */
async function goldDocuments(
  files: readonly string[],
  options: Options,
): Promise<{ readonly documents: AsyncIterable<Document> | Iterable<Document>; readonly types: readonly string[] }> {
  if (options.types !== undefined) return { documents: readInputs(files, options), types: options.types };
  const types = new Set<string>();
  const kept: Document[] = [];
  const isStream = files.length === 0;
  for await (const document of readInputs(files, options, { isQuiet: !isStream })) {
    for (const { type } of document.entities) types.add(type);
    if (isStream) kept.push(document);
  }
  return { documents: isStream ? kept : readInputs(files, options), types: [...types] };
}

async function* predictedPairs(files: readonly string[], options: Options): AsyncGenerator<[Document, Document]> {
  const { predictions = '', predictionsFrom, repairTags = false } = options;
  const settings = {
    repairTags,
    ...(options.map === undefined ? {} : { map: options.map }),
    ...(predictionsFrom === undefined ? {} : { from: predictionsFrom }),
  };
  const byId = new Map<string, Document>();
  for await (const document of readInputs([predictions], settings)) {
    if (byId.has(document.id))
      throw new InputError(`expected each document once, found ${document.id} twice`, { file: predictions });
    byId.set(document.id, document);
  }
  let matched = 0;
  for await (const gold of readInputs(files, options)) {
    const predicted = byId.get(gold.id);
    if (predicted !== undefined) {
      matched++;
      if (predicted.text !== gold.text) {
        throw new InputError(`expected the text of the annotated document ${gold.id}, found another`, {
          file: predictions,
        });
      }
    }
    yield [gold, predicted ?? { ...gold, entities: [] }];
  }
  if (matched === 0)
    throw new UsageError(`expected predictions with the ids of the documents, found none in ${predictions}`);
  const missing = byId.size - matched;
  if (missing > 0) {
    const documents = missing === 1 ? `1 document of ${predictions} is` : `${missing} documents of ${predictions} are`;
    process.stderr.write(`${documents} not among the annotated ones\n`);
  }
}

/** A row for each type and one for all; the interval of each F1 where there are intervals. */
function scoreTable({ overall, types }: Scores, intervals?: ScoreIntervals): string {
  const percent = (x: number): string => (100 * x).toFixed(2);
  const line = (name: string, score: Score, interval: MeasureIntervals | undefined): string[] => [
    name,
    percent(score.precision),
    percent(score.recall),
    percent(score.f1),
    String(score.gold),
    String(score.predicted),
    String(score.correct),
    ...(intervals === undefined ? [] : [interval === undefined ? '' : range(interval.f1)]),
  ];
  const range = ({ low, high }: Interval): string => `${percent(low)}-${percent(high)}`;
  const entries = Object.entries(types);
  return columns([
    [
      ...['type', 'precision', 'recall', 'F1', 'gold', 'predicted', 'correct'],
      ...(intervals === undefined ? [] : ['95 % of F1']),
    ],
    ...entries.map(([name, score]) => line(name, score, intervals?.types[name])),
    ...(entries.length > 1 ? [line('overall', overall, intervals?.overall)] : []),
  ]);
}
