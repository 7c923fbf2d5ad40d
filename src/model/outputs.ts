import type { Tensor } from '../graph/index.js';
import type { ModelConfig } from './config.js';
import type { ModelGraph } from './model.js';

/** Names of the outputs of `decodingOutputs`. */
export function decodingNames(config: ModelConfig): readonly string[] {
  return config.kind === 'sequence' && config.crf
    ? ['emissions', 'start_transitions', 'transitions', 'end_transitions']
    : ['probabilities'];
}

/**
 * What entities are decoded from: the class probabilities, where every cell or word has its own; of a CRF the scores of
 * labels, [sentences, words, heads, classes], and those of its transitions (`Crf`).
 */
export function decodingOutputs({ probabilities, logits, crf }: ModelGraph): Record<string, Tensor> {
  if (crf === undefined) return { probabilities };
  return {
    emissions: logits,
    start_transitions: crf.start,
    transitions: crf.transitions,
    end_transitions: crf.end,
  };
}

/**
 * The outputs of an inference graph: `probabilities`, what decoding needs besides, and the attention map `attention.i`
 * of every layer.
 */
export function inferenceOutputs(model: ModelGraph): Record<string, Tensor> {
  const maps = model.maps.map((map, layer) => [`attention.${layer}`, map] as const);
  return { probabilities: model.probabilities, ...decodingOutputs(model), ...Object.fromEntries(maps) };
}
