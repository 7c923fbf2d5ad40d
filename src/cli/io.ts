import type { Command } from 'commander';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import {
  formatNamed,
  pathSources,
  readDocuments,
  streamSource,
  typeMap,
  writeDocuments,
  writePieces,
  type Document,
  type Loss,
  type OffsetUnit,
  type ReadOptions,
} from '../corpus/index.js';
import { InputError, UsageError } from '../errors.js';

/** Options of every command that reads documents. */
export interface InputOptions {
  readonly from?: string;
  readonly map?: readonly string[];
  readonly repairTags?: boolean;
  readonly repairOffsets?: boolean;
  readonly textColumn?: readonly string[];
  readonly idColumn?: string;
  readonly tagNames?: readonly string[];
}

const collect = (value: string, earlier: readonly string[] = []): string[] => [...earlier, value];

export function addInputOptions(command: Command): Command {
  return command
    .option('--from <format>', 'format of the input; guessed from its content where absent')
    .option('--map <A=B>', 'what the input calls A is type B (repeatable)', collect)
    .option('--repair-tags', 'read an I- tag after O as the start of an entity')
    .option('--repair-offsets', 'accept offsets in another unit where their mentions fit')
    .option('--text-column <name>', 'column of a table that is the text (repeatable: joined by line breaks)', collect)
    .option('--id-column <name>', 'column of a table that identifies the document')
    .option('--tag-names <list>', 'tags that the numbers of ner_tags mean, from 0 on, separated by commas', list);
}

export function list(value: string): string[] {
  return value
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean);
}

/** What a command does about inputs beside reading them. */
export interface InputListener {
  /** Told of what is left out; without it the first fault ends the command. */
  readonly faults?: Faults | undefined;
  /** Bytes of files that were read since it was last called. */
  readonly onBytes?: (bytes: number) => void;
  /** Says nothing of repairs: the inputs are read again. */
  readonly isQuiet?: boolean;
}

/** The documents of files and folders, or of standard input where there are none. */
export async function* readInputs(
  files: readonly string[],
  options: InputOptions,
  { faults, onBytes, isQuiet = false }: InputListener = {},
): AsyncGenerator<Document> {
  const listener = {
    ...(faults === undefined ? {} : { onFault: faults.report }),
    ...(onBytes === undefined ? {} : { onBytes }),
  };
  const settings: ReadOptions & { from?: string } = {
    types: typeMap(options.map ?? []),
    repairTags: options.repairTags ?? false,
    repairOffsets: options.repairOffsets ?? false,
    onRepair: ({ file, line, message }) => {
      if (!isQuiet) process.stderr.write(`${file}:${line}: ${message}\n`);
    },
    ...listener,
    ...(options.from === undefined ? {} : { from: formatNamed(options.from).name }),
    ...(options.textColumn === undefined ? {} : { textColumn: options.textColumn }),
    ...(options.idColumn === undefined ? {} : { idColumn: options.idColumn }),
    ...(options.tagNames === undefined ? {} : { tagNames: options.tagNames }),
  };
  if (files.length === 0) {
    if (process.stdin.isTTY) throw new UsageError('expected files, or text on standard input, found neither');
    yield* readDocuments(streamSource(process.stdin), settings);
    return;
  }
  for await (const source of pathSources(files, listener)) yield* readDocuments(source, settings);
}

/** Faults of the input that do not end a command (`--keep-going`): a line for each, counted, and exit status 1. */
export class Faults {
  #count = 0;

  readonly report = (fault: InputError, leftOut: 'document' | 'input'): void => {
    this.#count += 1;
    process.exitCode = 1;
    const rest = leftOut === 'input' ? '; all that follows in it is left out' : '; the document is left out';
    process.stderr.write(`${fault.message.replaceAll('\n', ' ')}${rest}\n`);
  };

  /** Says how many there were. */
  print(): void {
    if (this.#count > 0)
      process.stderr.write(`${this.#count} ${this.#count === 1 ? 'fault' : 'faults'} in the input\n`);
  }
}

/** Checks before any work that the formats and the mapping of the input exist. */
export function checkInput({ from, map = [] }: InputOptions): void {
  if (from !== undefined) formatNamed(from);
  typeMap(map);
}

/** Checks before any work that a format exists, can be written, and has a place to go. */
export function checkOutput(to: string, output: string | undefined): void {
  const format = formatNamed(to);
  if (format.write === undefined) throw new UsageError(`expected a format that can be written, found ${to}`);
  const isFolder = to === 'brat';
  if (isFolder && output === undefined) throw new UsageError('expected --output FOLDER for brat, found none');
  const existing = output === undefined ? undefined : statSync(output, { throwIfNoEntry: false });
  if (output === undefined || existing === undefined || existing.isDirectory() === isFolder) return;
  const [expected, found] = isFolder ? ['folder', 'file'] : ['file', 'folder'];
  throw new InputError(`expected a ${expected} to write, found a ${found}`, { file: output });
}

export function offsetUnit(value: string | undefined): Exclude<OffsetUnit, 'byte'> {
  if (value === undefined || value === 'codepoint' || value === 'utf16') return value ?? 'codepoint';
  throw new UsageError(`expected --offsets codepoint or utf16, found ${value}`);
}

/** Writes documents to a file (completely or not at all) or, as they come, to standard output. */
export async function writeOutput(
  documents: AsyncIterable<Document>,
  to: string,
  output: string | undefined,
  offsets: Exclude<OffsetUnit, 'byte'>,
): Promise<void> {
  const losses = new LossSummary();
  const pieces = writeDocuments(documents, to, {
    offsets,
    onLoss: losses.add,
  });
  if (output !== undefined) await writePieces(output, pieces);
  else for await (const { text } of pieces) await print(text);
  losses.print();
}

/** Writes to standard output and waits where the reader is slower. */
export async function print(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain');
}

/** Losses of entities, the first of them in words and the others counted. */
export class LossSummary {
  private readonly shown: string[] = [];
  private count = 0;

  readonly add = ({ kind, document, message }: Loss): void => {
    if (kind !== 'entity') return;
    this.count++;
    if (this.shown.length < 5) this.shown.push(`${document}: ${message}`);
  };

  print(): void {
    for (const line of this.shown) process.stderr.write(`${line}\n`);
    const more = this.count - this.shown.length;
    if (more > 0) process.stderr.write(`and ${more} more entities that the format cannot express\n`);
  }
}
