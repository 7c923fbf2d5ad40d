/**
 * `npm run bench -- --biobert [--quick] [--folder FOLDER]`: the way of BioBERT from its files to tagged text, without its
 * weights. `scripts/biobert-checkpoints.py` writes a BERT of its shape with random weights as `pytorch_model.bin` and as
 * `model.safetensors`; each is loaded, trained for some steps on NCBI Disease by `ebiobert train`, exported, reloaded and
 * tags. What must hold is checked, and a failure ends the run; then seconds per step, and what the paper's schedule
 * would take. Needs the corpora in ../shared, a Python with torch and transformers (EBIOBERT_PYTHON names it), 8 GB of
 * memory and 6 GB of disk in the temporary folder, or the one given, which is as it was at the end. `--quick` takes a
 * small BERT.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, freemem, loadavg, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { collect, readFileDocuments } from '../src/corpus/index.js';
import { labelled } from '../src/train/corpora.js';
import { readStart } from '../src/train/start.js';
import { MODEL_FILES, readModelConfig, readModelWeights } from '../src/weights/index.js';
import { measureSchedules } from './biobert-schedule.js';
import { compareExport, openEncoder } from './checkpoint-path.js';
import { row } from './measure.js';

const project = fileURLToPath(new URL('..', import.meta.url));
const corpora = fileURLToPath(new URL('../../shared/corpora/', import.meta.url));
const quick = process.argv.includes('--quick');
const threads = Math.min(2, availableParallelism());
const TEXT = 'BRCA1 is mutated in hereditary breast cancer; Lithium is not a cause.';

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(2)} GB`;
const seconds = (x: number): string => `${x.toFixed(1)} s`;

function check(what: string, holds: boolean, found = ''): void {
  if (!holds) throw new Error(`expected ${what}, found otherwise ${found}`);
  console.log(`  ok  ${what}${found === '' ? '' : `: ${found}`}`);
}

interface Ended {
  readonly seconds: number;
  /** Largest resident memory in bytes. */
  readonly peak: number;
  readonly stdout: string;
}

/** Runs `ebiobert` as a process of its own. */
function ebiobert(work: string, args: readonly string[], input = ''): Ended {
  const peakFile = join(work, 'peak');
  const start = performance.now();
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', join(project, 'bench/peak-memory.mjs'), join(project, 'dist/cli/main.js'), ...args],
    { input, encoding: 'utf8', env: { ...process.env, HF_HUB_OFFLINE: '1', EBIOBERT_PEAK_FILE: peakFile } },
  );
  if (status !== 0) throw new Error(`expected ebiobert ${args[0]} to run, found: ${stderr}`);
  return { seconds: (performance.now() - start) / 1000, peak: 1024 * Number(readFileSync(peakFile, 'utf8')), stdout };
}

/** Sentences of NCBI Disease as they come, and its longest, as a corpus of its own. */
function writeSample(folder: string): void {
  const train = readFileSync(join(corpora, 'ncbi-disease', 'train.tsv'), 'utf8').trim();
  const sentences = train.split(/\n\s*\n/).map((text) => ({ text, words: text.split('\n').length }));
  const longest = [...sentences].sort((a, b) => b.words - a.words).slice(0, 8);
  const chosen = [...sentences.filter((one) => !longest.includes(one)).slice(0, 40), ...longest];
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'train.tsv'), chosen.map(({ text }) => `${text}\n\n`).join(''));
}

function makeCheckpoints(folder: string): void {
  const python = process.env['EBIOBERT_PYTHON'] ?? 'python3';
  const texts = ['ncbi-disease', 'bc5cdr-chem', 'bc2gm'].map((name) => join(corpora, name, 'train.tsv'));
  const args = [join(project, 'scripts/biobert-checkpoints.py'), folder];
  const { status, stderr } = spawnSync(python, [...args, ...(quick ? ['--small'] : ['--text', ...texts])], {
    encoding: 'utf8',
    env: { ...process.env, HF_HUB_OFFLINE: '1' },
  });
  if (status !== 0) throw new Error(`expected ${python} with torch and transformers, found: ${stderr}`);
}

interface Expected {
  readonly words: readonly string[];
  readonly pieces: readonly string[];
  readonly hidden: readonly (readonly number[])[];
}

/** Every form gives the same tensors, the pieces of transformers, and its hidden states. */
async function checkForms(checkpoints: string): Promise<void> {
  const expected = JSON.parse(readFileSync(join(checkpoints, 'expected.json'), 'utf8')) as Expected;
  const digests = new Set<string>();
  for (const form of ['pytorch', 'legacy', 'safetensors']) {
    const folder = join(checkpoints, form);
    const file = join(folder, form === 'safetensors' ? 'model.safetensors' : 'pytorch_model.bin');
    const start = performance.now();
    const { config, pieces, hidden, tensors, unused } = await openEncoder(folder, expected.words);
    const took = (performance.now() - start) / 1000;
    const hash = createHash('sha256');
    for (const [name, values] of [...tensors].sort(([a], [b]) => (a < b ? -1 : 1))) hash.update(name).update(values);
    digests.add(hash.digest('hex'));
    const shape = `${config.num_hidden_layers} layers, ${config.hidden_size} wide, ${config.vocab_size} pieces`;
    console.log(
      `${form}: ${shape}, ${gigabytes(statSync(file).size)}, read and run in ${seconds(took)}, ${unused.length} tensors unused`,
    );
    check(`${form}: the pieces of transformers`, pieces.join(' ') === expected.pieces.join(' '));
    const largest = Math.max(...hidden.flatMap((values, k) => values.map((x, c) => Math.abs(x - (expected.hidden[k]?.[c] ?? NaN))))); // prettier-ignore
    check(`${form}: the hidden states of transformers`, largest < 1e-4, `differ by ${largest.toExponential(1)}`);
  }
  check('one set of tensors in all three forms', digests.size === 1);
}

interface Trained {
  /** Of the log: mean losses over the steps, exactly. */
  readonly losses: string;
  readonly digest: string | undefined;
}

/** Trains from a checkpoint, exports, reloads, tags; leaves nothing behind. */
async function trainAndTag(work: string, form: string): Promise<Trained> {
  const [corpus, output, config] = [join(work, 'sample'), join(work, 'model'), join(work, 'config.json')];
  writeSample(corpus);
  writeFileSync(config, JSON.stringify({ training: { encoderRate: 3e-5 } }));
  const encoder = join(work, 'checkpoints', form);
  const args = ['train', '--corpus', corpus, '--encoder', encoder, '--output', output, '--config', config];
  const run = ebiobert(work, [...args, '--merge-devel', '--epochs', '1', '--threads', String(threads)]);
  const log = readFileSync(join(`${output}.run`, 'log.jsonl'), 'utf8')
    .trim()
    .split('\n');
  rmSync(`${output}.run`, { recursive: true });
  const epoch = JSON.parse(log[1] ?? '') as { loss: number; guidance: number; sentences: number; seconds: number };
  console.log(
    `\n${form}: ebiobert train on ${epoch.sentences} sentences took ${seconds(run.seconds)} in all, ${seconds(epoch.seconds)} of it ` +
      `in updates, ${gigabytes(run.peak)} of memory`,
  );
  const { files } = await readModelConfig(output);
  const before = (await openEncoder(encoder, ['a'])).tensors.get('bert.encoder.layer.0.attention.self.query.weight');
  const after = (await readModelWeights(output)).get('bert.encoder.layer.0.attention.self.query.weight');
  check(`${form}: the encoder's weights have moved`, before?.some((x, k) => x !== after?.[k]) === true);
  const documents = (await collect(readFileDocuments(join(corpus, 'train.tsv'), { from: 'iob' }))).slice(0, 8);
  const { largest, values } = await compareExport(output, labelled(documents, ['Disease'], [0]));
  check(`${form}: the float32 graph gives what the weights give`, largest <= 1e-5, `${values} values differ by at most ${largest.toExponential(1)}`); // prettier-ignore
  const size = (file: string): string => gigabytes(statSync(join(output, file)).size);
  const spent = ({ seconds: all, peak }: Ended): string => `${seconds(all)} in all, ${gigabytes(peak)} of memory`;
  const tagged = ebiobert(work, ['tag', '--model', output], TEXT);
  const { text } = JSON.parse(tagged.stdout) as { text: string };
  check(`${form}: ${MODEL_FILES.quantized} (${size(MODEL_FILES.quantized)}) tags a text`, text === TEXT, spent(tagged));
  const gold = join(corpus, 'train.tsv');
  const scored = ebiobert(work, ['evaluate', gold, '--model', output, '--float32', '--json']);
  const { overall } = JSON.parse(scored.stdout) as { overall: { gold: number } };
  check(
    `${form}: ${MODEL_FILES.graph} (${size(MODEL_FILES.graph)}) tags the sentences`,
    overall.gold > 0,
    spent(scored),
  );
  rmSync(output, { recursive: true });
  return { losses: `${epoch.loss} and ${epoch.guidance}`, digest: files[MODEL_FILES.weights] };
}

async function prove(work: string): Promise<void> {
  const checkpoints = join(work, 'checkpoints');
  makeCheckpoints(checkpoints);
  await checkForms(checkpoints);
  const [first, second] = [await trainAndTag(work, 'pytorch'), await trainAndTag(work, 'safetensors')];
  console.log();
  check('both forms train with the same losses, bit by bit', first.losses === second.losses, first.losses);
  check('both forms end with the same weights, bit by bit', first.digest !== undefined && first.digest === second.digest); // prettier-ignore
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;

async function printSchedule(work: string): Promise<void> {
  const encoder = join(work, 'checkpoints', 'safetensors');
  const { encoder: config, tokenizer } = await readStart({ corpora: [], output: '', encoder });
  if (config === null) throw new RangeError('expected an encoder');
  console.log("\nTraining steps of the paper's configuration, and its schedule");
  row('corpus, sentences, pieces a word', 'step', 'from - to', 'steps', 'epoch', 'epochs', 'hours');
  for await (const corpus of measureSchedules(corpora, config, tokenizer, threads, quick ? 2 : 12)) {
    const times = corpus.steps.map((step) => step.seconds);
    const epoch = (corpus.batches * times.reduce((a, b) => a + b, 0)) / times.length;
    row(
      `${corpus.name}${corpus.standIn === undefined ? '' : ` (as ${corpus.standIn})`}, ${corpus.sentences}, ${corpus.piecesPerWord.toFixed(2)}`,
      `${median(times).toFixed(2)} s`,
      `${Math.min(...times).toFixed(2)} - ${Math.max(...times).toFixed(2)}`,
      corpus.batches,
      `${(epoch / 60).toFixed(1)} min`,
      corpus.epochs,
      ((corpus.epochs * epoch) / 3600).toFixed(1),
    );
  }
  row('peak memory of these steps', gigabytes(1024 * process.resourceUsage().maxRSS));
}

const options = ['--biobert', '--quick', '--folder'];
const unknown = process.argv.slice(2).find((word) => word.startsWith('--') && !options.includes(word));
if (unknown !== undefined) throw new Error(`expected ${options.join(', ')}, found ${unknown}`);
if (!existsSync(corpora)) throw new Error(`expected the corpora in ${corpora}`);
const at = process.argv.indexOf('--folder');
const work = mkdtempSync(join(at < 0 ? tmpdir() : (process.argv[at + 1] ?? '.'), 'ebiobert-biobert-'));
const remove = (): void => rmSync(work, { recursive: true, force: true });
process.once('SIGINT', () => {
  remove();
  process.exit(130);
});
const load = loadavg()[0] ?? 0;
console.log(
  `${cpus()[0]?.model ?? 'unknown processor'}, ${threads} threads, Node ${process.version}, ${gigabytes(totalmem())} of ` +
    `memory (${gigabytes(freemem())} free), load ${load.toFixed(1)} at the start\n`,
);
try {
  await prove(work);
  await printSchedule(work);
} finally {
  remove();
}
