import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { packMaps, unpackMap, type AttentionResult } from '../../src/experiment/attention.js';
import { compareCases } from '../../src/experiment/cases.js';
import {
  attentionShares,
  attentionVector,
  DiversityMeter,
  meanPairwiseCosine,
} from '../../src/experiment/diversity.js';
import { draw, keptModel, LOOKS, readLooks, reportOf, Results, runsOf } from '../../src/experiment/index.js';
import { readExperiments } from '../../src/experiment/index.js';
import { project, temporaryFolder } from '../cli/support/run.js';

const folder = temporaryFolder();

/** Each of `pieces` rows looks at one column alone. */
const pointing = (pieces: number, columns: number, at: (row: number) => number): number[][] =>
  Array.from({ length: pieces }, (_, row) =>
    Array.from({ length: columns }, (_, column) => Number(column === at(row))),
  );

describe('diversity of attention', () => {
  test('a vector is what each column receives, of length 1, with and without the prefix', () => {
    const map = [
      [0.5, 0.5, 0, 0],
      [0.1, 0.1, 0.3, 0.5],
    ];
    expect(attentionVector(map)).toEqual([0.6, 0.6, 0.3, 0.5].map((x) => x / Math.hypot(0.6, 0.6, 0.3, 0.5)));
    expect(attentionVector(map, 2)).toEqual([0.3, 0.5].map((x) => x / Math.hypot(0.3, 0.5)));
  });

  test('the mean cosine is that of all pairs', () => {
    const vectors = [
      [1, 0, 0],
      [0.6, 0.8, 0],
      [0, 0.6, 0.8],
    ];
    expect(meanPairwiseCosine(vectors)).toBeCloseTo((0.6 + 0 + 0.48) / 3, 12);
    expect(() => meanPairwiseCosine([[1]])).toThrow('expected two vectors or more, found 1');
  });

  test('shares of a diagonal head, one of [CLS], and one of the prefix', () => {
    expect(
      attentionShares(
        pointing(8, 10, (row) => row + 2),
        2,
      ),
    ).toEqual({ diagonal: 1, special: 0.25, prefix: 0 });
    expect(
      attentionShares(
        pointing(8, 10, () => 2),
        2,
      ),
    ).toEqual({ diagonal: 0.25, special: 1, prefix: 0 });
    expect(
      attentionShares(
        pointing(8, 10, () => 1),
        2,
      ),
    ).toEqual({ diagonal: 0, special: 0, prefix: 1 });
  });

  test('means over sentences, by layer and over the guided layers together', () => {
    const diagonal = (n: number): number[][] => pointing(n, n, (row) => row);
    const first = (n: number): number[][] => pointing(n, n, () => 0);
    const meter = new DiversityMeter(0, [1]);
    meter.add([
      [diagonal(4), diagonal(4)],
      [diagonal(4), first(4)],
    ]);
    meter.add([
      [diagonal(9), diagonal(9)],
      [first(9), first(9)],
    ]);
    const { layers, guided } = meter.result();
    expect(layers.map(({ cosineO }) => cosineO)).toEqual([1, 0.75]);
    expect(guided).toEqual({ cosineP: 0.75, cosineO: 0.75 });
    expect(layers[1]?.special).toEqual([0.75, 1]);
  });
});

test('maps are packed with an error of 1/510 at most', () => {
  const attention = [0, 1].map((layer) =>
    [0, 1, 2].map(
      (head) =>
      Array.from({ length: 3 }, (_, row) => Array.from({ length: 5 }, (_, column) => ((layer * 31 + head * 17 + row * 7 + column * 3) % 100) / 100)), // prettier-ignore
    ),
  );
  const packed = { prefix: 2, values: packMaps(attention) };
  for (const [index, map] of attention.flat().entries()) {
    const read = unpackMap(packed, 3, index);
    for (const [row, values] of map.entries()) {
      for (const [column, value] of values.entries()) {
        expect(Math.abs((read[row]?.[column] ?? NaN) - value)).toBeLessThanOrEqual(1 / 510 + 1e-9);
      }
    }
  }
});

const mention = (...words: number[]) => ({ type: 0, words });

test('cases: the first short sentence of each kind that tells systems apart, and counts of all', () => {
  const words = ['a', 'b', 'c'];
  const sentences = [
    { words: Array.from({ length: 31 }, () => 'long'), entities: [mention(1)] },
    { words, entities: [mention(1)] },
    { words: ['d', 'e', 'f'], entities: [mention(1)] },
    { words, entities: [] },
    { words, entities: [mention(0), mention(2)] },
    { words, entities: [] },
  ];
  const one = [[mention(1)], [mention(1)], [mention(1)], [], [mention(2), mention(0)], [mention(2)]];
  const two = [[], [], [mention(0)], [], [mention(0), mention(2)], []];
  const compared = compareCases(sentences, [one, two], ['Gene']);
  expect(compared.sentences).toBe(5);
  expect(compared.counts).toEqual({ '11': 1, '10': 3, '01': 1 });
  expect(compared.cases).toEqual([
    { words, gold: [{ type: 'Gene', words: [1] }], found: [[{ type: 'Gene', words: [1] }], []] },
    { words, gold: [], found: [[{ type: 'Gene', words: [2] }], []] },
  ]);
});

function made(): AttentionResult {
  const layer = (cosine: number) => ({ cosineP: cosine, cosineO: cosine, diagonal: [0.9, 0.1], special: [0.2, 0.6], prefix: [0, 0.2] }); // prettier-ignore
  const model = (system: string, seed: number, cosine: number) => ({ system, seed, run: `${system}.${seed}`, layers: [layer(0.9), layer(cosine)], guided: { cosineP: cosine, cosineO: cosine } }); // prettier-ignore
  const maps = (prefix: number) => packMaps([0, 1].map(() => [0, 1].map(() => pointing(3, prefix + 3, (row) => prefix + row)))); // prettier-ignore
  return {
    format: 1,
    version: '0.1.0',
    corpus: 'tiny',
    split: 'devel',
    sentences: 7,
    guided: [1],
    layers: 2,
    heads: 2,
    diversity: [model('none', 1, 0.8), model('none', 2, 0.7), model('pamdfga', 1, 0.5), model('pamdfga', 2, 0.4)],
    maps: [
      {
        text: 'A | B',
        pieces: ['[CLS]', 'the', '[SEP]'],
        models: [
          { system: 'none', seed: 1, run: 'none.1', prefix: 0, values: maps(0) },
          { system: 'pamdfga', seed: 1, run: 'pamdfga.1', prefix: 2, values: maps(2) },
        ],
      },
    ],
  };
}

describe('the report', () => {
  test('says how alike the heads are, and whether seeds bear it out', async () => {
    const results = await Results.open(join(folder, 'none'));
    const { text, pictures } = reportOf([], results, { attention: made() });
    expect(text).toContain('| cosine of o, all heads of the guided layers | 0.750 ± 0.071 | 0.450 ± 0.071 |');
    expect(text).toContain('| share of diagonal heads, guided layers | 0.500 ± 0.000 | 0.500 ± 0.000 |');
    expect(text).toContain(
      'falls from 0.750 to 0.450 (o, the pieces alone), every seed beyond every seed of the other',
    );
    expect(Object.keys(pictures)).toEqual([
      'attention-1-head',
      'attention-1-mean',
      'attention-1-all-none',
      'attention-1-all-pamdfga',
    ]);
    const { 'attention-1-mean': spec } = pictures;
    if (spec === undefined) fail();
    const { mean } = await draw({ mean: spec });
    for (const label of ['[CLS]', 'the', 'P1', 'P2', 'with PAMDFGA', 'without guidance'])
      expect(mean?.svg).toContain(`>${label}<`);
  });

  test('shows cases with their mentions in bold, and says what was not run', async () => {
    const results = await Results.open(join(folder, 'none'));
    const cases = {
      format: 1 as const,
      version: '0.1.0',
      corpus: 'tiny',
      split: 'devel',
      systems: [
        { title: 'one', seed: 2, run: 'one' },
        { title: 'two', seed: 2, run: 'two' },
      ],
      sentences: 3,
      counts: { '10': 3 },
      cases: [
        {
          words: ['a', 'b*', 'c'],
          gold: [{ type: 'Gene', words: [0, 1] }],
          found: [[{ type: 'Gene', words: [0, 1] }], [{ type: 'Gene', words: [2] }]],
        },
      ],
    };
    const { text } = reportOf([], results, { cases });
    expect(text).toContain('| one | two | sentences |\n|---|---|---|\n| right |  | 3 |');
    expect(text).toContain('| annotated | **a b\\*** c |\n| one | **a b\\*** c |\n| two | a b\\* **c** |');
    expect(text).toMatch(/## Attention with and without guidance[^#]*Not run\./);
    expect(reportOf([], results).text).toMatch(/## Case study[^#]*Not run\./);
  });

  test('a file that is none of its own is refused by name', async () => {
    const own = join(folder, 'results');
    expect(await readLooks(own)).toEqual({});
    mkdirSync(join(own, 'looks'), { recursive: true });
    writeFileSync(join(own, LOOKS.cases), '{"format": 1}');
    await expect(readLooks(own)).rejects.toThrow(/cases\.json: version: /);
    writeFileSync(join(own, LOOKS.cases), '{');
    await expect(readLooks(own)).rejects.toThrow(/cases\.json: expected JSON, found text that is none/);
  });
});

test('a kept model is found by its run, whatever experiment made it', async () => {
  const [run] = runsOf(
    (await readExperiments(join(project, 'experiments'))).find(({ name }) => name === 'systems') ?? fail(),
  );
  if (run === undefined) fail();
  const work = join(folder, 'work');
  expect(await keptModel(run, work)).toBeUndefined();
  const model = join(work, `other.${run.key.slice(0, 8)}`, 'model');
  mkdirSync(model, { recursive: true });
  expect(await keptModel(run, work)).toBeUndefined();
  writeFileSync(join(model, 'config.json'), '{}');
  expect(await keptModel(run, work)).toBe(model);
});

function fail(): never {
  throw new RangeError('expected the experiment, found none');
}
