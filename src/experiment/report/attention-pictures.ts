import type { TopLevelSpec } from 'vega-lite';
import { unpackMap, type AttentionResult, type ModelMaps, type SentenceMaps } from '../attention.js';
import { WITH, WITHOUT } from './attention-section.js';

/** Smaller values are left white in the picture of all heads, which has tens of thousands of cells. */
const FAINT = 0.04;
/** Sentences with more pieces have no picture of all heads: it would not be read. */
const MOST_PIECES = 16;

interface Cell {
  readonly row: string;
  readonly column: string;
  readonly attention: number;
}

/** The attention maps of each sentence, by file name without ending: one head, the mean, and all heads and layers. */
export function attentionPictures({ maps, layers, heads }: AttentionResult): Record<string, TopLevelSpec> {
  const pictures: Record<string, TopLevelSpec> = {};
  for (const [k, sentence] of maps.entries()) {
    const models = [WITHOUT, WITH].flatMap((name) => sentence.models.find(({ system }) => system === name) ?? []);
    const count = sentence.pieces.length;
    const last = models.map((model) => unpackMap(model, count, (layers - 1) * heads));
    const means = models.map((model) => meanMap(model, count, layers * heads));
    pictures[`attention-${k + 1}-head`] = sideBySide(sentence, models, last);
    pictures[`attention-${k + 1}-mean`] = sideBySide(sentence, models, means);
    if (count > MOST_PIECES) continue;
    for (const model of models) {
      pictures[`attention-${k + 1}-all-${model.system}`] = allHeads(sentence, model, layers, heads);
    }
  }
  return pictures;
}

function meanMap(model: ModelMaps, pieces: number, count: number): number[][] {
  const all = Array.from({ length: count }, (_, index) => unpackMap(model, pieces, index));
  return Array.from({ length: pieces }, (_, row) =>
    Array.from(
      { length: model.prefix + pieces },
      (_, column) => all.reduce((sum, map) => sum + (map[row]?.[column] ?? 0), 0) / count,
    ),
  );
}

/** Names with a number before them, since pieces repeat; axes show what follows the number. */
const numbered = (names: readonly string[]): string[] =>
  names.map((name, k) => `${String(k).padStart(3, '0')} ${name}`);
const LABEL = 'substring(datum.label, 4)';

function axisNames({ pieces }: SentenceMaps, { prefix }: ModelMaps): { rows: string[]; columns: string[] } {
  const names = Array.from({ length: prefix }, (_, k) => `P${k + 1}`);
  return { rows: numbered(pieces), columns: numbered([...names, ...pieces]) };
}

function cellsOf(map: readonly (readonly number[])[], names: ReturnType<typeof axisNames>): Cell[] {
  return map.flatMap((values, i) =>
    values.map((value, j) => ({
      row: names.rows[i] ?? '',
      column: names.columns[j] ?? '',
      attention: Math.round(1000 * value) / 1000,
    })),
  );
}

const titleOf = ({ system }: ModelMaps): string => (system === WITH ? 'with PAMDFGA' : 'without guidance');

/** Two maps of one sentence, of two models, with one scale. */
function sideBySide(
  sentence: SentenceMaps,
  models: readonly ModelMaps[],
  maps: readonly (readonly (readonly number[])[])[],
): TopLevelSpec {
  const largest = Math.max(...maps.flat(2));
  return {
    hconcat: models.map((model, k) => {
      const names = axisNames(sentence, model);
      return {
        title: titleOf(model),
        data: { values: cellsOf(maps[k] ?? [], names) },
        mark: { type: 'rect' as const, aria: false },
        width: { step: 14 },
        height: { step: 14 },
        encoding: {
          x: axis('column', names.columns),
          y: axis('row', names.rows),
          color: colour(Math.ceil(100 * largest) / 100),
        },
      };
    }),
    config: { axis: { labelFontSize: 10 } },
  };
}

function axis(field: 'row' | 'column', domain: readonly string[]) {
  return {
    field,
    type: 'nominal' as const,
    sort: [...domain],
    title: field === 'row' ? 'from' : 'to',
    axis: { labelExpr: LABEL, labelOverlap: false, grid: false, ...(field === 'column' ? { labelAngle: -90 } : {}) },
  };
}

/** White to dark blue by the square root, so that faint attention shows; in print dark is much. */
function colour(largest: number) {
  return {
    field: 'attention',
    type: 'quantitative' as const,
    scale: {
      type: 'sqrt' as const,
      domain: [0, largest],
      range: ['#ffffff', '#6baed6', '#08306b'],
      interpolate: 'rgb' as const,
    },
    title: 'attention',
  };
}

/** All maps of a model, layers from top to bottom, heads from left to right. */
function allHeads(sentence: SentenceMaps, model: ModelMaps, layers: number, heads: number): TopLevelSpec {
  const names = axisNames(sentence, model);
  const values = Array.from({ length: layers * heads }, (_, index) =>
    cellsOf(unpackMap(model, sentence.pieces.length, index), names)
      .filter(({ attention }) => attention >= FAINT)
      .map((cell) => ({ ...cell, layer: Math.floor(index / heads) + 1, head: (index % heads) + 1 })),
  ).flat();
  const bare = { axis: null, title: null };
  return {
    title: titleOf(model),
    data: { values },
    mark: { type: 'rect', aria: false },
    width: { step: 3.5 },
    height: { step: 3.5 },
    encoding: {
      row: { field: 'layer', type: 'ordinal', title: 'layer', spacing: 4 },
      column: { field: 'head', type: 'ordinal', title: 'head', spacing: 4 },
      x: { ...axis('column', names.columns), ...bare, scale: { domain: names.columns } },
      y: { ...axis('row', names.rows), ...bare, scale: { domain: names.rows } },
      color: colour(1),
    },
  } as TopLevelSpec;
}
