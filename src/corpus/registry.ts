import { InputError, UsageError } from '../errors.js';
import type { Document } from './document.js';
import type { Format, Piece, ReadOptions, Source, WriteOptions } from './format.js';
import { biocJson } from './formats/bioc-json.js';
import { biocXml } from './formats/bioc-xml.js';
import { brat } from './formats/brat.js';
import { chemdner } from './formats/chemdner.js';
import { csv, tsv } from './formats/csv.js';
import { hf } from './formats/hf.js';
import { iob } from './formats/iob.js';
import { jsonl } from './formats/jsonl.js';
import { lines } from './formats/lines.js';
import { pubtator } from './formats/pubtator.js';
import { pubmedXml } from './formats/pubmed-xml.js';
import { text } from './formats/text.js';

const HEAD_CHARACTERS = 65_536;
const TELLING_CHARACTERS = 4096;
const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

/** The formats that can hold lone surrogates, because JSON can. */
const escapesSurrogates: ReadonlySet<string> = new Set(['jsonl', 'hf', 'bioc-json']);

/** Every format by its name, those that recognise content in the order in which they are asked. */
export const formats: ReadonlyMap<string, Format> = new Map(
  [brat, biocXml, pubmedXml, biocJson, hf, jsonl, pubtator, chemdner, iob, csv, tsv, text, lines].map((format) => [
    format.name,
    format,
  ]),
);

/** @throws UsageError when there is no such format */
export function formatNamed(name: string): Format {
  const format = formats.get(name);
  if (format === undefined) {
    throw new UsageError(`expected a format (${[...formats.keys()].join(', ')}), found ${name}`);
  }
  return format;
}

/**
 * The format that the beginning of an input looks like, else the one that its name ends in: a damaged `.jsonl` is
 * refused, not read as prose. What neither tells is plain `text`.
 */
export function guessFormat(head: string, fileName = ''): Format {
  const bare = head.slice(head.charCodeAt(0) === 0xfeff ? 1 : 0, HEAD_CHARACTERS);
  const all = [...formats.values()];
  return (
    all.find((format) => format.matches?.(bare, fileName)) ?? all.find((format) => isNamed(format, fileName)) ?? text
  );
}

function isNamed({ extensions }: Format, fileName: string): boolean {
  const name = fileName.replace(/\.gz$/i, '').toLowerCase();
  return extensions.some((extension) => name.endsWith(extension.toLowerCase()));
}

/**
 * The documents of an input, one after the other.
 * @param options `from` names the format; without it the format is guessed from the content
 * @throws UsageError for an unknown format or one that cannot be read; InputError as the format does, unless `onFault`
 *   is there to be told
 */
export async function* readDocuments(
  source: Source,
  options: ReadOptions & { readonly from?: string } = {},
): AsyncGenerator<Document, void> {
  const named = options.from === undefined ? undefined : formatNamed(options.from);
  try {
    const { format, source: whole } = named === undefined ? await recognised(source) : { format: named, source };
    if (format.read === undefined) throw new UsageError(`expected a format that can be read, found ${format.name}`);
    yield* format.read(whole, options);
  } catch (error) {
    if (options.onFault === undefined || !(error instanceof InputError)) throw error;
    options.onFault(error, 'input');
  }
}

/**
 * The output of documents in a format, in pieces.
 * @throws UsageError for an unknown format or one that cannot be written; InputError when an entity cannot be expressed
 *   and nobody listens to losses
 */
export async function* writeDocuments(
  documents: AsyncIterable<Document> | Iterable<Document>,
  to: string,
  options: WriteOptions = {},
): AsyncGenerator<Piece, void> {
  const format = formatNamed(to);
  if (format.write === undefined) throw new UsageError(`expected a format that can be written, found ${to}`);
  yield* format.write(
    escapesSurrogates.has(format.name) ? documents : wellFormed(documents, format.name, options),
    options,
  );
}

/** The format of an input, judged by its first piece that has a whole line, and the input again from its beginning. */
async function recognised(source: Source): Promise<{ format: Format; source: Source }> {
  const iterator = source.chunks[Symbol.asyncIterator]();
  const decoder = new TextDecoder('utf-8');
  const read: (Uint8Array | string)[] = [];
  let head = '';
  while (head.length < HEAD_CHARACTERS && !tellsFormat(head)) {
    const next = await iterator.next();
    if (next.done === true) break;
    read.push(next.value);
    head += typeof next.value === 'string' ? next.value : decoder.decode(next.value, { stream: true });
  }
  async function* again(): AsyncGenerator<Uint8Array | string, void> {
    try {
      yield* read;
      for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
    } finally {
      await iterator.return?.();
    }
  }
  let format = guessFormat(head, source.name);
  if (format === text && /\.txt(?:\.gz)?$/i.test(source.name) && (await source.sibling?.('.ann')) !== undefined) {
    format = brat;
  }
  return { format, source: { ...source, chunks: again() } };
}

/** Whether a beginning has all that formats are told by: an element of XML, a line of JSON, else some lines. */
function tellsFormat(head: string): boolean {
  const [line, first] = /(\S[^\n]*?)\s*\n/.exec(head) ?? [];
  if (line === undefined || first === undefined) return false;
  if (/^\ufeff?<[?!]/.test(first)) return /<[A-Za-z][^>]*>/.test(head);
  return /^\ufeff?[{[].*[}\]]$/.test(first) || head.length >= TELLING_CHARACTERS;
}

/** Reports texts that UTF-8 cannot hold; their lone surrogates are written as U+FFFD, which leaves all offsets right. */
async function* wellFormed(
  documents: AsyncIterable<Document> | Iterable<Document>,
  format: string,
  { onLoss }: WriteOptions,
): AsyncGenerator<Document, void> {
  for await (const document of documents) {
    if (LONE_SURROGATE.test(document.text)) {
      onLoss?.({ format, document: document.id, kind: 'detail', message: 'lone surrogates, written as U+FFFD' });
    }
    yield document;
  }
}
