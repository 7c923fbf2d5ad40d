import { ops, quantizedActivations, toOnnx, type ActivationRanges, type Tensor } from '../graph/index.js';
import { buildModel, inferenceOutputs, type ModelConfig } from '../model/index.js';
import { inputsOf, type Runtime, type Values } from '../runtime/index.js';
import { collate } from './collate.js';
import { SentenceEncoder, type Vocabulary, type WordSentence } from './encode.js';

/** Sentences that the ranges of activations are of. */
const SENTENCES = 256;

/**
 * The ranges that a model's activations have on some hundred of the sentences, spread over the list: what its 8-bit graph
 * needs. Each sentence goes through the model alone, so that nothing is padding.
 */
export async function calibrate(
  model: ModelConfig,
  weights: ReadonlyMap<string, Float32Array>,
  vocabulary: Vocabulary,
  sentences: readonly WordSentence[],
  runtime: Runtime,
): Promise<ActivationRanges> {
  const encoder = new SentenceEncoder(vocabulary, model);
  const every = Math.max(1, Math.floor(sentences.length / SENTENCES));
  const feeds = sentences
    .filter((_, k) => k % every === 0)
    .slice(0, SENTENCES)
    .flatMap(({ words }) => encoder.encode(words))
    .map(({ sentence }) => collate([[sentence]], vocabulary.tokenizer, model).inputs);
  return observeActivations(Object.values(inferenceOutputs(buildModel(model, false))), weights, feeds, runtime);
}

/** The ranges over all feeds of the activations that a quantised graph of the outputs needs. */
export async function observeActivations(
  outputs: readonly Tensor[],
  weights: ReadonlyMap<string, Float32Array>,
  feeds: readonly Values[],
  runtime: Runtime,
): Promise<ActivationRanges> {
  const activations = quantizedActivations(outputs, weights);
  if (activations.size === 0) return {};
  const extremes = [...activations].flatMap(([name, x]): [string, Tensor][] => [
    [`least ${name}`, largest(ops.mul(x, -1))],
    [`largest ${name}`, largest(x)],
  ]);
  const session = await runtime.load(toOnnx(Object.fromEntries(extremes), { parameters: weights }));
  try {
    const ranges = new Map<string, [number, number]>();
    for (const values of feeds) {
      const found = await session.run(inputsOf(session, values));
      for (const name of activations.keys()) {
        const [low = 0, high = 0] = ranges.get(name) ?? [];
        const [least, most] = [found[`least ${name}`]?.data[0] ?? NaN, found[`largest ${name}`]?.data[0] ?? NaN];
        ranges.set(name, [Math.min(low, -least), Math.max(high, most)]);
      }
    }
    return Object.fromEntries(ranges);
  } finally {
    await session.release();
  }
}

function largest(x: Tensor): Tensor {
  return ops.reduceMax(x, ...x.shape.keys());
}
