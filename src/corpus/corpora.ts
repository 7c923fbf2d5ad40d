import { readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { InputError, UsageError } from '../errors.js';
import type { Document } from './document.js';
import { fileSource, leadingNames, pathSources } from './files.js';
import type { ReadOptions } from './format.js';
import { readDocuments } from './registry.js';

/** A part of a corpus, as it was published. */
export type Split = 'train' | 'devel' | 'test';

/** What the files and folders of a split may be called, without extensions. */
const splitNames: Readonly<Record<Split, readonly string[]>> = {
  train: ['train', 'training'],
  devel: ['devel', 'dev', 'valid', 'validation', 'development'],
  test: ['test', 'evaluation'],
};

/** A corpus on disk: a folder with its published splits, each a file or folder in any format that can be read. */
export interface Corpus {
  /** The name of the folder. */
  readonly name: string;
  readonly folder: string;
  /** The file or folder of each split that there is. */
  readonly splits: Readonly<Partial<Record<Split, string>>>;
  /**
   * The entity types annotated in it, sorted: those that occur in any of its splits. Of every other type its texts say
   * nothing, neither that it is there nor that it is not.
   */
  readonly types: readonly string[];
  /** How its files are read. */
  readonly options: CorpusOptions;
}

/** How the files of a corpus are read; `from` names their format, which is guessed where absent. */
export type CorpusOptions = ReadOptions & { readonly from?: string };

/**
 * Looks for the splits of a corpus (`train.tsv`, `devel.tsv`, `test.tsv`, or the like) and reads which types they
 * annotate.
 * @param types the annotated types, when they are known; saves reading the files
 * @throws InputError when the folder cannot be read or has none of the splits, or when a file is not of its format
 */
export async function openCorpus(
  folder: string,
  options: CorpusOptions = {},
  types?: readonly string[],
): Promise<Corpus> {
  const splits = await findSplits(folder);
  if (Object.keys(splits).length === 0) {
    throw new InputError('expected train, devel or test files, found none', { file: folder });
  }
  const bare = { name: basename(resolve(folder)), folder, splits, options };
  return { ...bare, types: types ?? (await annotatedTypes(bare)) };
}

/**
 * The files or folders of a corpus folder's splits; none for a folder of other files.
 * @throws InputError when the folder cannot be read, or when two files claim to be one split
 */
export async function findSplits(folder: string): Promise<Partial<Record<Split, string>>> {
  const entries = await readdir(folder).catch((cause: unknown) => {
    throw new InputError('expected a corpus folder, found none that can be read', { file: folder }, { cause });
  });
  const splits: Partial<Record<Split, string>> = {};
  for (const [split, names] of Object.entries(splitNames) as [Split, readonly string[]][]) {
    const found = leadingNames(entries).filter((entry) => names.includes(withoutExtensions(entry).toLowerCase()));
    const [only, second] = found.sort();
    if (second !== undefined) {
      throw new InputError(`expected one ${split} split, found ${found.join(' and ')}`, { file: folder });
    }
    if (only !== undefined) splits[split] = join(folder, only);
  }
  return splits;
}

/**
 * The documents of a split, in the order of the file.
 * @throws UsageError when the corpus has no such split; InputError as the format does
 */
export async function* readSplit(corpus: Omit<Corpus, 'types'>, split: Split): AsyncGenerator<Document, void> {
  const path = corpus.splits[split];
  if (path === undefined) throw new UsageError(`expected a ${split} split in ${corpus.folder}, found none`);
  for await (const source of pathSources([path])) yield* readDocuments(source, corpus.options);
}

/** The documents of a file or of a split that fits in memory, as an array. */
export async function collect(documents: AsyncIterable<Document>): Promise<Document[]> {
  const all: Document[] = [];
  for await (const document of documents) all.push(document);
  return all;
}

/** The documents of one file. */
export function readFileDocuments(path: string, options: CorpusOptions = {}): AsyncGenerator<Document, void> {
  return readDocuments(fileSource(path), options);
}

async function annotatedTypes(corpus: Omit<Corpus, 'types'>): Promise<string[]> {
  const types = new Set<string>();
  for (const split of Object.keys(corpus.splits) as Split[]) {
    for await (const { entities } of readSplit(corpus, split)) for (const { type } of entities) types.add(type);
  }
  return [...types].sort();
}

function withoutExtensions(name: string): string {
  return name.replace(/(?<=.)\..*$/, '');
}
