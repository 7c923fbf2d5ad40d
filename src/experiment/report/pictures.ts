import type { TopLevelSpec } from 'vega-lite';
import { f1Values } from './cells.js';
import { cellAt, titleOf, type Sheet } from './sections.js';

/** Blue and orange of Okabe and Ito's palette: told apart by colour-blind readers, and by their shapes in print. */
const COLOURS = ['#0072B2', '#D55E00'];

/** Points of F1 that a scale spans at least beside others, so that noise does not look like a difference. */
const LEAST_SPAN = 5;

/** One run's score, as it is drawn. */
interface Point {
  readonly system: string;
  readonly corpus: string;
  readonly split: 'devel' | 'test';
  readonly f1: number;
}

/** The pictures of an experiment with two systems or more, by file name without ending: a point for each run, and the mean of each system. */
export function picturesOf(sheet: Sheet): Record<string, TopLevelSpec> {
  const { experiment, systems, corpora } = sheet;
  const drawn = new Set(sheet.cells.filter(({ runs }) => runs.length > 0).map(({ system }) => system));
  if (experiment.kind === 'cost' || drawn.size < 2) return {};
  const names = systems.map((system) => titleOf(experiment, system));
  const points = pointsOf(sheet);
  if (experiment.kind === 'sweep') return { [experiment.name]: sweepPicture(points, names, experiment.axis ?? null) };
  if (corpora.length === 1) {
    const picture = { ...rowsOf(points, names, {}), width: 420, height: { step: 30 } };
    return { [experiment.name]: { data: { values: points }, ...picture } };
  }
  return { [experiment.name]: besideOneAnother(points, names, corpora) };
}

function pointsOf(sheet: Sheet): Point[] {
  return sheet.cells.flatMap(({ system, corpus }) =>
    (['devel', 'test'] as const).flatMap((split) =>
      f1Values(cellAt(sheet, system, corpus), split).map((f1) => ({
        system: titleOf(sheet.experiment, system),
        corpus,
        split,
        f1: Math.round(100 * f1) / 100,
      })),
    ),
  );
}

const score = { field: 'f1', type: 'quantitative' as const, scale: { zero: false, nice: true }, title: 'F1, percent' };
const split = {
  field: 'split',
  type: 'nominal' as const,
  scale: { domain: ['devel', 'test'], range: COLOURS },
  title: null,
};
const point = { type: 'point' as const, filled: true, size: 60, opacity: 0.85 };
const shape = { ...split, scale: { domain: ['devel', 'test'], range: ['circle', 'diamond'] } };

function place(names: readonly string[], title: string | null = null) {
  return { field: 'system', type: 'nominal' as const, sort: [...names], title, axis: { labelLimit: 400 } };
}

/** Systems as rows, scores to the right. */
function rowsOf(points: readonly Point[], names: readonly string[], scale: object) {
  const x = { ...score, ...scale };
  const y = place(names);
  const several = new Set(points.map(({ split: of }) => of)).size > 1;
  const color = several ? split : { ...split, legend: null };
  return {
    layer: [
      { mark: point, encoding: { x, y, color, shape: several ? shape : { ...shape, legend: null } } },
      {
        mark: { type: 'tick' as const, thickness: 2, size: 22, orient: 'vertical' as const },
        encoding: { x: { ...x, aggregate: 'mean' as const }, y, color },
      },
    ],
  };
}

/** The values of a setting from left to right, scores upwards. */
function sweepPicture(points: readonly Point[], names: readonly string[], axis: string | null): TopLevelSpec {
  const values = place(names, axis);
  const x = { ...values, axis: { ...values.axis, labelAngle: 0 } };
  return {
    data: { values: [...points] },
    layer: [
      { mark: point, encoding: { x, y: score, color: split, shape } },
      {
        mark: { type: 'tick', thickness: 2, size: 22, orient: 'horizontal' },
        encoding: { x, y: { ...score, aggregate: 'mean' }, color: split },
      },
    ],
    width: { step: 56 },
    height: 240,
  };
}

/** A picture for each corpus on which systems can be compared, of test scores; a point of F1 has one length in all. */
function besideOneAnother(
  points: readonly Point[],
  names: readonly string[],
  corpora: readonly string[],
): TopLevelSpec {
  const ofTest = corpora
    .map((corpus) => ({ corpus, values: points.filter((each) => each.split === 'test' && each.corpus === corpus) }))
    .filter(({ values }) => new Set(values.map(({ system }) => system)).size > 1)
    .map(({ corpus, values }) => {
      const [low, high] = [Math.min(...values.map(({ f1 }) => f1)), Math.max(...values.map(({ f1 }) => f1))];
      return { corpus, values, middle: (low + high) / 2, range: high - low };
    });
  const span = Math.max(LEAST_SPAN, ...ofTest.map(({ range }) => 1.2 * range));
  return {
    columns: 2,
    concat: ofTest.map(({ corpus, values, middle }) => {
      const domain = [middle - span / 2, middle + span / 2].map((edge) => Math.round(10 * edge) / 10);
      const drawn = names.filter((name) => values.some(({ system }) => system === name));
      return {
        title: corpus,
        data: { values },
        ...rowsOf(values, drawn, { scale: { zero: false, domain }, axis: { format: '.0f', tickCount: 5 } }),
        width: 240,
        height: { step: 24 },
      };
    }),
  };
}
