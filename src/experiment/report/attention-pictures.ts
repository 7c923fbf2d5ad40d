import type { TopLevelSpec } from 'vega-lite';
import { unpackMaps, type AttentionResult, type ModelMaps, type SentenceMaps } from '../attention.js';
import type { AttentionMap } from '../diversity.js';
import { attentionColour } from './attention-colour.js';
import { allHeadsPicture, type DrawnModel } from './attention-heads.js';
import { WITH, WITHOUT } from './attention-section.js';

/** Sentences with more pieces have no picture of all heads: it would be too large to be read. */
export const MOST_PIECES = 32;

/** The attention maps of each sentence, by file name without ending: one head, the mean, and all heads and layers. */
export function attentionPictures({ maps, layers, heads }: AttentionResult): Record<string, TopLevelSpec> {
  const pictures: Record<string, TopLevelSpec> = {};
  for (const [k, sentence] of maps.entries()) {
    const models = [WITHOUT, WITH].flatMap((name) =>
      sentence.models.filter(({ system }) => system === name).map((model) => ({ name, ...drawn(model, sentence) })),
    );
    const last = models.map((model) => model.maps[(layers - 1) * heads] ?? []);
    const means = models.map((model) => meanMap(model.maps));
    pictures[`attention-${k + 1}-head`] = sideBySide(sentence, models, last);
    pictures[`attention-${k + 1}-mean`] = sideBySide(sentence, models, means);
    if (sentence.pieces.length > MOST_PIECES) continue;
    const prefix = Math.max(...models.map((model) => model.prefix));
    for (const model of models) {
      pictures[`attention-${k + 1}-all-${model.name}`] = allHeadsPicture(model, {
        heads,
        prefix,
        sentence: sentence.text,
      });
    }
  }
  return pictures;
}

function drawn(model: ModelMaps, { pieces }: SentenceMaps): DrawnModel {
  return {
    title: model.system === WITH ? 'with PAMDFGA' : 'without guidance',
    prefix: model.prefix,
    maps: unpackMaps(model, pieces.length),
  };
}

function meanMap(maps: readonly AttentionMap[]): AttentionMap {
  return (maps[0] ?? []).map((values, row) =>
    values.map((_, column) => maps.reduce((sum, map) => sum + (map[row]?.[column] ?? 0), 0) / maps.length),
  );
}

/** Names with a number before them, since pieces repeat; axes show what follows the number. */
const numbered = (names: readonly string[]): string[] =>
  names.map((name, k) => `${String(k).padStart(3, '0')} ${name}`);
const LABEL = 'substring(datum.label, 4)';

/** Two maps of one sentence, of two models, with one scale. */
function sideBySide(
  { pieces }: SentenceMaps,
  models: readonly DrawnModel[],
  maps: readonly AttentionMap[],
): TopLevelSpec {
  const largest = Math.ceil(100 * Math.max(...maps.flat(2))) / 100;
  const rows = numbered(pieces);
  return {
    hconcat: models.map(({ title, prefix }, k) => {
      const columns = numbered([...Array.from({ length: prefix }, (_, p) => `P${p + 1}`), ...pieces]);
      const values = (maps[k] ?? []).flatMap((row, i) =>
        row.map((value, j) => ({ row: rows[i], column: columns[j], attention: Math.round(1000 * value) / 1000 })),
      );
      return {
        title,
        data: { values },
        mark: { type: 'rect' as const, aria: false },
        width: { step: 14 },
        height: { step: 14 },
        encoding: { x: axis('column', columns), y: axis('row', rows), color: attentionColour(largest) },
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
