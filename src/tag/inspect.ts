import { labelSpace, type ModelConfig } from '../model/index.js';
import { inputsOf, type Session } from '../runtime/index.js';
import { placedNames, type PlacedName, type Span } from '../text/index.js';
import { collate } from './collate.js';
import { SentenceEncoder, type Vocabulary, type WordSentence } from './encode.js';

/** A cell of the word-pair grid whose most probable label is not None. */
export interface InspectedCell {
  /** Word of the row and of the column. */
  readonly row: number;
  readonly column: number;
  /** `NNW`, or `THW-` and a type; with typed labels `NNW-` and a type too. For a sequence model `B-`, `I-` and a type. */
  readonly label: string;
  readonly probability: number;
}

/** What a model saw in one sentence (or window of a long one). */
export interface SentenceInspection {
  readonly words: readonly string[];
  /**
   * Word pieces of the encoder's window with [CLS] and [SEP]: this sentence's, and those of the neighbours that a model
   * with context reads along. Columns of the attention maps after the prefix.
   */
  readonly pieces: readonly string[];
  /** Which of the pieces are this sentence's. */
  readonly own: Span;
  /** Names of the model's gazetteer among the words; none where it has no gazetteer. */
  readonly names: readonly PlacedName[];
  readonly cells: readonly InspectedCell[];
  /** Names of the classes of each label head. */
  readonly labels: readonly (readonly string[])[];
  /**
   * Class probabilities, row-major: [words, words, heads, classes] of a word-pair model, [words, heads, classes] of a
   * sequence model.
   */
  readonly probabilities: readonly number[];
  /** Prefix positions before the pieces in each row of an attention map. */
  readonly prefix: number;
  /** Attention maps [layers][heads][pieces][prefix + pieces]. */
  readonly attention: readonly (readonly (readonly (readonly number[])[])[])[];
}

/** Class names of each label head. */
export function labelNames(config: ModelConfig): string[][] {
  const { types } = config;
  if (config.kind === 'word-pair') {
    if (config.labels === 'typed') return types.map((type) => ['None', `NNW-${type}`, `THW-${type}`]);
    return [['None', 'NNW', ...types.map((type) => `THW-${type}`)]];
  }
  const kinds = config.scheme === 'BIO' ? ['B', 'I'] : ['B', 'I', 'E', 'S'];
  const names = (type: string): string[] => kinds.map((kind) => `${kind}-${type}`);
  return config.labels === 'typed' ? types.map((type) => ['O', ...names(type)]) : [['O', ...types.flatMap(names)]];
}

/** Runs the sentences of a text through a model and keeps everything: the grid, and the attention of every layer. */
export async function inspectSentences(
  session: Session,
  config: ModelConfig,
  vocabulary: Vocabulary,
  sentences: readonly WordSentence[],
): Promise<SentenceInspection[]> {
  const { tokenizer } = vocabulary;
  const inspections: SentenceInspection[] = [];
  for (const parts of new SentenceEncoder(vocabulary, config).encodeAll(sentences)) {
    const { inputs, sizes } = collate([parts.map(({ sentence }) => sentence)], tokenizer, config);
    const outputs = await session.run(inputsOf(session, inputs));
    const pieces = ['[CLS]', ...parts.flatMap(({ sentence }) => tokenizer.pieces(sentence.ids)), '[SEP]'];
    const attention = Array.from({ length: config.encoder?.num_hidden_layers ?? 0 }, (_, layer) =>
      splitMap(outputs[`attention.${layer}`]?.data ?? [], pieces.length, config.prefix + pieces.length),
    );
    let start = 1;
    for (const [k, { index, sentence, window }] of parts.entries()) {
      const probabilities = ownProbabilities(
        outputs['probabilities']?.data ?? [],
        config,
        k,
        sentence.words,
        sizes.words,
      );
      inspections.push({
        words: sentences[index]?.words.slice(window.from, window.to) ?? [],
        pieces,
        own: { start, end: start + sentence.ids.length },
        names: placedNames(sentence.names, config.gazetteer ?? []),
        cells: labelledCells(probabilities, config, sentence.words),
        labels: labelNames(config),
        probabilities,
        prefix: config.prefix,
        attention,
      });
      start += sentence.ids.length;
    }
  }
  return inspections;
}

/** The part of [sentences, padded(, padded), heads, classes] that is of sentence k and no padding. */
function ownProbabilities(
  data: ArrayLike<number>,
  config: ModelConfig,
  k: number,
  words: number,
  padded: number,
): number[] {
  const { heads, classes } = labelSpace(config);
  const cell = heads * classes;
  const [rows, columns, stride] = config.kind === 'word-pair' ? [words, words, padded] : [1, words, 1];
  const first = k * padded * stride;
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: columns * cell }, (_, i) => data[(first + row * padded) * cell + i] ?? 0),
  ).flat();
}

function labelledCells(probabilities: readonly number[], config: ModelConfig, words: number): InspectedCell[] {
  const { heads, classes } = labelSpace(config);
  const names = labelNames(config);
  const columns = config.kind === 'word-pair' ? words : 1;
  const cells: InspectedCell[] = [];
  for (let cell = 0; cell < words * columns; cell++) {
    for (let head = 0; head < heads; head++) {
      const values = probabilities.slice((cell * heads + head) * classes, (cell * heads + head + 1) * classes);
      const probability = Math.max(...values);
      const best = values.indexOf(probability);
      if (best <= 0) continue;
      const row = Math.floor(cell / columns);
      const column = config.kind === 'word-pair' ? cell % columns : row;
      cells.push({ row, column, label: names[head]?.[best] ?? '', probability });
    }
  }
  return cells;
}

/** [heads, rows, columns] as nested arrays. */
function splitMap(data: ArrayLike<number>, rows: number, columns: number): number[][][] {
  const heads = Math.floor(data.length / (rows * columns));
  return Array.from({ length: heads }, (_, head) =>
    Array.from({ length: rows }, (_, row) =>
      Array.from({ length: columns }, (_, column) => data[(head * rows + row) * columns + column] ?? 0),
    ),
  );
}
