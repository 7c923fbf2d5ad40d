import {
  collect,
  documentSentences,
  dropOverlap,
  openCorpus,
  readSplit,
  type Corpus,
  type CorpusOptions,
  type Document,
  type HeldOut,
  type Split,
} from '../corpus/index.js';
import type { Entity } from '../corpus/document.js';
import { sentenceNumbers } from '../corpus/sentences.js';
import { InputError, UsageError } from '../errors.js';
import { isFlat, type WordEntity } from '../scheme/index.js';
import { wordsOfSpans } from '../tag/index.js';
import type { LabelledSentence } from './data.js';

/** What a run trains on and is judged by. */
export interface TrainingData {
  readonly types: readonly string[];
  readonly train: readonly LabelledSentence[];
  readonly devel: readonly DevelopmentSet[];
  /** For the record: sentences kept and left out, corpus by corpus. */
  readonly corpora: readonly CorpusSummary[];
  /** Whether no training sentence has overlapping, nested or discontinuous entities: what a model of it finds is so too. */
  readonly flat: boolean;
}

/** A devel split: scored after every epoch, never trained on. */
export interface DevelopmentSet {
  readonly name: string;
  readonly sentences: readonly LabelledSentence[];
}

/** What of one corpus is trained on. */
export interface CorpusSummary {
  readonly name: string;
  readonly types: readonly string[];
  readonly splits: readonly Split[];
  readonly sentences: number;
  /** Sentences left out because a test split (or a devel split used for selection) contains them. */
  readonly dropped: number;
}

/**
 * Reads corpora for training. A training document that also occurs in any corpus's test split, wholly or in a
 * sentence, is left out; so is one that occurs in a devel split, unless devel is trained on too.
 *
 * @param mergeDevel trains on train and devel together, as the paper does for its final figures; nothing is left to
 * select by
 * @param reading how the files are read: the names of types, above all
 */
export async function readTrainingData(
  folders: readonly string[],
  mergeDevel: boolean,
  reading: CorpusOptions = {},
): Promise<TrainingData> {
  const corpora: Corpus[] = [];
  for (const folder of folders) corpora.push(await openCorpus(folder, reading));
  const types = orderedTypes(corpora);
  if (types.length === 0) {
    throw new InputError('expected annotated entities to train on, found none', { file: folders.join(', ') });
  }
  const heldOut = await heldOutSplits(corpora, mergeDevel ? ['test'] : ['test', 'devel']);
  const train: LabelledSentence[] = [];
  const summaries: CorpusSummary[] = [];
  const devel: DevelopmentSet[] = [];
  for (const corpus of corpora) {
    const annotated = corpus.types.map((type) => types.indexOf(type));
    const splits: Split[] = mergeDevel && corpus.splits.devel !== undefined ? ['train', 'devel'] : ['train'];
    const documents: Document[] = [];
    for (const split of splits) documents.push(...(await collect(readSplit(corpus, split))));
    const report = dropOverlap(documents, heldOut);
    const sentences = labelled(report.kept, types, annotated);
    train.push(...sentences);
    summaries.push({
      name: corpus.name,
      types: corpus.types,
      splits,
      sentences: sentences.length,
      dropped: report.sentences - sentences.length,
    });
    if (!mergeDevel && corpus.splits.devel !== undefined) {
      const gold = labelled(await collect(readSplit(corpus, 'devel')), types, annotated);
      devel.push({ name: corpus.name, sentences: gold });
    }
  }
  if (train.length === 0) throw new UsageError('expected training sentences, found none');
  const flat = train.every(({ entities }) => isFlat(entities));
  return { types, train, devel, corpora: summaries, flat };
}

/** Gene, Chemical, Disease first, then others by name. */
function orderedTypes(corpora: readonly Corpus[]): string[] {
  const first = ['Gene', 'Chemical', 'Disease'];
  const all = new Set(corpora.flatMap(({ types }) => types));
  return [...first.filter((type) => all.has(type)), ...[...all].filter((type) => !first.includes(type)).sort()];
}

async function heldOutSplits(corpora: readonly Corpus[], splits: readonly Split[]): Promise<HeldOut[]> {
  const heldOut: HeldOut[] = [];
  for (const corpus of corpora) {
    for (const split of splits) {
      if (corpus.splits[split] === undefined) continue;
      heldOut.push({ name: `${corpus.name}/${split}`, documents: await collect(readSplit(corpus, split)) });
    }
  }
  return heldOut;
}

/**
 * Sentences with their entities in word indices; an entity whose edges are not word edges takes the words it touches.
 * One that is not within one sentence is `unplaced` in the sentence where it starts.
 */
export function labelled(
  documents: readonly Document[],
  types: readonly string[],
  annotated: readonly number[],
): LabelledSentence[] {
  return documents.flatMap((document) => {
    const { text, entities, continues = false } = document;
    const sentences = documentSentences(document);
    const numberAt = sentenceNumbers(sentences);
    const starting: Entity[][] = sentences.map(() => []);
    for (const entity of entities) starting[numberAt(entity.spans[0].start)]?.push(entity);
    return sentences.map(({ words }, k) => {
      const last = words.at(-1)?.end ?? 0;
      const placed: WordEntity[] = [];
      const unplaced: number[] = [];
      for (const { type: name, spans } of starting[k] ?? []) {
        const type = types.indexOf(name);
        if (type < 0) continue;
        const places = spans.every(({ end }) => end <= last) ? wordsOfSpans(spans, words) : [];
        if (places.length > 0) placed.push({ type, words: places });
        else unplaced.push(type);
      }
      return {
        words: words.map(({ start, end }) => text.slice(start, end)),
        annotated,
        follows: k > 0 || continues,
        entities: placed,
        ...(unplaced.length === 0 ? {} : { unplaced }),
      };
    });
  });
}
