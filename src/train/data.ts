import { labelSpace, type ModelConfig } from '../model/index.js';
import type { Value, Values } from '../runtime/index.js';
import { gridLabels, sequenceLabels, type WordEntity } from '../scheme/index.js';
import { collate, type BatchSizes, type SpecialIds } from '../tag/collate.js';
import type { EncodedSentence, SentenceEncoder } from '../tag/encode.js';
import type { SentenceSize } from './batching.js';

/** A sentence with its gold entities, types numbered as in the model's config. */
export interface LabelledSentence {
  readonly words: readonly string[];
  readonly entities: readonly WordEntity[];
  /** Types (by number) that the sentence's corpus annotates; others are unknown there, not absent. */
  readonly annotated: readonly number[];
}

/** A window of a labelled sentence, ready to be batched. */
export interface Example {
  readonly encoded: EncodedSentence;
  readonly entities: readonly WordEntity[];
  readonly annotated: readonly number[];
}

export interface TrainingBatch {
  readonly inputs: Values;
  readonly sizes: BatchSizes;
}

/** Encodes sentences; those over the limit become several windows, each with the entities that lie wholly inside. */
export function encodeExamples(sentences: readonly LabelledSentence[], encoder: SentenceEncoder): Example[] {
  return sentences.flatMap(({ words, entities, annotated }) =>
    encoder.encode(words).map(({ sentence, window: { from, to } }) => ({
      encoded: sentence,
      annotated,
      entities: entities
        .filter((entity) => entity.words.every((word) => word >= from && word < to))
        .map((entity) => ({ ...entity, words: entity.words.map((word) => word - from) })),
    })),
  );
}

export function sizeOfExample({ encoded }: Example): SentenceSize {
  return { pieces: encoded.ids.length + 2, words: encoded.words };
}

/** Pads examples, one a window, and adds the inputs of the loss: `labels` and `annotated`. */
export function trainingBatch(examples: readonly Example[], config: ModelConfig, special: SpecialIds): TrainingBatch {
  const { inputs, sizes } = collate(
    examples.map(({ encoded }) => [encoded]),
    special,
  );
  return { sizes, inputs: { ...inputs, ...lossInputs(examples, config, sizes) } };
}

function lossInputs(examples: readonly Example[], config: ModelConfig, sizes: BatchSizes): Values {
  const { heads } = labelSpace(config);
  const inner = config.kind === 'word-pair' ? [sizes.words, sizes.words, heads] : [sizes.words, heads];
  const stride = inner.reduce((a, b) => a * b, 1);
  const labels = new Int32Array(examples.length * stride);
  const annotated = new Float32Array(examples.length * heads);
  for (const [k, example] of examples.entries()) {
    const target = labels.subarray(k * stride, (k + 1) * stride);
    if (config.kind === 'word-pair') gridLabels(example.entities, sizes.words, config.labels, heads, target);
    else sequenceLabels(example.entities, config.scheme, config.labels, heads, target);
    for (let head = 0; head < heads; head++) {
      annotated[k * heads + head] = Number(config.labels === 'joint' || example.annotated.includes(head));
    }
  }
  const values: Record<string, Value> = {
    labels: { type: 'int32', dims: [examples.length, ...inner], data: labels },
    annotated: { type: 'float32', dims: [examples.length, heads], data: annotated },
  };
  return values;
}
