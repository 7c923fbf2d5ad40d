import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
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

/** Milliseconds from starting a process to the entities of one sentence, with the bundled model. */
export function coldStart(): number {
  const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
  const start = performance.now();
  const { status, stderr } = spawnSync(process.execPath, [main, 'tag', '--from', 'text', '--to', 'jsonl'], {
    input: 'Mutations of BRCA1 cause breast cancer.',
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`expected ebiobert tag to run, found: ${stderr}`);
  return performance.now() - start;
}

export { loadTagger };
