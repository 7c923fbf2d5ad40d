import { Command, Option } from 'commander';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { InputError, UsageError } from '../../errors.js';
import {
  costRunsOf,
  draw,
  epochsDone,
  executeRun,
  experimentsNamed,
  measurementOf,
  missingCorpora,
  readLooks,
  reportOf,
  Results,
  runsOf,
  type CostResult,
  type Experiment,
  type PlanOptions,
  type Run,
} from '../../experiment/index.js';
import { attempt, writeFileAtomic } from '../../weights/index.js';
import { nodeRuntime } from '../../runtime/node.js';
import { list, print } from '../io.js';
import { ProgressBar } from '../progress.js';
import { columns } from '../style.js';
import { threadCount } from './tag.js';
import { runCost } from '../cost.js';
import { definitions, type Definitions } from '../definitions.js';
import { attentionCommand, casesCommand } from '../looks.js';
import { trainingProgress } from '../training-progress.js';
import { encoderFolder } from './train.js';

interface Folders extends Definitions {
  readonly results?: string;
  readonly work: string;
}

interface RunCommandOptions extends Folders {
  readonly corpora: string;
  readonly encoders: string;
  readonly systems?: readonly string[];
  readonly only?: readonly string[];
  readonly seeds?: readonly number[];
  readonly keepModel?: boolean;
  readonly threads?: number;
}

function withFolders(command: Command): Command {
  return command
    .option('--experiments <folder>', 'the definitions', 'experiments')
    .option('--results <folder>', 'the results; by default in the folder of the definitions')
    .option('--work <folder>', 'checkpoints of runs under way', 'runs/experiments')
    .option('--protocol <name>', "takes the place of each experiment's own protocol")
    .option('--encoder <folder or id>', "takes the place of the protocol's encoder");
}

const corporaOption = new Option('--corpora <folder>', 'the corpora, each in a folder of its name').default(
  '../shared/corpora',
);

const corpusOption = new Option('--corpus <name>', 'the corpus of the runs, on whose devel split to look').default(
  'ncbi-disease',
);

const listCommand = withFolders(new Command('list'))
  .argument('[names...]', 'experiments whose runs to list; all experiments, without their runs, where absent')
  .description('Lists experiments and how many of their runs are done, or the runs of some.')
  .option('--json', 'print JSON')
  .action(listExperiments);

const runCommand = withFolders(new Command('run'))
  .argument('<names...>', 'experiments')
  .description(
    'Makes the runs of experiments that have no result yet, one after the other. A run that was stopped or killed goes ' +
      'on from its last checkpoint.',
  )
  .addOption(corporaOption)
  .option('--encoders <folder>', 'pretrained encoders, each in a folder of its name', '../shared/encoders')
  .option('--systems <names>', 'only these systems', list)
  .option('--only <corpora>', 'only runs on these corpora', list)
  .option('--seeds <numbers>', 'only these seeds', seedList)
  .option('--keep-model', 'keep the trained models in the work folder')
  .option('--threads <n>', 'threads of the engine', threadCount)
  .action(runExperiments);

const reportCommand = withFolders(new Command('report'))
  .description('Writes what the results say: tables, tests, answers and pictures. Nothing is trained or measured.')
  .option('-o, --output <file>', 'the report; its pictures go to the folder pictures beside it', 'docs/reproduction.md')
  .option('--no-pictures', 'write the text alone')
  .action(reportExperiments);

const attention = withFolders(new Command('attention'))
  .description(
    'Measures how alike the attention heads are with and without guidance, and writes the maps of the sentences of the ' +
      'paper, from the kept models of the ablation.',
  )
  .addOption(corporaOption)
  .addOption(corpusOption)
  .option('--sentence <texts...>', 'sentences to draw beside those of the paper')
  .option('--threads <n>', 'threads of the engine', threadCount)
  .action(attentionCommand);

const cases = withFolders(new Command('cases'))
  .description('Compares what kept models of three systems find in the same sentences.')
  .addOption(corporaOption)
  .addOption(corpusOption)
  .option('--threads <n>', 'threads of the engine', threadCount)
  .action(casesCommand);

export const command = new Command('experiment')
  .description("Reproduces the paper's tables and figures: runs, results and a report of them.")
  .addCommand(listCommand)
  .addCommand(runCommand)
  .addCommand(attention)
  .addCommand(cases)
  .addCommand(reportCommand);

function seedList(value: string): number[] {
  return list(value).map((word) => {
    const seed = Number(word);
    if (Number.isInteger(seed) && seed >= 0) return seed;
    throw new UsageError(`expected whole numbers of 0 or more for --seeds, found ${word}`);
  });
}

const resultsFolder = ({ experiments, results }: Folders): string => results ?? join(experiments, 'results');

async function listExperiments(
  names: readonly string[],
  options: Folders & { readonly json?: boolean },
): Promise<void> {
  const all = await definitions(options);
  const results = await Results.open(resultsFolder(options));
  const { cost } = await readLooks(results.folder);
  const chosen = names.length === 0 ? all : experimentsNamed(all, names);
  const rows = await Promise.all(
    chosen.map((experiment) =>
      experiment.kind === 'cost' ? costRow(experiment, cost) : rowOf(experiment, results, options),
    ),
  );
  if (options.json === true) {
    await print(`${JSON.stringify(rows, null, 2)}\n`);
    return;
  }
  if (names.length > 0) {
    for (const { runs } of rows) await print(columns(runs.map(({ name, state }) => [name, state])));
    return;
  }
  await print(
    columns([
      ['experiment', 'done', 'runs', 'protocol', 'paper'],
      ...rows.map(({ name, done, runs, protocol, paper }) => [
        name,
        String(done),
        String(runs.length),
        protocol,
        paper,
      ]),
    ]),
  );
  const known = new Set(all.flatMap((experiment) => runsOf(experiment)).map(({ key }) => key));
  const others = results.keys.filter((key) => !known.has(key)).length;
  if (others > 0) await print(`${others} results belong to none of these: of another protocol, encoder or setting\n`);
}

interface Row {
  readonly name: string;
  readonly title: string;
  readonly paper: string;
  readonly protocol: string;
  readonly done: number;
  readonly runs: readonly { readonly name: string; readonly state: string }[];
}

async function rowOf(experiment: Experiment, results: Results, { work }: Folders): Promise<Row> {
  const runs = runsOf(experiment);
  return {
    name: experiment.name,
    title: experiment.title,
    paper: experiment.paper,
    protocol: experiment.protocol.name,
    done: runs.filter(({ key }) => results.get(key) !== undefined).length,
    runs: await Promise.all(runs.map(async (run) => ({ name: run.name, state: await stateOf(run, results, work) }))),
  };
}

function costRow(experiment: Experiment, cost: CostResult | undefined): Row {
  const runs = costRunsOf(experiment).map((run) => ({
    name: `${experiment.name}.${run.corpus}`,
    state: measurementOf(cost, run) === undefined ? 'not run' : 'measured',
  }));
  const { name, title, paper, protocol } = experiment;
  const done = runs.filter(({ state }) => state === 'measured').length;
  return { name, title, paper, protocol: protocol.name, done, runs };
}

async function stateOf(run: Run, results: Results, work: string): Promise<string> {
  const result = results.get(run.key);
  if (result === undefined) {
    const epochs = await epochsDone(run, work);
    return epochs > 0 ? `${epochs} epochs done` : 'not run';
  }
  const kept = result.epochs[result.kept - 1];
  const scores = Object.entries(kept?.test ?? {}).map(([corpus, { f1 }]) => `${corpus} ${(100 * f1).toFixed(2)}`);
  return `test F1 ${scores.join(', ') || 'none'}`;
}

async function runExperiments(names: readonly string[], options: RunCommandOptions): Promise<void> {
  const chosen = experimentsNamed(await definitions(options), names);
  const narrowed: PlanOptions = {
    ...(options.systems === undefined ? {} : { systems: options.systems }),
    ...(options.only === undefined ? {} : { corpora: options.only }),
    ...(options.seeds === undefined ? {} : { seeds: options.seeds }),
  };
  const trained = chosen.filter(({ kind }) => kind !== 'cost').flatMap((experiment) => runsOf(experiment, narrowed));
  const measured = chosen.filter(({ kind }) => kind === 'cost');
  if (trained.length === 0 && measured.every((experiment) => costRunsOf(experiment, narrowed).length === 0)) {
    throw new UsageError('expected runs with these systems, corpora and seeds, found none');
  }
  const interrupt = new AbortController();
  process.once('SIGINT', () => {
    interrupt.abort();
  });
  const bar = new ProgressBar();
  await trainRuns(trained, options, interrupt.signal, bar);
  for (const experiment of measured) {
    await runCost(experiment, narrowed, {
      corpora: options.corpora,
      results: resultsFolder(options),
      findEncoder: (name) => findEncoder(name, options),
      signal: interrupt.signal,
      bar,
      ...(options.threads === undefined ? {} : { threads: options.threads }),
    });
  }
}

async function trainRuns(
  runs: readonly Run[],
  options: RunCommandOptions,
  signal: AbortSignal,
  bar: ProgressBar,
): Promise<void> {
  const results = await Results.open(resultsFolder(options));
  const failures: string[] = [];
  const made = new Set(results.keys);
  for (const [k, run] of runs.entries()) {
    const label = `${k + 1} of ${runs.length}  ${run.name}`;
    if (made.has(run.key)) continue;
    const missing = missingCorpora(run, options.corpora);
    if (missing.length > 0) {
      bar.log(`${label}: left out, ${missing.join(', ')} not in ${options.corpora}`);
      continue;
    }
    bar.log(label);
    try {
      await execute(run, options, signal, bar);
      made.add(run.key);
    } catch (error) {
      if (signal.aborted || !(error instanceof InputError)) throw error;
      bar.log(error.message);
      failures.push(`${run.name}: ${error.message}`);
    }
  }
  for (const run of runs.filter(({ key }) => made.has(key))) await print(`${run.name}\n`);
  const [first] = failures;
  if (first !== undefined)
    throw new InputError(`${failures.length} of ${runs.length} runs failed, the first: ${first}`);
}

async function execute(run: Run, options: RunCommandOptions, signal: AbortSignal, bar: ProgressBar): Promise<void> {
  const { encoder } = run.config;
  await executeRun(
    run,
    {
      corpora: options.corpora,
      results: resultsFolder(options),
      work: options.work,
      signal,
      ...(encoder === null ? {} : { encoder: await findEncoder(encoder, options) }),
      ...(options.threads === undefined ? {} : { threads: options.threads }),
      ...(options.keepModel === undefined ? {} : { keepModel: options.keepModel }),
    },
    nodeRuntime,
    trainingProgress(bar),
  );
}

async function reportExperiments(
  options: Folders & { readonly output: string; readonly pictures: boolean },
): Promise<void> {
  const experiments = await definitions(options);
  const results = resultsFolder(options);
  const { text, pictures } = reportOf(experiments, await Results.open(results), await readLooks(results));
  const folder = join(dirname(options.output), 'pictures');
  await attempt(folder, 'write', mkdir(folder, { recursive: true }));
  for (const [name, { svg, png }] of Object.entries(options.pictures ? await draw(pictures) : {})) {
    await writeFileAtomic(join(folder, `${name}.svg`), svg);
    await writeFileAtomic(join(folder, `${name}.png`), png);
  }
  await writeFileAtomic(options.output, text);
  await print(`${options.output}\n`);
}

/** The one of the command line, a folder of the encoders, or a Hugging Face id. */
async function findEncoder(name: string, { encoder, encoders }: RunCommandOptions): Promise<string> {
  if (encoder !== undefined) return encoderFolder(encoder);
  const folder = join(encoders, name);
  return existsSync(folder) ? folder : encoderFolder(name);
}
