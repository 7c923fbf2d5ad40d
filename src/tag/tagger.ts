import type { Document, Entity, Sentence } from '../corpus/document.js';
import { documentSentences } from '../corpus/sentences.js';
import type { ModelConfig } from '../model/index.js';
import type { Runtime, Session } from '../runtime/index.js';
import type { WordEntity } from '../scheme/index.js';
import { decide } from './decide.js';
import { requireGazetteer, type Vocabulary, type WordSentence } from './encode.js';
import { inspectSentences, type SentenceInspection } from './inspect.js';
import type { Lexicon } from './lexicon.js';
import { Predictor } from './predictor.js';
import { spansOfWords } from './spans.js';

/** A model as the Tagger needs it, wherever it was read from. */
export interface TaggerModel extends Vocabulary {
  /** The architecture, and what it labels. */
  readonly config: ModelConfig;
  /** Bytes of the ONNX graph. */
  readonly graph: Uint8Array;
  /** Whether overlapping entities are resolved by score. */
  readonly flat: boolean;
  /** Names that are marked where the model finds nothing. */
  readonly lexicon?: Lexicon;
}

/** How a model is loaded. */
export interface TaggerOptions {
  /** Threads within one operator; all cores where absent. */
  readonly threads?: number;
  /** ONNX Runtime execution providers, in order of preference. */
  readonly providers?: readonly string[];
}

/** What of the entities is reported, and how they are found. */
export interface TagOptions {
  /** Types to find; all of the model's where absent. Others do not compete for words. */
  readonly types?: readonly string[];
  /** Entities with a lower score, from 0 to 1, are left out; 0 where absent. */
  readonly minScore?: number;
  /**
   * Whether the sentences of a text speak for one another (`decide`): a name that the text repeats is marked alike, and an
   * explained abbreviation like its long form; true where absent.
   */
  readonly discourse?: boolean;
  /** Whether the names of the model's lexicon are marked; true where absent. */
  readonly lexicon?: boolean;
  /** Whether overlapping entities are resolved by score; as the model folder says where absent. */
  readonly flat?: boolean;
  /** Ends tagging before the next batch, with the signal's reason thrown. */
  readonly signal?: AbortSignal;
}

/** Sentences that are collected, across documents, before they go through the model together. */
const SENTENCES = 128;

interface Pending {
  readonly document: Document;
  readonly sentences: readonly Sentence[];
}

/**
 * Finds entities in text. Offsets are UTF-16 code units of the text exactly as given, so
 * `text.slice(start, end)` is the mention. Holds a native session: call `dispose` when done.
 */
export class Tagger {
  readonly #session: Session;
  readonly #predictor: Predictor;
  readonly #config: ModelConfig;
  readonly #vocabulary: Vocabulary;
  readonly #flat: boolean;
  readonly #lexicon: Lexicon | undefined;

  /**
   * @param session of the model's graph, which `dispose` frees
   * @param model what the session runs
   */
  constructor(session: Session, model: Omit<TaggerModel, 'graph'>) {
    const { config, flat, lexicon, tokenizer, gazetteer } = model;
    this.#session = session;
    this.#config = config;
    this.#vocabulary = { tokenizer, gazetteer };
    this.#flat = flat;
    this.#lexicon = lexicon;
    this.#predictor = new Predictor(session, config, this.#vocabulary, {}, false);
  }

  /**
   * Loads the model's graph into a session of `runtime`, which runs in Node or in a browser.
   * @throws RangeError when the config has classes of a gazetteer and the model has not
   */
  static async create<T extends Tagger>(
    this: new (session: Session, model: Omit<TaggerModel, 'graph'>) => T,
    model: TaggerModel,
    runtime: Runtime,
    options: TaggerOptions = {},
  ): Promise<T> {
    requireGazetteer(model, model.config);
    return new this(await runtime.load(model.graph, options), model);
  }

  /** Entity types that the model knows. */
  get types(): readonly string[] {
    return this.#config.types;
  }

  /** The architecture of the model, its encoder's and its types. */
  get config(): ModelConfig {
    return this.#config;
  }

  /**
   * The entities of one text, in the order of their positions, with scores; spans in UTF-16 code units of `text`.
   * @throws the reason of `options.signal` when it is aborted
   */
  async tag(text: string, options: TagOptions = {}): Promise<readonly Entity[]> {
    for await (const { entities } of this.tagDocuments([{ id: '', text, entities: [] }], options)) return entities;
    return [];
  }

  /** The entities of each text, as `tag` gives them; texts go through the model together, which is faster. */
  async tagBatch(texts: readonly string[], options: TagOptions = {}): Promise<(readonly Entity[])[]> {
    const results: (readonly Entity[])[] = [];
    const documents = texts.map((text, k): Document => ({ id: String(k), text, entities: [] }));
    for await (const { entities } of this.tagDocuments(documents, options)) results.push(entities);
    return results;
  }

  /** Sentences of one text that are split into words already: the entities of each, types as indices of `types`. */
  async tagWords(sentences: readonly (readonly string[])[], options: TagOptions = {}): Promise<WordEntity[][]> {
    return this.#predict(
      sentences.map((words, k) => ({ words, follows: k > 0 })),
      options,
    );
  }

  /**
   * The documents with their entities replaced by those found, in order. Sentences are collected across documents, so
   * a result may come some documents late; memory stays bounded however many there are.
   */
  async *tagDocuments(
    documents: AsyncIterable<Document> | Iterable<Document>,
    options: TagOptions = {},
  ): AsyncGenerator<Document> {
    let pending: Pending[] = [];
    let count = 0;
    for await (const document of documents) {
      options.signal?.throwIfAborted();
      const sentences = documentSentences(document);
      pending.push({ document, sentences });
      count += sentences.length;
      if (count >= SENTENCES) {
        yield* await this.#tagPending(pending, options);
        pending = [];
        count = 0;
      }
    }
    yield* await this.#tagPending(pending, options);
  }

  /** What the model saw in each sentence of a text: its words and pieces, the grid, the attention. */
  async inspect(text: string): Promise<SentenceInspection[]> {
    const sentences = documentSentences({ id: '', text, entities: [] }).map(({ words }, k) => ({
      words: words.map(({ start, end }) => text.slice(start, end)),
      follows: k > 0,
    }));
    return inspectSentences(this.#session, this.#config, this.#vocabulary, sentences);
  }

  /** Frees the native session; the tagger cannot be used afterwards. */
  async dispose(): Promise<void> {
    await this.#session.release();
  }

  async #tagPending(pending: readonly Pending[], options: TagOptions): Promise<Document[]> {
    const words = pending.flatMap(({ document: { text, continues = false }, sentences }) =>
      sentences.map((sentence, k) => ({
        words: sentence.words.map(({ start, end }) => text.slice(start, end)),
        follows: k > 0 || continues,
      })),
    );
    const found = await this.#predict(words, options);
    let next = 0;
    return pending.map(({ document, sentences }) => {
      const entities = sentences.flatMap((sentence) =>
        (found[next++] ?? []).flatMap((entity) => this.#entity(entity, sentence, options)),
      );
      return { ...document, entities };
    });
  }

  async #predict(sentences: readonly WordSentence[], options: TagOptions): Promise<WordEntity[][]> {
    const { types: wanted, discourse = true, flat = this.#flat, signal } = options;
    const lexicon = options.lexicon === false ? undefined : this.#lexicon;
    return decide(sentences, await this.#predictor.predict(sentences, signal), {
      types: this.types,
      flat,
      discourse,
      ...(wanted === undefined ? {} : { wanted }),
      ...(lexicon === undefined ? {} : { lexicon }),
    });
  }

  #entity(found: WordEntity, sentence: Sentence, { minScore = 0 }: TagOptions): Entity[] {
    const type = this.#config.types[found.type];
    const [first, ...rest] = spansOfWords(found.words, sentence.words);
    const { score = 1 } = found;
    if (type === undefined || first === undefined || score < minScore) return [];
    return [{ type, spans: [first, ...rest], score }];
  }
}
