import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { readDocuments, type Document } from '../corpus/index.js';
import type { Limits } from './limits.js';
import { Problem } from './problem.js';

const unzip = promisify(gunzip);

/** The bytes of a body, after gzip where Content-Encoding names it; never more than the limit. */
export async function decoded(body: unknown, encoding: string | undefined, { maxBody }: Limits): Promise<Buffer> {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.alloc(0);
  if (encoding === undefined || encoding === 'identity') return bytes;
  if (encoding !== 'gzip') {
    throw new Problem(415, 'unsupported-type', `expected gzip as Content-Encoding, found ${encoding.slice(0, 100)}`, {
      'accept-encoding': 'gzip',
    });
  }
  try {
    return await unzip(bytes, { maxOutputLength: maxBody });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxBody);
    throw new Problem(400, 'bad-request', 'expected whole gzip data in the body');
  }
}

export function tooLarge(maxBody: number): Problem {
  return new Problem(413, 'too-large', `expected a body of at most ${maxBody} bytes`);
}

/** The JSON value of a body. Messages quote nothing of it. */
export function parseJson(bytes: Buffer): unknown {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Problem(400, 'bad-request', 'expected JSON in UTF-8, found other bytes');
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new Problem(400, 'bad-request', 'expected JSON, found something else');
  }
}

/** The documents of a body in a format, all of them. */
export async function documentsOf(bytes: Buffer, from: string, { maxBody }: Limits): Promise<Document[]> {
  const documents: Document[] = [];
  const source = { name: 'body', chunks: once(bytes) };
  for await (const document of readDocuments(source, { from, maxBytes: maxBody })) documents.push(document);
  return documents;
}

async function* once(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}

/** Throws 413 where a text is longer than the limit. */
export function checkTexts(documents: readonly Document[], { maxText }: Limits): void {
  const long = documents.findIndex(({ text }) => text.length > maxText);
  if (long < 0) return;
  const found = documents[long]?.text.length ?? 0;
  throw new Problem(
    413,
    'too-large',
    `expected texts of at most ${maxText} characters, found ${found} in text ${long + 1}`,
  );
}
