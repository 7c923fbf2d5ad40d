import type { TopLevelSpec } from 'vega-lite';
import type { AttentionMap } from '../diversity.js';
import { attentionColour } from './attention-colour.js';

/** Shades of the picture of all heads, evenly in the square root: so few that neighbouring cells can be drawn as one. */
const SHADES = 10;
/** Side of a cell, in pixels of the SVG. */
const SIDE = 3;
/** Around a map, so that its frame stays free. */
const MARGIN = 1;

/** A model's maps of a sentence, layer after layer. */
export interface DrawnModel {
  readonly title: string;
  readonly prefix: number;
  readonly maps: readonly AttentionMap[];
}

/** A rectangle of equal cells of a map: columns from x to x2, rows from y to y2. */
export interface Patch {
  readonly x: number;
  readonly x2: number;
  readonly y: number;
  readonly y2: number;
  readonly shade: number;
}

/**
 * The cells of a map as few rectangles of one shade: runs along the rows, or along the columns where those are fewer.
 * Cells of shade 0 (attention below 1/400) are left out.
 */
export function patchesOf(map: AttentionMap): Patch[] {
  const shades = map.map((row) => row.map((value) => Math.round(SHADES * Math.sqrt(value))));
  const turned = (shades[0] ?? []).map((_, column) => shades.map((row) => row[column] ?? 0));
  const alongRows = runs(shades).map(({ line, from, to, shade }) => ({
    x: from,
    x2: to,
    y: line,
    y2: line + 1,
    shade,
  }));
  const alongColumns = runs(turned).map(({ line, from, to, shade }) => ({
    x: line,
    x2: line + 1,
    y: from,
    y2: to,
    shade,
  }));
  return alongColumns.length < alongRows.length ? alongColumns : alongRows;
}

interface Stretch {
  readonly line: number;
  readonly from: number;
  readonly to: number;
  readonly shade: number;
}

function runs(lines: readonly (readonly number[])[]): Stretch[] {
  return lines.flatMap((values, line) => {
    const starts = values.flatMap((shade, k) => (k === 0 || shade !== values[k - 1] ? [k] : []));
    return starts.flatMap((from, k) => {
      const shade = values[from] ?? 0;
      return shade === 0 ? [] : [{ line, from, to: starts[k + 1] ?? values.length, shade }];
    });
  });
}

/**
 * All maps of a model, layers from top to bottom, heads from left to right.
 * @param options.prefix columns before those of the pieces; grey where the model has no prefix, so that the pieces of
 *   different models are at the same places
 */
export function allHeadsPicture(
  { title, prefix: own, maps }: DrawnModel,
  { heads, prefix, sentence }: { readonly heads: number; readonly prefix: number; readonly sentence: string },
): TopLevelSpec {
  const pieces = maps[0]?.length ?? 0;
  const missing = prefix - own;
  const values = maps.flatMap((map, index) => {
    const place = { layer: Math.floor(index / heads) + 1, head: (index % heads) + 1 };
    const pixels = (x: number, x2: number, y: number, y2: number) => {
      const [left = 0, right = 0, top = 0, bottom = 0] = [x, x2, y, y2].map((edge) => MARGIN + SIDE * edge);
      return { ...place, left, right, top, bottom };
    };
    const cells = patchesOf(map)
      .sort((a, b) => a.shade - b.shade)
      .map(({ x, x2, y, y2, shade }) => ({
        ...pixels(x + missing, x2 + missing, y, y2),
        attention: (shade / SHADES) ** 2,
      }));
    return missing === 0 ? cells : [{ ...pixels(0, missing, 0, pieces), attention: 0, missing: true }, ...cells];
  });
  const edge = { type: 'quantitative' as const, scale: null, axis: null };
  const facet = {
    type: 'ordinal' as const,
    spacing: 4,
    header: { labelFontSize: 11, labelPadding: 2, titlePadding: 2 },
  };
  const subtitle = [
    sentence,
    'in each map: rows from the first piece down, columns to the prefix and then to the pieces',
  ];
  return {
    title: { text: title, subtitle },
    data: { values },
    mark: { type: 'rect', aria: false },
    width: SIDE * (prefix + pieces) + 2 * MARGIN,
    height: SIDE * pieces + 2 * MARGIN,
    encoding: {
      row: { ...facet, field: 'layer', title: 'layer' },
      column: { ...facet, field: 'head', title: 'head' },
      x: { ...edge, field: 'left' },
      x2: { field: 'right' },
      y: { ...edge, field: 'top' },
      y2: { field: 'bottom' },
      color: { condition: { test: 'datum.missing === true', value: '#dddddd' }, ...attentionColour(1) },
    },
  } as TopLevelSpec;
}
