import { decodingNames, labelSpace, type ModelConfig } from '../model/index.js';
import { inputsOf, type Session, type Values } from '../runtime/index.js';
import { decodeCrf, decodeGrid, decodeSequence, flatten, type WordEntity } from '../scheme/index.js';
import { ownsMention } from '../text/index.js';
import { collate } from './collate.js';
import { SentenceEncoder, type Vocabulary, type WindowPart, type WordSentence } from './encode.js';

/**
 * How much goes through the model at once: padded encoder positions, and cells of word pairs. Enough for the products to
 * be large, and so little that what the nodes hand on stays in a processor's caches.
 */
const PIECES = 512;
const CELLS = 8192;

/** Entities of sentences that are split into words already: a model's session, its vocabulary and its decoding. */
export class Predictor {
  readonly #encoder: SentenceEncoder;

  /** @param constants values fed at every run besides the batch: parameters, where the session has them as inputs */
  constructor(
    private readonly session: Session,
    private readonly config: ModelConfig,
    private readonly vocabulary: Vocabulary,
    private readonly constants: Values = {},
    private readonly flat = true,
  ) {
    this.#encoder = new SentenceEncoder(vocabulary, config);
  }

  /** The entities of each sentence, in the order of their first words. */
  async predict(sentences: readonly WordSentence[], signal?: AbortSignal): Promise<WordEntity[][]> {
    const windows = this.#encoder.encodeAll(sentences).sort((a, b) => piecesOf(a) - piecesOf(b));
    const found: WordEntity[][] = sentences.map(() => []);
    for (const batch of batches(windows)) {
      signal?.throwIfAborted();
      const entities = await this.#run(batch);
      for (const [k, { index, window }] of batch.flat().entries()) {
        for (const entity of entities[k] ?? []) {
          const words = entity.words.map((word) => word + window.from);
          if (ownsMention(window, words[0] ?? 0, words.at(-1) ?? 0)) found[index]?.push({ ...entity, words });
        }
      }
    }
    return found.map((entities) =>
      (this.flat ? flatten(entities) : entities).sort((a, b) => (a.words[0] ?? 0) - (b.words[0] ?? 0)),
    );
  }

  /** The entities of the windows' parts, in their order. */
  async #run(windows: readonly (readonly WindowPart[])[]): Promise<WordEntity[][]> {
    const { inputs, sizes } = collate(
      windows.map((window) => window.map(({ sentence }) => sentence)),
      this.vocabulary.tokenizer,
      this.config,
    );
    const feeds = inputsOf(this.session, inputs);
    const { config } = this;
    const outputs = await this.session.run({ ...this.constants, ...feeds }, {}, decodingNames(config));
    const read = (name: string): Float32Array => {
      const value = outputs[name];
      if (value?.type !== 'float32') throw new RangeError(`expected float32 ${name}, found ${value?.type ?? 'none'}`);
      return value.data;
    };
    const { heads, classes } = labelSpace(config);
    if (config.kind === 'sequence' && config.crf) {
      const emissions = read('emissions');
      const [start, transitions, end] = [read('start_transitions'), read('transitions'), read('end_transitions')];
      return windows.flat().map(({ sentence: { words } }, k) => {
        const view = { emissions, offset: k * sizes.words * heads * classes, words, heads, classes };
        return decodeCrf(view, { start, transitions, end }, config.scheme, config.labels);
      });
    }
    const data = read('probabilities');
    return windows.flat().map(({ sentence: { words } }, k) => {
      if (config.kind === 'sequence') {
        const offset = k * sizes.words * heads * classes;
        const view = { probabilities: data, offset, words, heads, classes };
        return decodeSequence(view, config.scheme, config.labels, { constrained: config.constrained });
      }
      const offset = k * sizes.words * sizes.words * heads * classes;
      const view = { probabilities: data, offset, words, rowStride: sizes.words, heads, classes };
      return decodeGrid(view, config.labels);
    });
  }
}

function piecesOf(window: readonly WindowPart[]): number {
  return window.reduce((sum, { sentence }) => sum + sentence.ids.length, 2);
}

/** Windows in order of length, as many together as the limits allow. */
function* batches(windows: readonly WindowPart[][]): Generator<WindowPart[][]> {
  let batch: WindowPart[][] = [];
  let sentences = 0;
  let words = 0;
  for (const window of windows) {
    const longest = Math.max(words, ...window.map(({ sentence }) => sentence.words));
    const cells = (sentences + window.length) * longest ** 2;
    if (batch.length > 0 && ((batch.length + 1) * piecesOf(window) > PIECES || cells > CELLS)) {
      yield batch;
      batch = [];
      sentences = 0;
      words = 0;
    }
    batch.push(window);
    sentences += window.length;
    words = Math.max(words, ...window.map(({ sentence }) => sentence.words));
  }
  if (batch.length > 0) yield batch;
}
