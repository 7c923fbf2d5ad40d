import type { TopLevelSpec } from 'vega-lite';
import { f1Values } from './cells.js';
import { cellAt, titleOf, type Sheet } from './sections.js';

/** Blue and orange of Okabe and Ito's palette: told apart by colour-blind readers, and by their shapes in print. */
const COLOURS = ['#0072B2', '#D55E00'];

/** The pictures of an experiment with two systems or more, by file name without ending: a point for each run, and the mean of each system. */
export function picturesOf(sheet: Sheet): Record<string, TopLevelSpec> {
  const { experiment, systems, corpora } = sheet;
  const drawn = new Set(sheet.cells.filter(({ runs }) => runs.length > 0).map(({ system }) => system));
  if (experiment.kind === 'cost' || drawn.size < 2) return {};
  const names = systems.map((system) => titleOf(experiment, system));
  const values = systems.flatMap((system) =>
    corpora.flatMap((corpus) =>
      (['devel', 'test'] as const).flatMap((split) =>
        f1Values(cellAt(sheet, system, corpus), split).map((f1) => ({
          system: titleOf(experiment, system),
          corpus,
          split,
          f1: Math.round(100 * f1) / 100,
        })),
      ),
    ),
  );
  const scale = { zero: false, nice: true };
  const isSweep = experiment.kind === 'sweep';
  const place = {
    field: 'system',
    type: 'nominal' as const,
    sort: names,
    title: isSweep ? (experiment.axis ?? null) : null,
    axis: { labelLimit: 400, ...(isSweep ? { labelAngle: 0 } : {}) },
  };
  const score = { field: 'f1', type: 'quantitative' as const, scale, title: 'F1, percent' };
  const split = {
    field: 'split',
    type: 'nominal' as const,
    scale: { domain: ['devel', 'test'], range: COLOURS },
    title: null,
    ...(corpora.length > 1 ? { legend: null } : {}),
  };
  const axes = isSweep ? { x: place, y: score } : { x: score, y: place };
  const mean = isSweep
    ? { x: place, y: { ...score, aggregate: 'mean' as const } }
    : { x: { ...score, aggregate: 'mean' as const }, y: place };
  const layer: TopLevelSpec = {
    data: { values },
    layer: [
      {
        mark: { type: 'point', filled: true, size: 60, opacity: 0.85 },
        encoding: {
          ...axes,
          color: split,
          shape: { ...split, scale: { domain: ['devel', 'test'], range: ['circle', 'diamond'] } },
        },
      },
      {
        mark: { type: 'tick', thickness: 2, size: 22, orient: isSweep ? 'horizontal' : 'vertical' },
        encoding: { ...mean, color: split },
      },
    ],
    width: isSweep ? { step: 56 } : 420,
    height: isSweep ? 240 : { step: 30 },
  };
  if (corpora.length === 1) return { [experiment.name]: layer };
  return {
    [experiment.name]: {
      data: { values: values.filter((value) => value.split === 'test') },
      facet: { field: 'corpus', type: 'nominal', sort: [...corpora], title: null, columns: 2 },
      columns: 2,
      spec: { layer: layer.layer, width: 240, height: { step: 24 } },
      resolve: { scale: { x: 'independent' } },
    } as TopLevelSpec,
  };
}
