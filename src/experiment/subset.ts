import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import {
  collect,
  openCorpus,
  readSplit,
  writeDocuments,
  writePieces,
  type Document,
  type Split,
} from '../corpus/index.js';
import { attempt } from '../weights/index.js';
import { partOf } from './definition.js';

/**
 * Writes a corpus whose training split is a fixed share of another's, spread evenly over it: of n documents those k
 * (from 0) are in it where the whole part of (k + 1) * share is larger than that of k * share. For 1/3 that is every
 * third. Devel and test stay whole.
 * @returns the folder written, `<target>/<name of the corpus>`
 */
export async function writeShare(folder: string, share: string, target: string): Promise<string> {
  const corpus = await openCorpus(folder);
  const output = join(target, basename(corpus.name));
  await attempt(output, 'write', mkdir(output, { recursive: true }));
  for (const split of Object.keys(corpus.splits) as Split[]) {
    const all = await collect(readSplit(corpus, split));
    const documents = split === 'train' ? evenly(all, partOf(share)) : all;
    const format = documents.every(({ sentences }) => sentences !== undefined) ? 'iob' : 'jsonl';
    const file = join(output, `${split}.${format === 'iob' ? 'tsv' : 'jsonl'}`);
    await writePieces(file, writeDocuments(documents, format, { onLoss: () => undefined }));
  }
  return output;
}

/** The documents that make up a share, in order. */
export function evenly<T extends Document>(documents: readonly T[], share: number): T[] {
  return documents.filter((_, k) => Math.floor((k + 1) * share + 1e-9) > Math.floor(k * share + 1e-9));
}
