import { Command } from 'commander';
import { existsSync } from 'node:fs';
import { access, readdir, stat } from 'node:fs/promises';
import { openCorpus, typeMap } from '../../corpus/index.js';
import { InputError, UsageError } from '../../errors.js';
import { nodeRuntime } from '../../runtime/node.js';
import { runTraining, type LostEntities, type RunHooks } from '../../train/index.js';
import { attempt, cacheFolder, MODEL_FILES, readJsonObject, resolveModel } from '../../weights/index.js';
import { print } from '../io.js';
import { ProgressBar } from '../progress.js';
import { trainingProgress } from '../training-progress.js';
import { threadCount } from './tag.js';

interface Options {
  readonly corpus: readonly string[];
  readonly encoder?: string;
  readonly fromModel?: string;
  readonly teacher?: readonly string[];
  readonly gazetteer?: string;
  readonly map?: readonly string[];
  readonly output: string;
  readonly config?: string;
  readonly mergeDevel?: boolean;
  readonly resume?: boolean;
  readonly epochs?: number;
  readonly seed?: number;
  readonly threads?: number;
}

export const command = new Command('train')
  .description(
    'Trains a model on corpora (folders with train, devel and test files), scores it on devel after every epoch, and ' +
      'writes the best as a model folder. Checkpoints and the log go to OUTPUT.run.',
  )
  .requiredOption('--corpus <folder...>', 'corpora to train on')
  .option('--map <A=B>', 'what the corpora call A is type B (repeatable)', collect)
  .option('--encoder <folder or id>', 'a pretrained BERT: a folder, or a Hugging Face id')
  .option('--from-model <folder>', 'go on from a trained model instead')
  .option(
    '--teacher <model...>',
    'trained models (names or folders) whose mean probabilities are learned beside the labels',
  )
  .option('--gazetteer <file>', 'names of vocabularies to mark in the input: class, name and perhaps "exact", by tabs')
  .requiredOption('-o, --output <folder>', 'the model folder to write')
  .option('--config <file>', 'JSON with "model" and "training" settings that differ from the defaults')
  .option('--merge-devel', 'train on train and devel together, without selection')
  .option('--epochs <n>', 'epochs, before those of the config', whole('--epochs', 1))
  .option('--seed <n>', 'seed, before that of the config', whole('--seed', 0))
  .option('--resume', 'go on where an earlier run with the same settings stopped')
  .option('--threads <n>', 'threads of the engine', threadCount)
  .action(run);

function collect(value: string, earlier: readonly string[] = []): string[] {
  return [...earlier, value];
}

function whole(option: string, least: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (Number.isInteger(number) && number >= least) return number;
    throw new UsageError(`expected a whole number of ${least} or more for ${option}, found ${value}`);
  };
}

async function run(options: Options): Promise<void> {
  const { encoder, fromModel } = options;
  if (encoder !== undefined && fromModel !== undefined) {
    throw new UsageError('expected either --encoder or --from-model, found both');
  }
  if (options.gazetteer !== undefined && fromModel !== undefined) {
    throw new UsageError('expected either --gazetteer or --from-model, which has its own names, found both');
  }
  const types = typeMap(options.map ?? []);
  await checkFolder(options.output);
  if (encoder !== undefined) {
    // Before it is downloaded for them.
    for (const folder of options.corpus) await openCorpus(folder, {}, []);
    if (options.gazetteer !== undefined) await attempt(options.gazetteer, 'read', access(options.gazetteer));
  }
  const interrupt = new AbortController();
  process.once('SIGINT', () => {
    interrupt.abort();
  });
  const { output } = await runTraining(
    {
      corpora: options.corpus,
      types,
      output: options.output,
      config: await settings(options),
      ...(options.config === undefined ? {} : { configFile: options.config }),
      ...(encoder === undefined
        ? {}
        : { encoder: await encoderFolder(encoder, interrupt.signal), encoderName: encoder }),
      ...(fromModel === undefined ? {} : { fromModel }),
      ...(options.teacher === undefined ? {} : { teachers: options.teacher }),
      ...(options.gazetteer === undefined ? {} : { gazetteer: options.gazetteer }),
      mergeDevel: options.mergeDevel ?? false,
      resume: options.resume ?? false,
      ...(options.threads === undefined ? {} : { threads: options.threads }),
      command: ['ebiobert', ...process.argv.slice(2).filter((word) => word !== '--resume')].join(' '),
      signal: interrupt.signal,
    },
    nodeRuntime,
    hooks(),
  );
  await print(`${output}\n`);
}

/** Hours of training must not end at a folder that holds something else, nor take its place. */
async function checkFolder(output: string): Promise<void> {
  if (!existsSync(output)) return;
  if (!(await attempt(output, 'read', stat(output))).isDirectory()) {
    throw new InputError('expected a folder to write the model to, found a file', { file: output });
  }
  const own = new Set(Object.values(MODEL_FILES).map((name) => name.split('/', 1)[0]));
  const foreign = (await attempt(output, 'read', readdir(output))).filter((name) => !own.has(name));
  if (foreign.length === 0) return;
  throw new InputError(
    `expected an empty folder or a model to replace, found ${foreign.sort().slice(0, 3).join(', ')}`,
    {
      file: output,
    },
  );
}

async function settings({ config, epochs, seed }: Options): Promise<unknown> {
  const file = config === undefined ? {} : await readJsonObject(config);
  const training = { ...(epochs === undefined ? {} : { epochs }), ...(seed === undefined ? {} : { seed }) };
  if (Object.keys(training).length === 0) return file;
  const before = file['training'] ?? {};
  return typeof before === 'object' ? { ...file, training: { ...before, ...training } } : file;
}

/**
 * The folder of an encoder: itself, or a Hugging Face id's in the cache, downloaded where it is not there yet. Ends by
 * the signal; what arrived is kept for the next call.
 */
export async function encoderFolder(encoder: string, signal?: AbortSignal): Promise<string> {
  if (existsSync(encoder)) return encoder;
  const bar = new ProgressBar();
  let before = -1;
  try {
    return await resolveModel(encoder, {
      onProgress: ({ file, received, total }) => {
        if (before < 0) bar.log(`downloading ${encoder}, ${megabytes(total)} MB, to ${cacheFolder()}`);
        if (received === before) return;
        before = received;
        bar.show(`${file}  ${megabytes(received)} of ${megabytes(total)} MB`, received / Math.max(1, total));
      },
      onWarning: (message) => {
        bar.log(message);
      },
      ...(signal === undefined ? {} : { signal }),
    });
  } finally {
    bar.clear();
  }
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);

function hooks(): RunHooks {
  const bar = new ProgressBar();
  const progress = trainingProgress(bar);
  return {
    ...progress,
    onStart(info) {
      const { data, parameters, updates, unused, names, lost, teachersOfDevel } = info;
      for (const { name, types, sentences: kept, dropped } of data.corpora) {
        bar.log(
          `${name}: ${types.join(', ')}, ${kept} sentences${dropped === 0 ? '' : `, ${dropped} left out that held-out splits contain`}`,
        );
      }
      if (names.length > 0) {
        bar.log(`names: ${names.map(({ class: type, count }) => `${count.toLocaleString('en')} ${type}`).join(', ')}`);
      }
      if (!data.flat) bar.log('overlapping or discontinuous entities: what overlaps is kept ("flat": false)');
      const left = lostLine(lost);
      if (left !== undefined) bar.log(left);
      for (const teacher of teachersOfDevel) {
        bar.log(`${teacher} was trained on devel splits: the scores on devel say too much`);
      }
      if (unused.length > 0) bar.log(`unused tensors of the encoder: ${unused.join(', ')}`);
      bar.log(`${(parameters / 1e6).toFixed(1)} M parameters, ${updates} updates`);
      progress.onStart(info);
    },
  };
}

/** What is printed of the entities that training does not see; nothing where it sees all. */
function lostLine(lost: readonly LostEntities[]): string | undefined {
  const total = (reason: Exclude<keyof LostEntities, 'corpus'>): number =>
    lost.reduce((sum, counts) => sum + counts[reason], 0);
  const reasons = [
    { count: total('acrossSentences'), what: 'across sentence ends' },
    { count: total('acrossWindows'), what: 'cut by encoder windows' },
    { count: total('inexpressible'), what: 'that the labels cannot say' },
  ].filter(({ count }) => count > 0);
  if (reasons.length === 0) return undefined;
  const all = reasons.reduce((sum, { count }) => sum + count, 0);
  return `not trained on as annotated: ${all} entities, ${reasons.map(({ count, what }) => `${count} ${what}`).join(', ')}`;
}
