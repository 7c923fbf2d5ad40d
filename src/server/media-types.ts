import Negotiator from 'negotiator';
import type { IncomingMessage } from 'node:http';
import { formatNamed, formats, guessFormat } from '../corpus/index.js';
import { Problem } from './problem.js';

/** The answer in this API's own JSON, told apart from the formats. */
export const API_JSON = 'json';

/** A brat document is two files, which a body is not. */
export const unsuitable: ReadonlySet<string> = new Set(['brat']);

/** Media types that are registered or in common use; every format has `application/x-NAME` and `text/x-NAME` too. */
const common: Readonly<Record<string, readonly string[]>> = {
  text: ['text/plain'],
  jsonl: ['application/x-ndjson', 'application/jsonl', 'application/x-jsonlines'],
  csv: ['text/csv'],
  tsv: ['text/tab-separated-values'],
  'bioc-xml': ['application/xml', 'text/xml'],
  'bioc-json': ['application/x-bioc-json', 'application/json'],
};

/** The media types of a format, the one to answer with first. */
export function mediaTypes(format: string): string[] {
  return [...(common[format] ?? []), `text/x-${format}`, `application/x-${format}`];
}

/**
 * The format of a body: what the query says, else what its Content-Type does; undefined where its content decides.
 * `API_JSON` is a request to tag.
 * @throws Problem 415 for a type that no format has
 */
export function bodyFormat(from: string | undefined, contentType: string | undefined, head: () => string): string {
  if (from !== undefined) return readable(from);
  const type = contentType?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (type === 'application/json') return API_JSON;
  if (type === '' || type === 'application/octet-stream') return readable(guessFormat(head()).name);
  if (type === 'application/xml' || type === 'text/xml') {
    const { name } = guessFormat(head());
    return name.endsWith('-xml') ? readable(name) : 'bioc-xml';
  }
  const found = [...formats.keys()].find((format) => mediaTypes(format).includes(type));
  if (found !== undefined) return readable(found);
  throw new Problem(415, 'unsupported-type', `expected a media type of the documentation, found ${type.slice(0, 100)}`);
}

function readable(name: string): string {
  const format = formatNamed(name);
  if (format.read !== undefined && !unsuitable.has(name)) return name;
  throw new Problem(415, 'unsupported-type', `expected a format that a body can have, found ${name}`);
}

export interface AnswerType {
  readonly format: string;
  readonly mediaType: string;
}

/**
 * The format of the answer: what the query says, else what Accept does. Without either a document comes back in its own
 * format, or as `API_JSON` where that cannot be written.
 * @throws Problem 406 when nothing acceptable can be written
 */
export function answerType(to: string | undefined, request: IncomingMessage, own: string): AnswerType {
  if (to !== undefined) {
    if (to === API_JSON) return { format: API_JSON, mediaType: 'application/json' };
    if (!formats.has(to) || !writable(to)) throw notAcceptable();
    return { format: to, mediaType: mediaTypes(to)[0] ?? 'text/plain' };
  }
  const formatOf = new Map<string, string>();
  const offer = (format: string, types: readonly string[]): void => {
    for (const type of types) if (!formatOf.has(type)) formatOf.set(type, format);
  };
  if (writable(own)) offer(own, mediaTypes(own));
  offer(API_JSON, ['application/json']);
  for (const format of formats.keys()) if (writable(format)) offer(format, mediaTypes(format));
  const mediaType = new Negotiator(request).mediaType([...formatOf.keys()]);
  const format = mediaType === undefined ? undefined : formatOf.get(mediaType);
  if (mediaType === undefined || format === undefined) throw notAcceptable();
  return { format, mediaType };
}

function writable(name: string): boolean {
  return formats.get(name)?.write !== undefined && !unsuitable.has(name);
}

function notAcceptable(): Problem {
  const known = [...formats.keys()].filter(writable).join(', ');
  return new Problem(406, 'not-acceptable', `expected to answer as ${API_JSON} or in a format among ${known}`);
}
