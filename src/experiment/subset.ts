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
import { InputError } from '../errors.js';
import { attempt } from '../weights/index.js';
import { partOf } from './definition.js';

/**
 * Writes a corpus whose training split is a fixed share of another's, spread evenly over it: of n documents those k
 * (from 0) are in it where the whole part of (k + 1) * share is larger than that of k * share. For 1/3 that is every
 * third. Devel and test stay whole.
 * @returns the folder written, `<target>/<name of the corpus>`
 * @throws InputError as `writeSplit` does
 */
export async function writeShare(folder: string, share: string, target: string): Promise<string> {
  const corpus = await openCorpus(folder);
  const output = join(target, basename(corpus.name));
  await attempt(output, 'write', mkdir(output, { recursive: true }));
  for (const split of Object.keys(corpus.splits) as Split[]) {
    const all = await collect(readSplit(corpus, split));
    const documents = split === 'train' ? evenly(all, partOf(share)) : all;
    await writeSplit(join(output, split), documents, folder);
  }
  return output;
}

/**
 * Writes documents so that they are read back with the same sentences and entities: as IOB where they came in sentences
 * and words, else as JSON lines. No format keeps given words and overlapping entities both.
 * @param path of the file, without extension
 * @param corpus named in errors: the folder that the documents are from
 * @throws InputError for documents of which only some came in sentences, and for entities in given sentences that IOB
 * cannot say (nested, discontinuous, or not at the edges of words)
 */
export async function writeSplit(path: string, documents: readonly Document[], corpus: string): Promise<void> {
  const given = documents.filter(({ sentences }) => sentences !== undefined).length;
  if (given > 0 && given < documents.length) {
    throw new InputError(
      `expected documents that all come in sentences, or none, to write a share of, found ${given} of ${documents.length}`,
      { file: corpus },
    );
  }
  const format = given > 0 ? 'iob' : 'jsonl';
  const pieces = writeDocuments(documents, format, {
    onLoss: ({ kind, document, message }) => {
      if (kind === 'detail') return;
      throw new InputError(
        `expected entities in given sentences that IOB can say, to write a share of, found one that is ${message} in document ${document}`,
        { file: corpus },
      );
    },
  });
  await writePieces(`${path}.${format === 'iob' ? 'tsv' : 'jsonl'}`, pieces);
}

/** The documents that make up a share, in order. */
export function evenly<T extends Document>(documents: readonly T[], share: number): T[] {
  return documents.filter((_, k) => Math.floor((k + 1) * share + 1e-9) > Math.floor(k * share + 1e-9));
}
