import { describe, expect, test } from 'vitest';
import { labelSpace, type ModelConfig } from '../../src/model/index.js';
import type { Runtime, Values } from '../../src/runtime/index.js';
import { Tagger } from '../../src/tag/index.js';
import { WordPieceTokenizer } from '../../src/text/index.js';
import { tinyEncoder, tinySequence, tinyWordPair } from '../model/support/tiny.js';

const sentence =
  'Lithium carbonate was given to patients with p53 , and renal failure ( RF ) followed in most of them . ';
const WORDS = sentence.trim().split(' ').length;
const words = [...new Set(sentence.trim().toLowerCase().split(' '))];
const tokenizer = WordPieceTokenizer.fromVocabulary(
  `${['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', ...words].join('\n')}\n`,
  { lowercase: true },
);

/** A runtime that finds an entity of the first type at every first word and has no weights. */
function stub(config: ModelConfig): Runtime {
  const { heads, classes } = labelSpace(config);
  return {
    load: () =>
      Promise.resolve({
        inputNames: ['input_ids', 'piece_counts', 'word_mask', 'piece_rows', 'piece_words', 'characters'],
        outputNames: ['probabilities'],
        run: (feeds: Values) => {
          const [sentences = 0, length = 0] = feeds['word_mask']?.dims ?? [];
          const cells = config.kind === 'word-pair' ? length * length : length;
          const data = new Float32Array(sentences * cells * heads * classes);
          for (let cell = 0; cell < sentences * cells * heads; cell++) {
            const isFirst = cell % (cells * heads) === 0;
            data[cell * classes + (isFirst ? (config.kind === 'word-pair' ? 2 : 1) : 0)] = 1;
          }
          const grid = config.kind === 'word-pair' ? [length, length] : [length];
          return Promise.resolve({
            probabilities: { type: 'float32' as const, dims: [sentences, ...grid, heads, classes], data },
          });
        },
        runInto: () => Promise.reject(new Error('not called')),
        release: () => Promise.resolve(),
      }),
  };
}

async function measured(config: ModelConfig, text: string): Promise<{ found: number; ms: number; bytes: number }> {
  const tagger = await Tagger.create({ config, tokenizer, graph: new Uint8Array(0), flat: true }, stub(config));
  const before = process.memoryUsage();
  let peak = before.rss;
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage().rss);
  }, 20);
  const started = performance.now();
  const entities = await tagger.tag(text);
  const ms = performance.now() - started;
  clearInterval(watch);
  await tagger.dispose();
  return { found: entities.length, ms, bytes: Math.max(peak, process.memoryUsage().rss) - before.rss };
}

describe('a document of 100,000 words', () => {
  const repeats = Math.ceil(100_000 / WORDS);

  test.each([
    ['word-pair', tinyWordPair()],
    ['sequence', tinySequence()],
  ])('goes through a %s model in linear time and bounded memory', async (_, config) => {
    const short = sentence.repeat(repeats / 10);
    await measured(config, short);
    const tenth = await measured(config, short);
    const whole = await measured(config, sentence.repeat(repeats));
    expect(whole.found).toBe(repeats);
    expect(whole.ms).toBeLessThan(30 * tenth.ms + 500);
    expect(whole.bytes).toBeLessThan(400e6);
  });

  test('without any full stop it is cut into windows, in linear time too', async () => {
    const config = tinySequence({ encoder: { ...tinyEncoder, max_position_embeddings: 128 } });
    const text = sentence.replace(' . ', ' ');
    await measured(config, text.repeat(repeats / 10));
    const tenth = await measured(config, text.repeat(repeats / 10));
    const whole = await measured(config, text.repeat(repeats));
    expect(whole.found).toBeGreaterThan(0);
    expect(whole.ms).toBeLessThan(30 * tenth.ms + 500);
    expect(whole.bytes).toBeLessThan(400e6);
  });
});
