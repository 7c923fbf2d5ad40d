import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { encodeCounts } from '../../src/experiment/counts.js';
import type { Experiment } from '../../src/experiment/definition.js';
import {
  draw,
  readExperiments,
  readLooks,
  reportOf,
  Results,
  runsOf,
  type Result,
} from '../../src/experiment/index.js';
import { holm, pairedDifference } from '../../src/experiment/significance.js';
import { twoSidedP, twoSidedQuantile } from '../../src/experiment/student.js';
import { scoreOf, sumCounts, type Counts } from '../../src/score/index.js';
import { project, temporaryFolder } from '../cli/support/run.js';

const committed = join(project, 'experiments');

describe('docs/reproduction.md', () => {
  test('is what the committed results give', async () => {
    const { text, pictures } = reportOf(
      await readExperiments(committed),
      await Results.open(join(committed, 'results')),
      await readLooks(join(committed, 'results')),
    );
    expect(readFileSync(join(project, 'docs', 'reproduction.md'), 'utf8')).toBe(text);
    const drawings = await draw(pictures);
    for (const [name, { svg }] of Object.entries(drawings)) {
      expect(svg, name).toBe(readFileSync(join(project, 'docs', 'pictures', `${name}.svg`), 'utf8'));
      expect(existsSync(join(project, 'docs', 'pictures', `${name}.png`)), name).toBe(true);
    }
  }, 60_000);
});

const base: Experiment = {
  name: 'ablation',
  title: 'Two systems',
  paper: 'Table 4',
  question: 'Is one better?',
  kind: 'scores',
  protocol: { name: 'tiny', title: 'tiny', encoder: 'tiny-bert', mergeDevel: false, share: '1/1', model: {}, training: { epochs: 2 }, corpora: {} }, // prettier-ignore
  corpora: { tiny: { seeds: [1, 2, 3] } },
  model: {},
  training: {},
  baseline: 'none',
  systems: {
    none: { title: 'nothing', model: { prefix: 0 }, training: {} },
    pamdfga: { title: 'PAMDFGA', model: { prefix: 11 }, training: {} },
  },
  published: [{ title: 'the paper', source: 'somewhere', values: { tiny: 90.55 } }],
  notes: ['A note.'],
};

/** With the prefix alone as a third system. */
const withPrefix: Experiment = {
  ...base,
  systems: { ...base.systems, prefix: { title: 'prefix alone', model: { prefix: 11, guidance: null }, training: {} } },
};

/** Sixty documents of ten mentions each, of which `correct(document)` are found, nothing else. */
function resultOf(system: string, seed: number, correct: (document: number) => number, experiment = base): Result {
  const run = runsOf(experiment).find((each) => each.system === system && each.seed === seed);
  if (run === undefined) throw new RangeError(`expected a run, found ${system}, ${seed}`);
  const documents = Array.from({ length: 60 }, (_, k): Counts => ({ gold: 10, predicted: 10, correct: correct(k) }));
  const score = scoreOf(sumCounts(documents));
  const epoch = { epoch: 1, loss: 0.1, guidance: 3, sentences: 9, seconds: 5, devel: { tiny: score }, test: { tiny: score } }; // prettier-ignore
  return {
    format: 1,
    experiment: 'ablation',
    system,
    config: JSON.parse(JSON.stringify(run.config)) as Result['config'],
    seed,
    resolved: { model: {}, training: {}, corpora: [] },
    parameters: 1,
    epochs: [epoch],
    kept: 1,
    documents: { tiny: encodeCounts('document', documents) },
    machine: { processor: 'slow', cores: 1, threads: null, memoryGB: 1, system: 'none', node: 'v20' },
    version: '0',
  };
}

async function reportWith(...results: readonly Result[]): Promise<string> {
  const all = await Results.open(join(temporaryFolder(), 'results'));
  for (const result of results) await all.save(`${result.system}-${result.seed}`, result);
  return reportOf([base], all).text;
}

describe('a report', () => {
  test('says "not run" where nothing was', async () => {
    const text = await reportWith();
    expect(text).toContain('Not run at all: Two systems.');
    expect(text).toContain('## Two systems (Table 4)\n\nIs one better?');
    expect(text).toMatch(/Does the guidance .*\*\* Not run\./);
    expect(text).toContain('| the paper | 90.55 | somewhere |');
    expect(text).toContain('A note.');
  });

  test('calls nothing real with one seed, however large', async () => {
    const text = await reportWith(resultOf('none', 1, () => 5), resultOf('pamdfga', 1, () => 9)); // prettier-ignore
    expect(text).toContain('| nothing | 50.00 (1 seed) | 50.00 (1 seed) |');
    expect(text).toContain('| PAMDFGA | tiny | +40.00 (1 seed) | +40.00 to +40.00 |  | one seed: not tested |');
    expect(text).toContain('with one seed nothing can be said about seed noise');
  });

  test('calls a difference real that documents and seeds agree on, and no other', async () => {
    const none = [1, 2, 3].map((seed) => resultOf('none', seed, (k) => 5 + ((k + seed) % 3)));
    const better = [1, 2, 3].map((seed) => resultOf('pamdfga', seed, (k) => 7 + ((k + seed) % 3)));
    const clear = await reportWith(...none, ...better);
    expect(clear).toMatch(/\| PAMDFGA \| tiny \| \+20\.00 \(3 seeds\) \| .* \| 0\.000 \| \*\*real\*\* \|/);
    expect(clear).toContain('beyond the noise (p = 0.000)');
    const noisy = [1, 2, 3].map((seed) => resultOf('pamdfga', seed, (k) => 4 + ((2 * seed + k) % 5)));
    const unclear = await reportWith(...none, ...noisy);
    expect(unclear).toContain('within noise');
    expect(unclear).toContain('not beyond the noise');
  });

  test('tells what the losses do from what the prefix does', async () => {
    const all = await Results.open(join(temporaryFolder(), 'results'));
    for (const seed of [1, 2, 3]) {
      await all.save(
        `none-${seed}`,
        resultOf('none', seed, (k) => 5 + ((k + seed) % 3), withPrefix),
      );
      await all.save(
        `pamdfga-${seed}`,
        resultOf('pamdfga', seed, (k) => 7 + ((k + seed) % 3), withPrefix),
      );
    }
    expect(reportOf([withPrefix], all).text).toContain('or the prefix alone make the difference was not measured.');
    for (const seed of [1, 2, 3]) {
      await all.save(
        `prefix-${seed}`,
        resultOf('prefix', seed, (k) => 7 + ((k + seed) % 3), withPrefix),
      );
    }
    expect(reportOf([withPrefix], all).text).toContain(
      'The losses alone, PAMDFGA against the prefix without them: +0.00 (+0.00 to +0.00, 3 seeds',
    );
  });

  test('gives mean, deviation and maximum of several seeds', async () => {
    const text = await reportWith(...[1, 2, 3].map((seed) => resultOf('none', seed, () => 4 + seed)));
    expect(text).toContain('| nothing | 60.00 ± 10.00, max 70.00 (3 seeds) |');
    expect(text).toContain('| PAMDFGA | not run | not run |');
  });
});

test('pictures are SVG with the names of the systems, and PNG', async () => {
  const all = await Results.open(join(temporaryFolder(), 'results'));
  await all.save(
    'a',
    resultOf('none', 1, () => 5),
  );
  await all.save(
    'b',
    resultOf('pamdfga', 1, () => 6),
  );
  const { pictures } = reportOf([base], all);
  const { ablation } = await draw(pictures);
  expect(ablation?.svg).toMatch(/^<svg/);
  for (const word of ['nothing', 'PAMDFGA', 'devel', 'test', 'F1, percent']) expect(ablation?.svg).toContain(word);
  expect(
    Buffer.from(ablation?.png ?? [])
      .subarray(1, 4)
      .toString(),
  ).toBe('PNG');
}, 60_000);

describe('the statistics', () => {
  test("Student's t agrees with tables", () => {
    expect(twoSidedQuantile(0.05, 1)).toBeCloseTo(12.706, 3);
    expect(twoSidedQuantile(0.05, 10)).toBeCloseTo(2.228, 3);
    expect(twoSidedQuantile(0.01, 30)).toBeCloseTo(2.75, 3);
    expect(twoSidedP(2.228, 10)).toBeCloseTo(0.05, 4);
    expect(twoSidedP(0, 5)).toBeCloseTo(1, 10);
  });

  test("Holm's correction multiplies the smallest by the number of tests and never falls", () => {
    expect(holm([0.01, 0.04, 0.03, undefined])).toEqual([0.03, 0.06, 0.06, undefined]);
    expect(holm([0.9, 0.8])).toEqual([1, 1]);
  });

  test('runs of different test sets are not compared', () => {
    const of = (gold: number) => encodeCounts('document', [{ gold, predicted: 1, correct: 1 }]);
    expect(() => pairedDifference([{ first: of(1), second: of(2) }])).toThrow('counts of the same test set');
    expect(() => pairedDifference([])).toThrow('found none');
  });
});
