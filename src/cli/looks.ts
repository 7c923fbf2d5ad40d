import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { InputError } from '../errors.js';
import {
  compareCases,
  experimentsNamed,
  keptModel,
  LOOKS,
  looksText,
  measureDiversity,
  packageVersion,
  PAPER_SENTENCES,
  readLooks,
  runsOf,
  sentenceMaps,
  type AttentionModel,
  type AttentionResult,
  type CasesResult,
  type Experiment,
  type Run,
} from '../experiment/index.js';
import { openCorpus, readSplit } from '../corpus/index.js';
import { nodeRuntime } from '../runtime/node.js';
import { Predictor } from '../tag/index.js';
import { labelled } from '../train/corpora.js';
import type { LabelledSentence } from '../train/index.js';
import { attempt, MODEL_FILES, readModelFolder, readModelGraph, writeFileAtomic } from '../weights/index.js';
import { definitions, type Definitions } from './definitions.js';
import { print } from './io.js';
import { ProgressBar } from './progress.js';

export interface LookOptions extends Definitions {
  readonly results?: string;
  readonly work: string;
  readonly corpora: string;
  readonly corpus: string;
  readonly sentence?: readonly string[];
  readonly threads?: number;
}

/** A system of an experiment, and what a comparison calls it. */
interface System {
  readonly experiment: string;
  readonly system: string;
  readonly title: string;
}

const NONE: System = { experiment: 'ablation', system: 'none', title: 'word pairs, no guidance' };
const PREFIX: System = { experiment: 'ablation', system: 'prefix', title: 'prefix alone' };
const PAMDFGA: System = { experiment: 'ablation', system: 'pamdfga', title: 'word pairs, PAMDFGA' };
const SOFTMAX: System = { experiment: 'systems', system: 'softmax', title: 'BIO softmax' };

interface KeptRun {
  readonly run: Run;
  readonly folder: string;
}

/** Runs of a system on the corpus whose models were kept, in the order of their seeds; none where there are none. */
async function keptRuns(
  all: readonly Experiment[],
  { experiment, system }: System,
  { corpus, work }: LookOptions,
): Promise<KeptRun[]> {
  const runs = experimentsNamed(all, [experiment]).flatMap((each) =>
    runsOf(each, { systems: [system], corpora: [corpus] }),
  );
  const kept: KeptRun[] = [];
  for (const run of runs) {
    const folder = await keptModel(run, work);
    if (folder !== undefined) kept.push({ run, folder });
  }
  return kept;
}

/** @throws InputError that says how to make and keep a model, where none was kept */
async function requiredRuns(all: readonly Experiment[], system: System, options: LookOptions): Promise<KeptRun[]> {
  const kept = await keptRuns(all, system, options);
  if (kept.length > 0) return kept;
  throw noneKept(system, options);
}

function noneKept({ experiment, system }: System, { corpus, work }: LookOptions): InputError {
  const command = `ebiobert experiment run ${experiment} --systems ${system} --only ${corpus} --keep-model`;
  return new InputError(`expected the model of a run of ${experiment} ${system} in ${work}, found none: ${command}`);
}

async function loadModel(
  { run, folder }: KeptRun,
  threads: number | undefined,
): Promise<AttentionModel & { readonly flat: boolean }> {
  const read = await readModelFolder(folder);
  const graph = await readModelGraph(read, MODEL_FILES.graph);
  const session = await nodeRuntime.load(graph, threads === undefined ? {} : { threads });
  return {
    system: run.system,
    seed: run.seed,
    run: run.name,
    config: read.config.model,
    flat: read.config.flat,
    tokenizer: read.tokenizer,
    gazetteer: read.gazetteer,
    session,
  };
}

async function develSentences(
  { corpora, corpus: name }: LookOptions,
  types: readonly string[],
): Promise<LabelledSentence[]> {
  const corpus = await openCorpus(join(corpora, name));
  const sentences: LabelledSentence[] = [];
  const annotated = corpus.types.map((type) => types.indexOf(type));
  for await (const document of readSplit(corpus, 'devel')) sentences.push(...labelled([document], types, annotated));
  return sentences;
}

const resultsOf = ({ results, experiments }: LookOptions): string => results ?? join(experiments, 'results');

async function write(options: LookOptions, name: string, result: AttentionResult | CasesResult): Promise<void> {
  const file = join(resultsOf(options), name);
  await attempt(dirname(file), 'write', mkdir(dirname(file), { recursive: true }));
  await writeFileAtomic(file, looksText(result));
  await print(`${file}\n`);
}

/**
 * `ebiobert experiment attention`: diversity of the heads over devel, and the maps of sentences. Models that are no longer
 * kept stay as an earlier call measured them.
 */
export async function attentionCommand(options: LookOptions): Promise<void> {
  const { work, threads, sentence } = options;
  const all = await definitions(options);
  const earlier = (await readLooks(resultsOf(options))).attention;
  const known = earlier?.corpus === options.corpus ? earlier : undefined;
  const [without, prefix, guided] = [
    await keptRuns(all, NONE, options),
    await keptRuns(all, PREFIX, options),
    await keptRuns(all, PAMDFGA, options),
  ];
  const seed = without.find(({ run }) => guided.some((other) => other.run.seed === run.seed))?.run.seed;
  if (known === undefined || sentence !== undefined) {
    for (const [system, kept] of [[NONE, without], [PAMDFGA, guided]] as const) if (kept.length === 0) throw noneKept(system, options); // prettier-ignore
    if (seed === undefined)
      throw new InputError(`expected models of one seed in ${work}, found none with and without guidance`);
  }
  const kept = [...guided, ...prefix, ...without];
  if (kept.length === 0) throw noneKept(NONE, options);
  const bar = new ProgressBar();
  const measured: AttentionResult['diversity'] = [];
  const drawn: AttentionModel[] = [];
  let sentences: LabelledSentence[] = [];
  let shape = known;
  for (const [k, run] of kept.entries()) {
    bar.show(run.run.name, k / kept.length);
    const model = await loadModel(run, threads);
    if (k === 0) sentences = await develSentences(options, model.config.types);
    shape ??= shapeOf(model, options.corpus, sentences.length);
    measured.push(await measureDiversity(model, sentences, shape.guided));
    const isDrawn = model.seed === seed && run.run.system !== PREFIX.system;
    if (isDrawn) drawn.push(model);
    else await model.session.release();
  }
  bar.clear();
  if (shape === undefined) throw new RangeError('expected a model, found none');
  const maps: AttentionResult['maps'] = [];
  if (drawn.length > 0) {
    for (const text of [...PAPER_SENTENCES, ...(sentence ?? [])]) maps.push(await sentenceMaps(text, drawn));
  }
  await Promise.all(drawn.map(({ session }) => session.release()));
  const others = shape.diversity.filter(({ run }) => !measured.some((each) => each.run === run));
  await write(options, LOOKS.attention, {
    ...shape,
    version: packageVersion(),
    diversity: [...others, ...measured],
    maps: drawn.length > 0 ? maps : shape.maps,
  });
}

/** What a first look starts from: a guided model, and nothing measured. */
function shapeOf(
  { config: { encoder, guidance } }: AttentionModel,
  corpus: string,
  sentences: number,
): AttentionResult {
  const layers = encoder?.num_hidden_layers ?? 0;
  return {
    format: 2,
    version: packageVersion(),
    corpus,
    split: 'devel',
    sentences,
    guided: (guidance?.layers ?? []).map((layer) => (layer < 0 ? layers + layer : layer)),
    layers,
    heads: encoder?.num_attention_heads ?? 0,
    diversity: [],
    maps: [],
  };
}

/** `ebiobert experiment cases`: what three systems find in the same devel sentences. */
export async function casesCommand(options: LookOptions): Promise<void> {
  const { work, threads } = options;
  const all = await definitions(options);
  const systems = [SOFTMAX, NONE, PAMDFGA];
  const kept: KeptRun[][] = [];
  for (const system of systems) kept.push(await requiredRuns(all, system, options));
  const seed = kept[0]
    ?.map(({ run }) => run.seed)
    .find((each) => kept.every((runs) => runs.some(({ run }) => run.seed === each)));
  if (seed === undefined)
    throw new InputError(`expected models of one seed in ${work}, found none of all three systems`);
  let sentences: LabelledSentence[] = [];
  let types: readonly string[] = [];
  const found = [];
  const named: CasesResult['systems'] = [];
  for (const [k, runs] of kept.entries()) {
    const chosen = runs.find(({ run: each }) => each.seed === seed);
    if (chosen === undefined) continue;
    const { session, config, flat, run: name, ...vocabulary } = await loadModel(chosen, threads);
    if (k === 0) {
      ({ types } = config);
      sentences = await develSentences(options, types);
    }
    found.push(await new Predictor(session, config, vocabulary, {}, flat).predict(sentences));
    named.push({ title: systems[k]?.title ?? '', seed, run: name });
    await session.release();
  }
  await write(options, LOOKS.cases, {
    format: 1,
    version: packageVersion(),
    corpus: options.corpus,
    split: 'devel',
    systems: named,
    ...compareCases(sentences, found, types),
  } satisfies CasesResult);
}
