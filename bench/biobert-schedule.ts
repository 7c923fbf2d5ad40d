/** How long the paper's schedule takes over an encoder of BERT-base's shape, from steps on batches of the corpora. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { modelConfigSchema, type BertConfig } from '../src/model/index.js';
import { nodeRuntime } from '../src/runtime/node.js';
import { SentenceEncoder } from '../src/tag/index.js';
import type { WordPieceTokenizer } from '../src/text/index.js';
import { AdamW } from '../src/train/adamw.js';
import { planBatches } from '../src/train/batching.js';
import { readTrainingData } from '../src/train/corpora.js';
import { encodeExamples, sizeOfExample, trainingBatch, type Example } from '../src/train/data.js';
import { TrainingGraph } from '../src/train/graph.js';
import { freshStore } from './steps.js';

/** A corpus of the paper: epochs and sentences of a batch as the paper has them. */
interface PaperCorpus {
  readonly name: string;
  readonly epochs: number;
  readonly batch: number;
  /** Sentences of train and devel where the corpus is not at hand, and the folder whose batches stand for its own. */
  readonly standIn?: { readonly folder: string; readonly sentences: number };
}

const corpora: readonly PaperCorpus[] = [
  { name: 'ncbi-disease', epochs: 41, batch: 8 },
  { name: 'bc5cdr-disease', epochs: 34, batch: 8 },
  { name: 'bc5cdr-chem', epochs: 47, batch: 8 },
  { name: 'bc2gm', epochs: 10, batch: 8 },
  // 30,682 and 30,639 sentences in the MTL-Bioinformatics-2016 collection.
  { name: 'bc4chemd', epochs: 6, batch: 4, standIn: { folder: 'bc5cdr-chem', sentences: 30_682 + 30_639 } },
];

/** Seconds of steps on one corpus. */
export interface CorpusSchedule {
  readonly name: string;
  readonly standIn: string | undefined;
  readonly sentences: number;
  readonly batches: number;
  readonly epochs: number;
  /** Word pieces of a word. */
  readonly piecesPerWord: number;
  /** Of the measured steps, from the shortest to the longest sentences: padded pieces, words, seconds. */
  readonly steps: readonly { readonly pieces: number; readonly words: number; readonly seconds: number }[];
}

/**
 * Times training steps of the paper's configuration: of each corpus, `count` batches of an epoch, evenly spaced from
 * the one with the shortest sentences to the one with the longest.
 */
export async function* measureSchedules(
  folder: string,
  encoder: BertConfig,
  tokenizer: WordPieceTokenizer,
  threads: number,
  count: number,
): AsyncGenerator<CorpusSchedule> {
  const layers = [-4, -3, -2, -1].filter((k) => -k <= encoder.num_hidden_layers);
  const config = modelConfigSchema.parse({ kind: 'word-pair', types: ['Entity'], encoder, guidance: { layers, alpha: 0.001 } }); // prettier-ignore
  if (config.kind !== 'word-pair') throw new RangeError('expected a word-pair model');
  const store = freshStore(config);
  const graph = await TrainingGraph.load(nodeRuntime, config, store, 0, threads);
  const optimizer = new AdamW(store);
  let steps = 0;
  const step = async (examples: readonly Example[]): Promise<number> => {
    const start = performance.now();
    const { inputs, sizes } = trainingBatch(examples, config, tokenizer, 'unknown');
    await graph.run(inputs, sizes, steps++, 1);
    optimizer.step({ encoder: 1e-6, head: 1e-6 });
    return (performance.now() - start) / 1000;
  };
  for (const { name, epochs, batch, standIn } of corpora) {
    const corpus = join(folder, standIn?.folder ?? name);
    if (!existsSync(corpus)) continue;
    const { train } = await readTrainingData([corpus], true);
    const examples = encodeExamples(train, new SentenceEncoder({ tokenizer }, config, 200));
    const sizes = examples.map(sizeOfExample);
    const { batches } = planBatches(sizes, { poolSize: 400, limit: { kind: 'fixed', sentences: batch } }, 0, 0);
    const padded = batches.map((indices) => ({
      examples: [...indices].flatMap((index) => examples[index] ?? []),
      pieces: Math.max(...[...indices].map((index) => sizes[index]?.pieces ?? 0)),
      words: Math.max(...[...indices].map((index) => sizes[index]?.words ?? 0)),
    }));
    padded.sort((a, b) => a.pieces + a.words - (b.pieces + b.words));
    const chosen = Array.from({ length: count }, (_, k) => padded[Math.floor(((k + 0.5) * padded.length) / count)]);
    if (steps === 0) for (const { examples: warm } of padded.slice(-1)) await step(warm);
    const measured: CorpusSchedule['steps'][number][] = [];
    for (const one of chosen) {
      if (one === undefined) continue;
      measured.push({ pieces: one.pieces, words: one.words, seconds: await step(one.examples) });
    }
    const sentences = standIn?.sentences ?? train.length;
    yield {
      name,
      standIn: standIn?.folder,
      sentences,
      batches: standIn === undefined ? batches.length : Math.ceil(sentences / batch),
      epochs,
      piecesPerWord: piecesPerWord(examples),
      steps: measured,
    };
  }
  await graph.release();
}

function piecesPerWord(examples: readonly Example[]): number {
  const sentences = examples.flatMap((example) => example.sentences);
  const sum = (of: (sentence: (typeof sentences)[number]) => number): number =>
    sentences.reduce((total, sentence) => total + of(sentence), 0);
  return sum(({ encoded }) => encoded.ids.length) / sum(({ encoded }) => encoded.words);
}
