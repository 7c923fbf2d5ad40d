import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  experimentsNamed,
  readExperiments,
  runFor,
  runKey,
  runsOf,
  type Experiment,
} from '../../src/experiment/index.js';
import { evenly } from '../../src/experiment/subset.js';
import { temporaryFolder } from '../cli/support/run.js';
import { definitions, protocol, writeWorkplace, type Workplace } from './support.js';

const committed = fileURLToPath(new URL('../../experiments', import.meta.url));
let place: Workplace;
let all: Experiment[];
const named = (name: string): Experiment => experimentsNamed(all, [name])[0] as Experiment;

beforeAll(async () => {
  place = await writeWorkplace(temporaryFolder());
  all = await readExperiments(place.experiments);
});

describe('definitions', () => {
  test('are the JSON files but for configs of train', () => {
    expect(all.map(({ name }) => name)).toEqual(['cost', 'scores', 'sweep']);
    expect(named('scores')).toMatchObject({ paper: 'Table 4', protocol: { name: 'tiny', encoder: 'tiny-bert' } });
  });

  test.each([
    [{ baseline: 'nobody' }, /scores\.json: baseline: expected the name of one of the systems/],
    [{ kind: 'other' }, /kind: /],
    [{ colour: 'red' }, /Unrecognized key: "colour"/],
    [{ protocol: 'none' }, /none\.json: cannot read: no such file/],
  ])('%j is an error', async (change, message) => {
    const { experiments } = await writeWorkplace(temporaryFolder());
    writeFileSync(join(experiments, 'scores.json'), JSON.stringify({ ...definitions.scores, ...change }));
    await expect(readExperiments(experiments)).rejects.toThrow(message);
  });

  test.each([
    [{ share: '4/3' }, /tiny\.json: share: expected at most 1\/1/],
    [{ encoder: '' }, /tiny\.json: encoder: /],
  ])('a protocol with %j is an error', async (change, message) => {
    const { experiments } = await writeWorkplace(temporaryFolder());
    writeFileSync(join(experiments, 'protocols', 'tiny.json'), JSON.stringify({ ...protocol, ...change }));
    await expect(readExperiments(experiments)).rejects.toThrow(message);
  });

  test('an unknown name is an error that names the known', () => {
    expect(() => experimentsNamed(all, ['score'])).toThrow('expected an experiment (cost, scores, sweep), found score');
  });
});

describe('runs', () => {
  test('are systems by corpora by seeds, with the settings of protocol, experiment and system', () => {
    const runs = runsOf(named('scores'));
    expect(runs.map(({ name }) => name.replace(/\.[0-9a-f]{8}$/, ''))).toEqual([
      'scores.plain.tiny.seed-1',
      'scores.plain.tiny.seed-2',
      'scores.plain.absent.seed-1',
      'scores.guided.tiny.seed-1',
      'scores.guided.tiny.seed-2',
      'scores.guided.absent.seed-1',
    ]);
    expect(runs[3]?.config).toMatchObject({
      encoder: 'tiny-bert',
      corpora: ['tiny'],
      share: '1/1',
      mergeDevel: false,
      model: { prefix: 2, guidance: { layers: [-1], alpha: 0.01 } },
      training: { epochs: 3 },
    });
    expect(runsOf(named('cost'))[0]?.config).toMatchObject({ training: { epochs: 3, headRate: 0.02 } });
    const shared = (name: string): string[] =>
      runsOf({ ...named(name), protocol: { ...named(name).protocol, share: '1/3' } }).map(({ config }) => config.share);
    expect(shared('sweep')).toEqual(['1/3', '1/3']);
    expect(shared('cost')).toEqual(['1/1', '1/1']);
  });

  test('can be narrowed', () => {
    const runs = runsOf(named('scores'), { systems: ['guided'], corpora: ['tiny'], seeds: [2] });
    expect(runs.map(({ system, seed }) => [system, seed])).toEqual([['guided', 2]]);
  });

  test('have one key for one config and seed, whatever they are called by', () => {
    const [scores, sweep] = [runsOf(named('scores')), runsOf(named('sweep'))];
    const shared = sweep.map(({ key }) => scores.find((run) => run.key === key)?.name.replace(/\.[0-9a-f]{8}$/, ''));
    expect(shared).toEqual(['scores.plain.tiny.seed-1', 'scores.guided.tiny.seed-1']);
    expect(new Set(scores.map(({ key }) => key)).size).toBe(scores.length);
    const [run] = scores;
    const turned = Object.fromEntries(Object.entries(run?.config ?? {}).reverse());
    expect(runKey(turned as unknown as NonNullable<typeof run>['config'], 1)).toBe(run?.key);
  });

  test('a system may train on corpora together, and no encoder is one', () => {
    const experiment: Experiment = {
      ...named('scores'),
      systems: {
        both: { title: 'both', model: { encoder: null }, training: {}, together: ['tiny', 'absent'] },
      },
    };
    const runs = runsOf(experiment);
    expect(runs.map(({ seed, config }) => [seed, config.corpora, config.encoder])).toEqual([
      [1, ['tiny', 'absent'], null],
      [2, ['tiny', 'absent'], null],
    ]);
    expect(runFor(runs, { system: 'both', corpus: 'absent', seed: 1 })).toBe(runs[0]);
    expect(runFor(runs, { system: 'both', corpus: 'other', seed: 1 })).toBeUndefined();
  });
});

describe('the definitions of this project', () => {
  test('are valid, and their runs distinct', async () => {
    const experiments = await readExperiments(committed);
    const tables = experiments.map(({ paper }) => paper).join('; ');
    for (const part of ['Table 4', 'Tables 2 and 3', 'Table 5', 'Fig. 5', 'Fig. 6', 'alpha']) {
      expect(tables).toContain(part);
    }
    for (const experiment of experiments) {
      const keys = runsOf(experiment).map(({ key }) => key);
      expect(new Set(keys).size, experiment.name).toBe(keys.length);
      for (const { together = [] } of Object.values(experiment.systems)) {
        expect(Object.keys(experiment.corpora), experiment.name).toEqual(expect.arrayContaining(together));
      }
    }
  });

  test('train alike under one protocol, over one encoder', async () => {
    const experiments = await readExperiments(committed, { protocol: 'paper', encoder: 'other' });
    for (const { config } of experiments.flatMap((experiment) => runsOf(experiment))) {
      expect(config).toMatchObject({ mergeDevel: true, share: '1/1' });
      if (config.model['encoder'] !== null) expect(config.encoder).toBe('other');
    }
  });
});

test('a share is spread evenly and does not depend on anything else', () => {
  const documents = Array.from({ length: 10 }, (_, k) => ({ id: String(k), text: '', entities: [] }));
  const ids = (share: number): string =>
    evenly(documents, share)
      .map(({ id }) => id)
      .join('');
  expect(ids(1 / 3)).toBe('258');
  expect(ids(1 / 2)).toBe('13579');
  expect(ids(2 / 5)).toBe('2479');
  expect(ids(1)).toBe('0123456789');
});
