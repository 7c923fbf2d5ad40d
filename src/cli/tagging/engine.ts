import { documentSentences, type Document, type Entity } from '../../corpus/index.js';
import type { Tagger, TagOptions } from '../../tag/index.js';

/** What a model needs of a document. */
export type Text = Pick<Document, 'text' | 'passages' | 'sentences' | 'continues'>;

/** What decides, with a model, what is found; it travels to worker threads. */
export type Choice = Pick<TagOptions, 'types' | 'minScore' | 'discourse' | 'lexicon'>;

/** What was found in documents that went through the model together. */
export interface Findings {
  /** The entities of each document. */
  readonly entities: readonly (readonly Entity[])[];
  /** How many sentences they have. */
  readonly sentences: number;
}

/** One model or several that tag documents. What is found depends on the documents of a call alone. */
export interface Engine {
  /** How many calls are worked on at the same time. */
  readonly width: number;
  tag(texts: readonly Text[]): Promise<Findings>;
  /** Ends it and frees its models. What is worked on is given up before its next batch, and its call fails. */
  close(): Promise<void>;
}

/** Tags documents in this thread, one call after the other. */
export class LocalEngine implements Engine {
  readonly width = 1;
  readonly #ending = new AbortController();
  #last: Promise<unknown> = Promise.resolve();
  #closed: Promise<void> | undefined;

  constructor(
    readonly tagger: Tagger,
    readonly options: Choice,
  ) {}

  tag(texts: readonly Text[]): Promise<Findings> {
    const options = { ...this.options, signal: this.#ending.signal };
    const next = this.#last.then(() => findIn(this.tagger, texts, options));
    this.#last = next.catch(() => undefined);
    return next;
  }

  close(): Promise<void> {
    this.#ending.abort();
    this.#closed ??= this.#last.then(() => this.tagger.dispose());
    return this.#closed;
  }
}

/** The entities of documents that go through one model together. */
export async function findIn(tagger: Tagger, texts: readonly Text[], options: TagOptions): Promise<Findings> {
  const documents = texts.map((text, k): Document => {
    const document = { ...text, id: String(k), entities: [] };
    return { ...document, sentences: documentSentences(document) };
  });
  const entities: (readonly Entity[])[] = [];
  for await (const document of tagger.tagDocuments(documents, options)) entities.push(document.entities);
  return { entities, sentences: documents.reduce((sum, { sentences = [] }) => sum + sentences.length, 0) };
}
