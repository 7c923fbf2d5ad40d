import { labelSpace, type ModelConfig } from '../model/index.js';
import type { Session, Values } from '../runtime/index.js';
import { decodeGrid, decodeSequence, flatten, type WordEntity } from '../scheme/index.js';
import { ownsMention, type WordPieceTokenizer } from '../text/index.js';
import { collate } from './collate.js';
import { SentenceEncoder, type EncodedWindow } from './encode.js';

/** How much goes through the model at once: padded encoder positions, and grid cells or words. */
const PIECES = 1024;
const CELLS = 16384;

interface Job extends EncodedWindow {
  readonly index: number;
}

/** Entities of sentences that are split into words already: a model's session, its tokenizer and its decoding. */
export class Predictor {
  readonly #encoder: SentenceEncoder;

  /** @param constants values fed at every run besides the batch: parameters, where the session has them as inputs */
  constructor(
    private readonly session: Session,
    private readonly config: ModelConfig,
    private readonly tokenizer: WordPieceTokenizer,
    private readonly constants: Values = {},
    private readonly flat = true,
  ) {
    this.#encoder = new SentenceEncoder(tokenizer, config);
  }

  /** The entities of each sentence, in the order of their first words. */
  async predict(sentences: readonly (readonly string[])[], signal?: AbortSignal): Promise<WordEntity[][]> {
    const jobs = sentences.flatMap((words, k): Job[] =>
      this.#encoder.encode(words).map((window) => ({ ...window, index: k })),
    );
    jobs.sort((a, b) => a.sentence.ids.length - b.sentence.ids.length);
    const found: WordEntity[][] = sentences.map(() => []);
    for (const batch of batches(jobs)) {
      signal?.throwIfAborted();
      const entities = await this.#run(batch);
      for (const [k, job] of batch.entries()) {
        const { window } = job;
        for (const entity of entities[k] ?? []) {
          const words = entity.words.map((word) => word + window.from);
          if (ownsMention(window, words[0] ?? 0, words.at(-1) ?? 0)) {
            found[job.index]?.push({ ...entity, words });
          }
        }
      }
    }
    return found.map((entities) =>
      (this.flat ? flatten(entities) : entities).sort((a, b) => (a.words[0] ?? 0) - (b.words[0] ?? 0)),
    );
  }

  async #run(jobs: readonly Job[]): Promise<WordEntity[][]> {
    const { inputs, sizes } = collate(
      jobs.map(({ sentence }) => [sentence]),
      this.tokenizer,
    );
    const known = new Set(this.session.inputNames);
    const feeds = Object.fromEntries(Object.entries(inputs).filter(([name]) => known.has(name)));
    const { probabilities } = await this.session.run({ ...this.constants, ...feeds }, {}, ['probabilities']);
    if (probabilities?.type !== 'float32') throw new RangeError('expected float32 probabilities');
    const { heads, classes } = labelSpace(this.config);
    const { data } = probabilities;
    const { config } = this;
    return jobs.map(({ sentence: { words } }, k) => {
      if (config.kind === 'sequence') {
        const offset = k * sizes.words * heads * classes;
        const view = { probabilities: data, offset, words, heads, classes };
        return decodeSequence(view, config.scheme, config.labels);
      }
      const offset = k * sizes.words * sizes.words * heads * classes;
      const view = { probabilities: data, offset, words, rowStride: sizes.words, heads, classes };
      return decodeGrid(view, config.labels);
    });
  }
}

function* batches(jobs: readonly Job[]): Generator<Job[]> {
  let batch: Job[] = [];
  for (const job of jobs) {
    const pieces = job.sentence.ids.length + 2;
    const words = job.sentence.words;
    const count = batch.length + 1;
    if (batch.length > 0 && (count * pieces > PIECES || count * words * words > CELLS)) {
      yield batch;
      batch = [];
    }
    batch.push(job);
  }
  if (batch.length > 0) yield batch;
}
