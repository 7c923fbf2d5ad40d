import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll } from 'vitest';
import type { Document, Entity } from '../../src/corpus/document.js';
import type { Piece, ReadOptions, Source, WriteOptions } from '../../src/corpus/format.js';
import { readDocuments, writeDocuments } from '../../src/corpus/registry.js';
import { isBlank, type Span } from '../../src/text/index.js';

/** The folder of real corpora beside the repository; tests that need it are skipped where it is absent. */
export const corpora = fileURLToPath(new URL('../../../shared/corpora/', import.meta.url));
export const haveCorpora = existsSync(corpora);

/** A folder for one test file, removed at its end. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ebiobert-corpus-'));
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** An input of strings or bytes, with inputs beside it by extension. */
export function source(name: string, content: string | Uint8Array, siblings: Record<string, string> = {}): Source {
  return {
    name,
    chunks: chunksOf([content]),
    sibling: (extension) => {
      const other = siblings[extension];
      return Promise.resolve(
        other === undefined ? undefined : source(name.replace(/\.[^.]*$/, extension), other, siblings),
      );
    },
  };
}

export async function* chunksOf<T>(chunks: Iterable<T>): AsyncGenerator<T, void> {
  await Promise.resolve();
  yield* chunks;
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

export async function read(
  from: string,
  content: string | Uint8Array,
  options: ReadOptions = {},
  name = 'file.txt',
): Promise<Document[]> {
  return all(readDocuments(source(name, content), { ...options, from }));
}

/** What a format writes, by file; the one output of a format that is no folder is called ''. */
export async function write(to: string, documents: Iterable<Document>, options: WriteOptions = {}) {
  const files = new Map<string, string>();
  for await (const { file = '', text } of writeDocuments(documents, to, options) as AsyncIterable<Piece>) {
    files.set(file, (files.get(file) ?? '') + text);
  }
  return files;
}

/** Writes documents and reads them back, through files that are in memory only. */
export async function roundTrip(format: string, documents: Iterable<Document>, options: WriteOptions = {}) {
  const files = await write(format, documents, options);
  const whole = files.get('');
  if (whole !== undefined) return read(format, whole, {}, 'again.x');
  const back: Document[] = [];
  for (const [name, content] of files) {
    if (!name.endsWith('.txt')) continue;
    const siblings = { '.ann': files.get(name.replace(/\.txt$/, '.ann')) ?? '' };
    back.push(...(await all(readDocuments(source(name, content, siblings), { from: format }))));
  }
  return back;
}

/** What a mention is apart from how blank space is written: its type, and which visible characters it covers. */
export function visible({ text }: Document, { type, spans }: Entity): string {
  const place = (offset: number) => {
    let count = 0;
    for (let k = 0; k < offset; k += 1) if (!isBlank(text.charCodeAt(k))) count += 1;
    return count;
  };
  return `${type} ${spans.map(({ start, end }) => `${place(start)}-${place(end)}`).join(',')}`;
}

const unit = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom('a', 'B', 'cd', '1', '-', '.', ',', '(', ')', 'β', 'é', 'e\u0301', '病') },
  { weight: 5, arbitrary: fc.constant(' ') },
  { weight: 2, arbitrary: fc.constantFrom('😀', '𝛼', '👩‍🔬', '\u{1f9ec}') },
  { weight: 1, arbitrary: fc.constantFrom('\n', '\r\n', '\t', '\u00a0', '\u2028', '|', ';', '"', '\\', '\u0001') },
);

/** Texts with everything that upsets offsets, made of whole characters. */
export const textArbitrary = fc.array(unit, { maxLength: 60 });

const typeArbitrary = fc.constantFrom('Gene', 'Chemical', 'Disease', 'Species');

/** Documents with nested, overlapping and discontinuous mentions anywhere between characters. */
export const documentArbitrary: fc.Arbitrary<Document> = fc
  .record({
    id: fc.stringMatching(/^[a-z0-9]{1,8}$/),
    title: textArbitrary,
    abstract: fc.option(textArbitrary),
    mentions: fc.array(
      fc.tuple(
        typeArbitrary,
        fc.array(fc.nat(120), { minLength: 2, maxLength: 6 }),
        fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
      ),
      { maxLength: 6 },
    ),
  })
  .map(({ id, title, abstract, mentions }) => {
    const text = abstract === null ? title.join('') : `${title.join('')}\n${abstract.join('')}`;
    const edges = [...characterEdges(text)];
    const entities = mentions.flatMap(([type, picks, score]): Entity[] => {
      const sorted = [...new Set(picks.map((pick) => edges[pick % edges.length] ?? 0))].sort((a, b) => a - b);
      const spans: Span[] = [];
      for (let k = 0; k + 1 < sorted.length; k += 2) spans.push({ start: sorted[k] ?? 0, end: sorted[k + 1] ?? 0 });
      const [first, ...rest] = spans;
      return first === undefined ? [] : [{ type, spans: [first, ...rest], ...(score === null ? {} : { score }) }];
    });
    const titleEnd = title.join('').length;
    return {
      id,
      text,
      entities,
      ...(abstract === null
        ? {}
        : {
            passages: [
              { kind: 'title', start: 0, end: titleEnd },
              { kind: 'abstract', start: titleEnd + 1, end: text.length },
            ],
          }),
    };
  });

function* characterEdges(text: string): Generator<number> {
  let edge = 0;
  yield edge;
  for (const character of text) yield (edge += character.length);
}
