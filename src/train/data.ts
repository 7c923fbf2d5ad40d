import { labelSpace, type ModelConfig } from '../model/index.js';
import type { Value, Values } from '../runtime/index.js';
import { gridLabels, sequenceLabels, type WordEntity } from '../scheme/index.js';
import { collate, type BatchSizes, type SpecialIds } from '../tag/collate.js';
import type { EncodedSentence, SentenceEncoder, WordSentence } from '../tag/encode.js';
import type { WordWindow } from '../text/index.js';
import type { WindowSize } from './batching.js';
import type { Unannotated } from './config.js';

/** A sentence with its gold entities, types numbered as in the model's config. */
export interface LabelledSentence extends WordSentence {
  readonly entities: readonly WordEntity[];
  /** Types (by number) that the sentence's corpus annotates; others are unknown there, not absent. */
  readonly annotated: readonly number[];
  /**
   * Types of the gold entities that start here but are not over words of this sentence: across the end of a detected
   * sentence, or over blanks alone. Training does not see them; scores count them as not found.
   */
  readonly unplaced?: readonly number[];
}

/** A sentence (or a part of a long one) with its labels to come. */
export interface ExampleSentence {
  readonly encoded: EncodedSentence;
  readonly entities: readonly WordEntity[];
  readonly annotated: readonly number[];
}

/** An encoder window of labelled sentences, ready to be batched. */
export interface Example {
  readonly sentences: readonly ExampleSentence[];
}

export interface TrainingBatch {
  readonly inputs: Values;
  readonly sizes: BatchSizes;
}

/**
 * Encodes sentences, neighbours together as the model's config says. One over the limit becomes several windows, each
 * with the entities that lie wholly inside.
 */
export function encodeExamples(sentences: readonly LabelledSentence[], encoder: SentenceEncoder): Example[] {
  return encoder.encodeAll(sentences).map((window) => ({
    sentences: window.flatMap(({ index, sentence: encoded, window }) => {
      const { entities = [], annotated = [] } = sentences[index] ?? {};
      const inside = entitiesInside(entities, window);
      return { encoded, annotated, entities: inside.map(({ inWindow }) => inWindow) };
    }),
  }));
}

/** The entities that lie wholly inside a window, and as they are there: words counted from the window's first. */
export function entitiesInside(
  entities: readonly WordEntity[],
  { from, to }: Pick<WordWindow, 'from' | 'to'>,
): { readonly entity: WordEntity; readonly inWindow: WordEntity }[] {
  return entities
    .filter(({ words }) => words.every((word) => word >= from && word < to))
    .map((entity) => ({ entity, inWindow: { ...entity, words: entity.words.map((word) => word - from) } }));
}

export function sizeOfExample({ sentences }: Example): WindowSize {
  return {
    pieces: sentences.reduce((sum, { encoded }) => sum + encoded.ids.length, 2),
    words: Math.max(0, ...sentences.map(({ encoded }) => encoded.words)),
    sentences: sentences.length,
  };
}

/** Pads examples, one a window, and adds the input of the loss: `labels`. */
export function trainingBatch(
  examples: readonly Example[],
  config: ModelConfig,
  special: SpecialIds,
  unannotated: Unannotated,
): TrainingBatch {
  const { inputs, sizes } = collate(
    examples.map(({ sentences }) => sentences.map(({ encoded }) => encoded)),
    special,
    config,
  );
  const sentences = examples.flatMap((example) => example.sentences);
  return { sizes, inputs: { ...inputs, labels: batchLabels(sentences, config, sizes.words, unannotated) } };
}

/** int32 [sentences, words(, words), heads]: what the model should say; -1 where the corpus does not tell. */
function batchLabels(
  sentences: readonly ExampleSentence[],
  config: ModelConfig,
  words: number,
  unannotated: Unannotated,
): Value {
  const { heads } = labelSpace(config);
  const inner = config.kind === 'word-pair' ? [words, words, heads] : [words, heads];
  const stride = inner.reduce((a, b) => a * b, 1);
  const labels = new Int32Array(sentences.length * stride);
  for (const [k, { entities, annotated }] of sentences.entries()) {
    const target = labels.subarray(k * stride, (k + 1) * stride);
    writeLabels(entities, words, config, heads, target);
    if (config.labels === 'joint' || unannotated === 'absent') continue;
    const absentIn = unannotated === 'unknown' ? [] : entities;
    for (let head = 0; head < heads; head++) {
      if (!annotated.includes(head)) leaveOut(target, head, heads, absentIn, config.kind === 'word-pair' ? words : 1);
    }
  }
  return { type: 'int32', dims: [sentences.length, ...inner], data: labels };
}

/**
 * Writes the labels of one sentence's entities into `target` [words(, words), heads], zero before.
 * @returns the entities that the labels do not say
 */
export function writeLabels(
  entities: readonly WordEntity[],
  words: number,
  config: ModelConfig,
  heads: number,
  target: Int32Array | Uint8Array,
): WordEntity[] {
  if (config.kind === 'sequence') return sequenceLabels(entities, config.scheme, config.labels, heads, target);
  const collisions = gridLabels(entities, words, config.labels, heads, target);
  return entities.filter(({ type, words: places }) =>
    collisions.some(({ tail, head, lost }) => lost === type && tail === places.at(-1) && head === places[0]),
  );
}

/**
 * Labels of a type that the corpus does not annotate: unknown (-1), but not inside the mentions of `absentIn`, which are
 * taken to be no mentions of this type: a gene's name teaches that it is no chemical.
 */
function leaveOut(
  target: Int32Array,
  head: number,
  heads: number,
  absentIn: readonly WordEntity[],
  columns: number,
): void {
  for (let cell = head; cell < target.length; cell += heads) target[cell] = -1;
  for (const { words } of absentIn) {
    for (const row of words) {
      for (const column of columns === 1 ? [0] : words) target[(row * columns + column) * heads + head] = 0;
    }
  }
}
