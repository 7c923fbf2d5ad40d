import { labelSpace, type ModelConfig } from '../model/index.js';
import type { WordEntity } from '../scheme/index.js';
import { wordsKey } from '../score/index.js';
import type { SentenceEncoder } from '../tag/encode.js';
import type { TrainingData } from './corpora.js';
import { entitiesInside, writeLabels, type LabelledSentence } from './data.js';

/** Gold entities of a corpus that training does not see as they are annotated, by reason. */
export interface LostEntities {
  readonly corpus: string;
  /** Not over words of one sentence: across the end of a detected sentence, or over blanks alone. */
  readonly acrossSentences: number;
  /** In no encoder window as a whole: too long for `maxPieces`, or for what neighbouring windows share. */
  readonly acrossWindows: number;
  /**
   * What the labels cannot say. BIO and BIOES: discontinuous entities, and those of a label head that overlap a longer
   * one. The grid with joint labels: entities whose first and last word are those of one of another type.
   */
  readonly inexpressible: number;
}

/**
 * Counts the gold entities that training loses, corpus by corpus; those of sentences that were left out because of
 * held-out text are not among them. Equal entities of a sentence count once.
 * @param encoder with the `maxPieces` of training
 */
export function lostEntities(
  { train, corpora }: TrainingData,
  encoder: SentenceEncoder,
  config: ModelConfig,
): LostEntities[] {
  let next = 0;
  return corpora.map(({ name, sentences }) => {
    let [acrossSentences, acrossWindows, inexpressible] = [0, 0, 0];
    for (const sentence of train.slice(next, (next += sentences))) {
      const lost = lostInSentence(sentence, encoder, config);
      acrossSentences += sentence.unplaced?.length ?? 0;
      acrossWindows += lost.acrossWindows;
      inexpressible += lost.inexpressible;
    }
    return { corpus: name, acrossSentences, acrossWindows, inexpressible };
  });
}

function lostInSentence(
  { words, entities }: LabelledSentence,
  encoder: SentenceEncoder,
  config: ModelConfig,
): Pick<LostEntities, 'acrossWindows' | 'inexpressible'> {
  const keyOf = ({ type, words: places }: WordEntity): string => `${type} ${wordsKey(places)}`;
  const distinct = [...new Map(entities.map((entity) => [keyOf(entity), entity])).values()];
  if (distinct.length === 0) return { acrossWindows: 0, inexpressible: 0 };
  const { heads } = labelSpace(config);
  const [whole, said] = [new Set<WordEntity>(), new Set<WordEntity>()];
  for (const { sentence, window } of encoder.encode(words)) {
    const inside = entitiesInside(distinct, window);
    const labels = new Uint8Array(sentence.words ** (config.kind === 'word-pair' ? 2 : 1) * heads);
    const unsaid = writeLabels(
      inside.map(({ inWindow }) => inWindow),
      sentence.words,
      config,
      heads,
      labels,
    );
    for (const { entity, inWindow } of inside) {
      whole.add(entity);
      if (!unsaid.includes(inWindow)) said.add(entity);
    }
  }
  return { acrossWindows: distinct.length - whole.size, inexpressible: whole.size - said.size };
}
