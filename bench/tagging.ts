import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { collect, readFileDocuments, type Document } from '../src/corpus/index.js';
import { loadTagger } from '../src/node.js';
import type { Tagger } from '../src/tag/index.js';

const shared = fileURLToPath(new URL('../../shared/', import.meta.url));
const sentencesFile = `${shared}corpora/ncbi-disease/devel.tsv`;
const abstractsFile = `${shared}corpora/raw/NCBIdevelopset_corpus.txt`;

export const corporaPresent = existsSync(sentencesFile);

/** The first `count` devel sentences as strings of words joined by blanks, as the transformers.js peer reads them. */
export async function develSentences(count: number): Promise<string[]> {
  const documents = await collect(readFileDocuments(sentencesFile, { from: 'iob' }));
  return documents.slice(0, count).map(({ text }) => text);
}

export async function abstracts(): Promise<Document[]> {
  return collect(readFileDocuments(abstractsFile, { from: 'pubtator' }));
}

/** Texts per second, one at a time or in batches. */
export async function textsPerSecond(tagger: Tagger, texts: readonly string[], batch: number): Promise<number> {
  const start = performance.now();
  for (let k = 0; k < texts.length; k += batch) await tagger.tagBatch(texts.slice(k, k + batch));
  return (1000 * texts.length) / (performance.now() - start);
}

export async function documentsPerSecond(tagger: Tagger, documents: readonly Document[]): Promise<number> {
  const start = performance.now();
  let count = 0;
  for await (const document of tagger.tagDocuments(documents)) count += Number(document.text.length > 0);
  return (1000 * count) / (performance.now() - start);
}

/** Sentences per second of `ebiobert tag` over a file with a sentence on each line, the start of the process included. */
export function commandRate(texts: readonly string[], times: number): number {
  const folder = mkdtempSync(join(tmpdir(), 'ebiobert-bench-'));
  try {
    const file = join(folder, 'sentences.txt');
    writeFileSync(file, `${texts.join('\n')}\n`.repeat(times));
    const start = performance.now();
    tag([file, '--from', 'lines', '--to', 'jsonl', '--output', join(folder, 'tagged.jsonl')]);
    return (1000 * times * texts.length) / (performance.now() - start);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Milliseconds from starting a process to the entities of one sentence, with the bundled model. */
export function coldStart(): number {
  const start = performance.now();
  tag(['--from', 'text', '--to', 'jsonl'], 'Mutations of BRCA1 cause breast cancer.');
  return performance.now() - start;
}

function tag(args: readonly string[], input = ''): void {
  const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
  const { status, stderr } = spawnSync(process.execPath, [main, 'tag', ...args], { input, encoding: 'utf8' });
  if (status !== 0) throw new Error(`expected ebiobert tag to run, found: ${stderr}`);
}

export { loadTagger };
