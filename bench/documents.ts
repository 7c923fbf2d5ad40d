/**
 * `npm run bench -- --documents [--quick]`: one document of 25,000, 50,000 and 100,000 words, the texts of `examples/`
 * over and over, through the bundled model: seconds and peak memory, each size in a process of its own. Twice the words
 * should take twice the seconds, and little more memory.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { loadTagger } from '../src/node.js';
import { splitWords } from '../src/text/index.js';
import { row } from './measure.js';

const quick = process.argv.includes('--quick');
const sizes = (quick ? [5, 10, 20] : [25, 50, 100]).map((thousands) => 1000 * thousands);
const threads = Math.min(2, cpus().length);

interface Measured {
  readonly words: number;
  readonly entities: number;
  /** From the text to its entities, the model loaded and warm. */
  readonly seconds: number;
  /** Largest resident memory of the process, in bytes; before, with the model loaded and warm. */
  readonly before: number;
  readonly peak: number;
}

/** The texts of the examples as the sections of one paper, cut after `count` words. */
function paper(count: number): string {
  const examples = new URL('../examples/', import.meta.url);
  const texts = readdirSync(examples).filter((name) => name.endsWith('.txt'));
  const once = texts.map((name) => readFileSync(new URL(name, examples), 'utf8').trim()).join('\n\n');
  const text = `${once}\n\n`.repeat(Math.ceil(count / splitWords(once).length));
  return text.slice(0, splitWords(text)[count - 1]?.end);
}

async function measureHere(count: number): Promise<Measured> {
  const peak = (): number => 1024 * process.resourceUsage().maxRSS;
  const tagger = await loadTagger(undefined, { threads });
  await tagger.tag(paper(1000));
  const before = peak();
  const text = paper(count);
  const start = performance.now();
  const entities = await tagger.tag(text);
  const seconds = (performance.now() - start) / 1000;
  await tagger.dispose();
  return { words: splitWords(text).length, entities: entities.length, seconds, before, peak: peak() };
}

function measureApart(count: number): Measured {
  const args = ['--import', 'tsx', fileURLToPath(import.meta.url), '--words', String(count)];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`expected a measurement of ${count} words, found: ${stderr}`);
  return JSON.parse(stdout) as Measured;
}

const own = process.argv.indexOf('--words');
if (own >= 0) {
  console.log(JSON.stringify(await measureHere(Number(process.argv[own + 1]))));
} else {
  console.log(`${cpus()[0]?.model ?? 'unknown processor'}, ${threads} threads, Node ${process.version}\n`);
  row('one document, bundled model', 'seconds', 'words/s', 'peak memory', 'of the model', 'entities');
  const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MB`;
  const all = sizes.map((count) => {
    const found = measureApart(count);
    const { words, entities, seconds, before, peak } = found;
    row(
      `${words.toLocaleString('en')} words`,
      seconds.toFixed(1),
      (words / seconds).toFixed(0),
      megabytes(peak),
      megabytes(before),
      entities,
    );
    return found;
  });
  for (const [k, larger] of all.entries()) {
    const smaller = all[k - 1];
    if (smaller === undefined) continue;
    row(
      `${smaller.words.toLocaleString('en')} to ${larger.words.toLocaleString('en')} words`,
      `${(larger.seconds / smaller.seconds).toFixed(2)} x`,
      '',
      `${(larger.peak / smaller.peak).toFixed(2)} x`,
    );
  }
}
