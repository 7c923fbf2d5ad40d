import { Command } from 'commander';
import { pathBytes } from '../../corpus/index.js';
import { UsageError } from '../../errors.js';
import type { Tagger } from '../../tag/index.js';
import {
  addInputOptions,
  checkInput,
  checkOutput,
  Faults,
  list,
  offsetUnit,
  print,
  readInputs,
  writeOutput,
  type InputOptions,
} from '../io.js';
import { beforeExit } from '../ending.js';
import { ProgressBar } from '../progress.js';
import { documentTable } from '../style.js';
import { Journal } from '../tagging/journal.js';
import { isReplaceable, openModel, startEngine, usualWorkers } from '../tagging/open.js';
import { taggedDocuments, type RunSettings } from '../tagging/run.js';
import { summarised } from '../tagging/summary-output.js';

interface Options extends InputOptions {
  readonly to?: string;
  readonly output?: string;
  readonly model?: string;
  readonly types?: readonly string[];
  readonly offsets?: string;
  readonly minScore?: number;
  readonly discourse?: boolean;
  readonly lexicon?: string | boolean;
  readonly threads?: number;
  readonly workers?: number;
  readonly resume?: boolean;
  readonly keepGoing?: boolean;
  readonly summary?: boolean;
  readonly perDocument?: boolean;
}

export const command = addInputOptions(
  new Command('tag')
    .argument('[files...]', 'files or folders; standard input where absent')
    .description('Finds entities and writes the documents with them: a table on a terminal, JSONL otherwise.'),
)
  .option('--to <format>', 'format of the output')
  .option('-o, --output <file>', 'file or folder to write; standard output where absent')
  .option('--model <model>', 'a bundled model, a model folder, or a Hugging Face id')
  .option('--types <list>', 'types to find, separated by commas; others do not compete for words', list)
  .option('--offsets <unit>', 'unit of offsets in JSONL: codepoint (default) or utf16')
  .option('--min-score <x>', 'leave out entities with a lower score', score)
  .option(
    '--no-discourse',
    'tag each sentence by itself: names that a text repeats or abbreviates are not marked alike',
  )
  .option('--lexicon <file>', 'mark these names too: type, name and perhaps score, divided by tabs')
  .option('--no-lexicon', "mark no names of the model's lexicon")
  .option('--workers <n>', 'models that work side by side; by cores and size of the input where absent', workerCount)
  .option('--threads <n>', 'threads of each model', threadCount)
  .option('--resume', 'go on where an interrupted run with the same --output stopped')
  .option('--keep-going', 'leave out documents that cannot be read, say so, and end with status 1')
  .option('--summary', 'print entities by name with their counts, instead of documents without --output')
  .option('--per-document', 'a summary for each document')
  .action(run);

async function run(files: readonly string[], options: Options): Promise<void> {
  const { output, summary = false, perDocument = false } = options;
  const to = options.to ?? 'jsonl';
  checkInput(options);
  if (output !== undefined || !summary) checkOutput(to, output);
  if (options.resume === true && output === undefined)
    throw new UsageError('expected --output with --resume, found none');
  if (perDocument && !summary) throw new UsageError('expected --summary with --per-document, found none');
  const offsets = offsetUnit(options.offsets);
  const choice = {
    ...(options.types === undefined ? {} : { types: options.types }),
    minScore: options.minScore ?? 0,
    discourse: options.discourse ?? true,
    lexicon: options.lexicon !== false,
  };
  const lexicon = typeof options.lexicon === 'string' ? options.lexicon : undefined;
  const model = await openModel(options.model, choice, lexicon);
  checkTypes(options.types, model);
  const workers = options.workers ?? (await usualWorkers(files, options.threads));
  const journal = await openJournal(options, model.identity);
  const engine = await startEngine(model.folder, { workers, threads: options.threads, options: choice, lexicon });
  const faults = options.keepGoing === true ? new Faults() : undefined;
  const progress = await progressOf(files, options);
  const isEnded = beforeExit(() => engine.close());
  let isDone = false;
  try {
    const inputs = readInputs(files, options, { faults, onBytes: progress.onBytes });
    const tagged = taggedDocuments(inputs, engine, { journal, ...progress.settings });
    const isTable = process.stdout.isTTY && options.to === undefined;
    const documents = summary ? summarised(tagged, { perDocument, offsets, isTable, onPrint: progress.clear }) : tagged;
    if (output !== undefined || (!summary && !isTable)) await writeOutput(documents, to, output, offsets);
    else for await (const document of documents) if (!summary) await print(documentTable(document));
    isDone = true;
  } catch (error) {
    if (journal?.isResumable === true) process.stderr.write('what was tagged so far is kept: go on with --resume\n');
    throw error;
  } finally {
    progress.clear();
    await engine.close();
    isEnded();
    await journal?.close(isDone);
  }
  if (journal !== undefined && journal.recovered > 0) {
    process.stderr.write(`${journal.recovered} documents were tagged by the interrupted run\n`);
  }
  faults?.print();
}

async function openJournal({ output, resume = false }: Options, identity: object): Promise<Journal | undefined> {
  if (output === undefined || !(await isReplaceable(output))) return undefined;
  return Journal.open(output, { ...identity }, resume);
}

interface TaggingProgress {
  readonly settings: RunSettings;
  readonly onBytes: (bytes: number) => void;
  readonly clear: () => void;
}

/** A bar on a terminal that shows nothing else: documents, sentences a second, time left by the bytes read. */
async function progressOf(
  files: readonly string[],
  { output, summary, perDocument }: Options,
): Promise<TaggingProgress> {
  const isFree = output !== undefined || !process.stdout.isTTY || (summary === true && perDocument !== true);
  if (!process.stderr.isTTY || !isFree || files.length === 0) {
    return { settings: {}, onBytes: () => undefined, clear: () => undefined };
  }
  const bar = new ProgressBar();
  const total = Math.max(1, await pathBytes(files));
  const started = performance.now();
  let read = 0;
  return {
    onBytes: (bytes) => {
      read += bytes;
    },
    settings: {
      position: () => read,
      onProgress: ({ documents, sentences, position }) => {
        const share = Math.min(0.999, position / total);
        if (sentences === 0) bar.begin(share);
        const rate = (1000 * sentences) / (performance.now() - started);
        bar.show(`${documents} documents  ${rate.toFixed(1)} sentences/s`, share);
      },
    },
    clear: () => {
      bar.clear();
    },
  };
}

export function checkTypes(types: readonly string[] | undefined, tagger: Pick<Tagger, 'types'>): void {
  for (const type of types ?? []) {
    if (!tagger.types.includes(type)) {
      throw new UsageError(`expected a type of the model (${tagger.types.join(', ')}), found ${type}`);
    }
  }
}

export function threadCount(value: string): number {
  return countOf('--threads', value);
}

function workerCount(value: string): number {
  return countOf('--workers', value);
}

function countOf(option: string, value: string): number {
  const count = Number(value);
  if (!Number.isInteger(count) || count < 1) throw new UsageError(`expected ${option} 1 or more, found ${value}`);
  return count;
}

function score(value: string): number {
  const number = Number(value);
  if (!(number >= 0 && number <= 1)) throw new UsageError(`expected --min-score from 0 to 1, found ${value}`);
  return number;
}
