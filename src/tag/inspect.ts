import { labelSpace, type ModelConfig } from '../model/index.js';
import type { Session } from '../runtime/index.js';
import { type WordPieceTokenizer } from '../text/index.js';
import { collate } from './collate.js';
import { SentenceEncoder } from './encode.js';

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
  /** Word pieces with [CLS] and [SEP]; columns of the attention maps after the prefix. */
  readonly pieces: readonly string[];
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

/** Runs one sentence through a model and keeps everything: the grid, and the attention of every layer. */
export async function inspectWords(
  session: Session,
  config: ModelConfig,
  tokenizer: WordPieceTokenizer,
  words: readonly string[],
): Promise<SentenceInspection[]> {
  const inspections: SentenceInspection[] = [];
  for (const { sentence, window } of new SentenceEncoder(tokenizer, config).encode(words)) {
    const { inputs } = collate([[sentence]], tokenizer);
    const known = new Set(session.inputNames);
    const feeds = Object.fromEntries(Object.entries(inputs).filter(([name]) => known.has(name)));
    const outputs = await session.run(feeds);
    const probabilities = [...(outputs['probabilities']?.data ?? [])];
    const length = sentence.ids.length + 2;
    const attention = Array.from({ length: config.encoder.num_hidden_layers }, (_, layer) =>
      splitMap(outputs[`attention.${layer}`]?.data ?? [], length, config.prefix + length),
    );
    inspections.push({
      words: words.slice(window.from, window.to),
      pieces: ['[CLS]', ...tokenizer.pieces(sentence.ids), '[SEP]'],
      cells: labelledCells(probabilities, config, sentence.words),
      labels: labelNames(config),
      probabilities,
      prefix: config.prefix,
      attention,
    });
  }
  return inspections;
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
