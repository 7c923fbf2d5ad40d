import fc from 'fast-check';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { packMaps, unpackMaps, type AttentionResult } from '../../src/experiment/attention.js';
import { compareCases } from '../../src/experiment/cases.js';
import {
  attentionShares,
  attentionVector,
  DiversityMeter,
  meanPairwiseCosine,
} from '../../src/experiment/diversity.js';
import {
  draw,
  keptModel,
  LOOKS,
  looksText,
  readExperiments,
  readLooks,
  reportOf,
  Results,
  runsOf,
} from '../../src/experiment/index.js';
import { patchesOf } from '../../src/experiment/report/attention-heads.js';
import { mergePaths } from '../../src/experiment/report/draw.js';
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

describe('packed maps', () => {
  const value = fc.oneof(fc.constantFrom(0, 1, 1e-6), fc.double({ min: 0, max: 1, noNaN: true }));
  const sizes = { layers: 2, heads: 3, pieces: 3, prefix: 2 };
  const count = sizes.layers * sizes.heads * sizes.pieces * (sizes.prefix + sizes.pieces);

  test('are read back with an error of sqrt(a) / 255 + 1 / 510² at most', () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: count, maxLength: count }), (values) => {
        const rest = [...values];
        const list = <T>(length: number, each: () => T): T[] => Array.from({ length }, each);
        const { layers, heads, pieces, prefix } = sizes;
        const attention = list(layers, () => list(heads, () => list(pieces, () => rest.splice(0, prefix + pieces))));
        const maps = unpackMaps({ prefix, values: packMaps(attention) }, pieces);
        expect(maps.map((map) => map.map(({ length }) => length))).toEqual(list(6, () => list(3, () => 5)));
        for (const [k, read] of maps.flat(2).entries()) {
          const a = values[k] ?? NaN;
          expect(Math.abs(read - a)).toBeLessThanOrEqual(Math.sqrt(a) / 255 + 1 / 510 ** 2 + 1e-12);
        }
      }),
      { seed: 1, numRuns: 50 },
    );
  });

  test('of another size are refused', () => {
    const packed = { prefix: 2, values: packMaps([[[[0, 0, 1, 0, 0]]]]) };
    expect(() => unpackMaps(packed, 3)).toThrow('expected maps of 3 x 5, found 5 values');
  });
});

describe('the picture of all heads', () => {
  const covered = (map: readonly (readonly number[])[]): number[][] => {
    const cells = map.map((row) => row.map(() => 0));
    for (const { x, x2, y, y2, shade } of patchesOf(map)) {
      for (let row = y; row < y2; row++) {
        const line = cells[row] ?? [];
        for (let column = x; column < x2; column++) line[column] = (line[column] ?? 0) + shade;
      }
    }
    return cells;
  };

  test('covers each cell once, by its shade, and leaves out those that are next to nothing', () => {
    const map = [
      [1, 1, 0.25, 0.002],
      [0, 0.25, 0.25, 0.01],
    ];
    expect(covered(map)).toEqual([
      [10, 10, 5, 0],
      [0, 5, 5, 1],
    ]);
    const cell = fc.constantFrom(0, 0.01, 0.09, 1);
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell, cell, cell), { minLength: 1, maxLength: 6 }), (any) => {
        expect(covered(any)).toEqual(any.map((row) => row.map((value) => Math.round(10 * Math.sqrt(value)))));
      }),
      { seed: 2, numRuns: 200 },
    );
  });

  test('draws a stripe as one patch, along rows or columns', () => {
    expect(patchesOf(pointing(9, 9, () => 4))).toEqual([{ x: 4, x2: 5, y: 0, y2: 9, shade: 10 }]);
    expect(patchesOf([[0, 0, 0], [1, 1, 1]])).toEqual([{ x: 0, x2: 3, y: 1, y2: 2, shade: 10 }]); // prettier-ignore
  });

  test('joins neighbouring paths of one colour, and no others', () => {
    const path = (d: string, more = ''): string => `<path d="${d}" fill="rgb(1, 2, 3)"${more}/>`;
    const other = '<path d="M9,9h1v1h-1Z" fill="red"/>';
    const stroked = path('M3,3h1v1h-1Z', ' stroke="red"');
    expect(mergePaths(`<g>${path('M0,0h1v1h-1Z')}${path('M1,1h1v1h-1Z')}${other}${stroked}${path('M4,4Z')}</g>`)).toBe(
      `<g>${path('M0,0h1v1h-1ZM1,1h1v1h-1Z')}${other}${stroked}${path('M4,4Z')}</g>`,
    );
  });
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
    format: 2,
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
    expect(text).toContain('| cosine of o, all heads of the guided layers | 0.750 ± 0.071 | not run | 0.450 ± 0.071 |');
    expect(text).toContain('| share of diagonal heads, guided layers | 0.500 ± 0.000 | not run | 0.500 ± 0.000 |');
    expect(text).toContain('|  | no guidance (2 seeds) | prefix alone (0 seeds) | PAMDFGA (2 seeds) |');
    expect(text).toContain('| layer | 1 | 2, guided |');
    expect(text).toMatch(
      /heads differ\?\*\* Prefix and losses together, yes: .* goes from 0\.750 to 0\.450 .* every seed beyond every seed of the other/,
    );
    expect(text).toContain('The prefix alone was not measured.');
    expect(text).toContain('from 0.750 to 0.450 in the guided layers, from 0.900 to 0.900 in the others.');
    expect(Object.keys(pictures)).toEqual([
      'attention-1-head',
      'attention-1-mean',
      'attention-1-all-none',
      'attention-1-all-pamdfga',
    ]);
    for (const name of Object.keys(pictures)) expect(text).toMatch(new RegExp(`:\\n\\n!\\[A \\\\\\| B [^\\]]*\\]\\(pictures/${name}\\.svg\\)`)); // prettier-ignore
    const drawings = await draw(pictures);
    for (const label of ['[CLS]', 'the', 'P1', 'P2', 'with PAMDFGA', 'without guidance'])
      expect(drawings['attention-1-mean']?.svg).toContain(`>${label}<`);
    const all = (system: string): string[] => drawings[`attention-1-all-${system}`]?.svg.match(/fill="(#dddddd|rgb[^"]*)"/g) ?? []; // prettier-ignore
    expect(all('none').filter((fill) => fill.includes('#dddddd'))).toHaveLength(4);
    expect(all('pamdfga').filter((fill) => fill.includes('#dddddd'))).toHaveLength(0);
    expect(all('pamdfga').length).toBeGreaterThanOrEqual(4);
  });

  test.each([
    ['Yes: against the prefix without losses the mean cosine', [0.6, 0.5]],
    ['Not beyond the noise of seeds: ', [0.8, 0.4]],
    ['No, the contrary: ', [0.9, 0.85]],
  ])('takes the verdict from the prefix without losses, where it was measured: %s', async (verdict, cosines) => {
    const result = made();
    const diversity = result.diversity.flatMap((model) => {
      if (model.system === 'none') return [model, { ...model, system: 'prefix' }];
      const cosine = cosines[model.seed - 1] ?? NaN;
      return [{ ...model, guided: { cosineP: cosine, cosineO: cosine } }];
    });
    const results = await Results.open(join(folder, 'none'));
    expect(reportOf([], results, { attention: { ...result, diversity } }).text).toContain(`differ?** ${verdict}`);
  });

  test('a sentence of many pieces has no picture of all heads', async () => {
    const pieces = Array.from({ length: 33 }, (_, k) => `w${k}`);
    const values = packMaps([0, 1].map(() => [0, 1].map(() => pointing(33, 33, (row) => row))));
    const models = ['none', 'pamdfga'].map((system) => ({ system, seed: 1, run: system, prefix: 0, values }));
    const results = await Results.open(join(folder, 'none'));
    const { text, pictures } = reportOf([], results, { attention: { ...made(), maps: [{ text: 'long', pieces, models }] } }); // prettier-ignore
    expect(Object.keys(pictures)).toEqual(['attention-1-head', 'attention-1-mean']);
    expect(text).not.toContain('attention-1-all');
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
    expect(text).toContain('Right altogether: 3 (one), 0 (two).');
    expect(text).toContain('| annotated | **a b\\*** c |\n| one (right) | **a b\\*** c |\n| two | a b\\* **c** |');
    expect(text).toMatch(/## Attention with and without guidance[^#]*Not run\./);
    expect(reportOf([], results).text).toMatch(/## Case study[^#]*Not run\./);
  });

  test('files are read as they were written, numbers side by side', async () => {
    const own = join(folder, 'written');
    mkdirSync(join(own, 'looks'), { recursive: true });
    const text = looksText(made());
    writeFileSync(join(own, LOOKS.attention), text);
    expect((await readLooks(own)).attention).toEqual(made());
    expect(text).toContain('"diagonal": [0.9, 0.1]');
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
