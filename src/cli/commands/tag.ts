import { Command } from 'commander';
import { UsageError } from '../../errors.js';
import { loadTagger } from '../../node.js';
import type { Tagger } from '../../tag/index.js';
import {
  addInputOptions,
  checkInput,
  checkOutput,
  list,
  offsetUnit,
  print,
  readInputs,
  writeOutput,
  type InputOptions,
} from '../io.js';
import { documentTable } from '../style.js';

interface Options extends InputOptions {
  readonly to?: string;
  readonly output?: string;
  readonly model?: string;
  readonly types?: readonly string[];
  readonly offsets?: string;
  readonly minScore?: number;
  readonly threads?: number;
}

export const command = addInputOptions(
  new Command('tag')
    .argument('[files...]', 'files or folders; standard input where absent')
    .description('Finds entities and writes the documents with them: a table on a terminal, JSONL otherwise.'),
)
  .option('--to <format>', 'format of the output')
  .option('-o, --output <file>', 'file or folder to write; standard output where absent')
  .option('--model <model>', 'a bundled model, a model folder, or a Hugging Face id')
  .option('--types <list>', 'types to report, separated by commas', list)
  .option('--offsets <unit>', 'unit of offsets in JSONL: codepoint (default) or utf16')
  .option('--min-score <x>', 'leave out entities with a lower score', score)
  .option('--threads <n>', 'threads of the model', threadCount)
  .action(run);

async function run(files: readonly string[], options: Options): Promise<void> {
  const table = options.to === undefined && options.output === undefined && process.stdout.isTTY;
  const to = options.to ?? 'jsonl';
  checkInput(options);
  checkOutput(to, options.output);
  const offsets = offsetUnit(options.offsets);
  const tagger = await loadTagger(options.model, options.threads === undefined ? {} : { threads: options.threads });
  try {
    checkTypes(options.types, tagger);
    const documents = tagger.tagDocuments(readInputs(files, options), {
      ...(options.types === undefined ? {} : { types: options.types }),
      minScore: options.minScore ?? 0,
    });
    if (table) for await (const document of documents) await print(documentTable(document));
    else await writeOutput(documents, to, options.output, offsets);
  } finally {
    await tagger.dispose();
  }
}

export function checkTypes(types: readonly string[] | undefined, tagger: Tagger): void {
  for (const type of types ?? []) {
    if (!tagger.types.includes(type)) {
      throw new UsageError(`expected a type of the model (${tagger.types.join(', ')}), found ${type}`);
    }
  }
}

export function threadCount(value: string): number {
  const threads = Number(value);
  if (!Number.isInteger(threads) || threads < 1) throw new UsageError(`expected --threads 1 or more, found ${value}`);
  return threads;
}

function score(value: string): number {
  const number = Number(value);
  if (!(number >= 0 && number <= 1)) throw new UsageError(`expected --min-score from 0 to 1, found ${value}`);
  return number;
}
