import { ops, toOnnx } from '../src/graph/index.js';
import { buildModel, type WordPairConfig } from '../src/model/index.js';
import { nodeRuntime } from '../src/runtime/node.js';
import { EMPTY_SEQUENCE, inputsOf, type Runtime, type Values } from '../src/runtime/index.js';
import { AdamW } from '../src/train/adamw.js';
import { parameterSpecs, TrainingGraph } from '../src/train/graph.js';
import { initialValues } from '../src/train/initialise.js';
import { ParameterStore } from '../src/train/parameters.js';
import { observeActivations } from '../src/tag/index.js';
import type { BatchShape } from './shapes.js';

/** Random pieces, every sentence full, words of equal length: the PyTorch peer's batch. */
export function randomBatch({ sentences, pieces, words }: BatchShape): {
  inputs: Values;
  sizes: Record<string, number>;
} {
  const rows: number[] = [];
  const wordOf: number[] = [];
  for (let s = 0; s < sentences; s++) {
    for (let p = 1; p < pieces - 1; p++) {
      rows.push(s * pieces + p);
      wordOf.push(s * words + Math.floor(((p - 1) * words) / (pieces - 2)));
    }
  }
  const cells = sentences * words * words;
  const int32 = (dims: readonly number[], data: Int32Array) => ({ type: 'int32', dims, data }) as const;
  return {
    sizes: { windows: sentences, pieces, sentences, words, rows: rows.length, letters: 1 },
    inputs: {
      input_ids: int32(
        [sentences, pieces],
        Int32Array.from({ length: sentences * pieces }, (_, k) => 1000 + ((k * 7919) % 27000)),
      ),
      piece_counts: int32([sentences], new Int32Array(sentences).fill(pieces)),
      word_mask: { type: 'float32', dims: [sentences, words], data: new Float32Array(sentences * words).fill(1) },
      piece_rows: int32([rows.length], Int32Array.from(rows)),
      piece_words: int32([rows.length], Int32Array.from(wordOf)),
      labels: int32(
        [sentences, words, words, 1],
        Int32Array.from({ length: cells }, (_, k) => (k % 50 === 0 ? k % 3 : 0)),
      ),
    },
  };
}

export interface Step {
  run(): Promise<void>;
  release(): Promise<void>;
}

/** The parameters of a model at their first values. */
export function freshStore(config: WordPairConfig): ParameterStore {
  const model = buildModel(config, true);
  const store = new ParameterStore(parameterSpecs(model, 1, config.encoder?.num_hidden_layers ?? 0));
  for (const [k, spec] of model.scope.parameters.entries()) store.value(spec.name).set(initialValues(spec, 0, k));
  return store;
}

/** A whole training step: dropout masks, forward, backward, clipping and AdamW. */
export async function trainingStep(
  config: WordPairConfig,
  shape: BatchShape,
  threads: number,
  runtime: Runtime = nodeRuntime,
): Promise<Step> {
  const store = freshStore(config);
  const graph = await TrainingGraph.load(runtime, config, store, 0, threads);
  const optimizer = new AdamW(store);
  const { inputs, sizes } = randomBatch(shape);
  const batchSizes = { windows: 0, pieces: 0, sentences: 0, words: 0, rows: 0, letters: 0, ...sizes };
  let count = 0;
  return {
    async run() {
      await graph.run(inputs, batchSizes, count++, 1);
      optimizer.step({ encoder: 1e-6, head: 1e-6 });
    },
    release: () => graph.release(),
  };
}

/** One inference call with the weights in the graph. */
export async function inferenceCall(
  config: WordPairConfig,
  shape: BatchShape,
  threads: number,
  quantize: boolean,
): Promise<Step> {
  const model = buildModel(config, false);
  const parameters = new Map(model.scope.parameters.map((spec, k) => [spec.name, initialValues(spec, 0, k)]));
  const { inputs } = randomBatch(shape);
  const outputs = { probabilities: model.probabilities };
  const ranges = quantize ? await observeActivations([model.probabilities], parameters, [inputs], nodeRuntime) : null;
  const graph = toOnnx(outputs, ranges === null ? { parameters } : { parameters, quantize: ranges });
  const session = await nodeRuntime.load(graph, { threads });
  const feeds = inputsOf(session, inputs);
  return {
    async run() {
      await session.run(feeds);
    },
    release: () => session.release(),
  };
}

/** Floating-point operations per second of a plain float32 matrix product in the runtime: what the machine can do. */
export async function gemmSession(size: number, threads: number): Promise<Step> {
  const a = ops.input('a', 'float32', [size, size]);
  const b = ops.input('b', 'float32', [size, size]);
  const graph = toOnnx({ c: ops.matmul(a, b) }, { emptySequence: EMPTY_SEQUENCE });
  const session = await nodeRuntime.load(graph, { threads });
  const value = () => ({ type: 'float32', dims: [size, size], data: new Float32Array(size * size).fill(0.5) }) as const;
  const [feeds, targets] = [{ a: value(), b: value() }, { c: value() }];
  return {
    async run() {
      await session.runInto(feeds, targets);
    },
    release: () => session.release(),
  };
}
