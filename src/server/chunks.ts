import { documentSentences, type Document, type Entity, type Sentence } from '../corpus/index.js';
import type { Span } from '../text/index.js';

/** Some neighbouring sentences of a document, as a document of their own: what is scheduled as one. */
export interface Chunk {
  readonly document: Document;
  /** Where the chunk begins in the text of its document. */
  readonly offset: number;
  readonly words: number;
}

/** Words after which a chunk ends; a longer sentence is a chunk alone. */
const CHUNK_WORDS = 128;

/** Cuts a document between sentences, so that a long one takes turns with those of other clients. */
export function chunksOf(document: Document): Chunk[] {
  const chunks: Chunk[] = [];
  let sentences: Sentence[] = [];
  let words = 0;
  const flush = (): void => {
    const chunk = chunkOf(document.text, sentences, words);
    if (chunk !== undefined) chunks.push(chunk);
    sentences = [];
    words = 0;
  };
  for (const sentence of documentSentences(document)) {
    if (words > 0 && words + sentence.words.length > CHUNK_WORDS) flush();
    sentences.push(sentence);
    words += sentence.words.length;
  }
  flush();
  return chunks;
}

function chunkOf(text: string, sentences: readonly Sentence[], words: number): Chunk | undefined {
  const spans = sentences.flatMap((sentence) => sentence.words);
  const [first] = spans;
  const last = spans.at(-1);
  if (first === undefined || last === undefined) return undefined;
  const offset = first.start;
  return {
    offset,
    words,
    document: {
      id: '',
      text: text.slice(offset, last.end),
      entities: [],
      sentences: sentences.map((sentence) => ({ words: sentence.words.map((span) => moved(span, -offset)) })),
    },
  };
}

/** The entities of a chunk where they stand in the text of its document. */
export function inDocument(entities: readonly Entity[], offset: number): Entity[] {
  return entities.map((entity) => {
    const [first, ...rest] = entity.spans;
    return { ...entity, spans: [moved(first, offset), ...rest.map((span) => moved(span, offset))] };
  });
}

function moved({ start, end }: Span, by: number): Span {
  return { start: start + by, end: end + by };
}
