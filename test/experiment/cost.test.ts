import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  costRunsOf,
  LOOKS,
  readExperiments,
  readLooks,
  reportOf,
  Results,
  type CostResult,
  type Experiment,
} from '../../src/experiment/index.js';
import { ebiobert, temporaryFolder, type Outcome } from '../cli/support/run.js';
import { writeWorkplace, type Workplace } from './support.js';

let place: Workplace;
let first: Outcome;
let cost: Experiment;

function command(what: string, ...more: string[]): Promise<Outcome> {
  const folders = ['--experiments', place.experiments, '--work', place.work];
  const given = what === 'run' ? ['--corpora', place.corpora, '--encoders', place.encoders, '--threads', '1'] : [];
  return ebiobert(['experiment', what, ...folders, ...given, ...more]);
}

const written = (): string => readFileSync(join(place.results, LOOKS.cost), 'utf8');

beforeAll(async () => {
  place = await writeWorkplace(temporaryFolder());
  cost = (await readExperiments(place.experiments)).find(({ kind }) => kind === 'cost') as Experiment;
  first = await command('run', 'cost');
}, 60_000);

describe('ebiobert experiment run on an experiment of the kind cost', () => {
  test('times every system over the same batches, from the shortest to the longest', async () => {
    expect(first).toMatchObject({ status: 0, stdout: 'cost.tiny\n' });
    const [measured] = (await readLooks(place.results)).cost?.corpora ?? [];
    expect(measured).toMatchObject({ corpus: 'tiny', machine: { threads: 1 } });
    const { batches = 0, sentences = 0, seconds = {} } = measured ?? {};
    expect(batches).toBe(Math.ceil(sentences / 6));
    expect(Object.keys(seconds)).toEqual(['plain', 'guided']);
    for (const times of Object.values(seconds)) expect(times).toHaveLength(batches);
  });

  test('does not measure again, unless the configs change', async () => {
    const before = written();
    expect(await command('run', 'cost')).toMatchObject({ status: 0, stdout: 'cost.tiny\n' });
    expect(written()).toBe(before);
    expect(await command('run', 'cost', '--systems', 'plain')).toMatchObject({ status: 0 });
    expect((JSON.parse(written()) as CostResult).corpora.map(({ seconds }) => Object.keys(seconds))).toEqual([
      ['plain'],
    ]);
    expect((await command('list', 'cost')).stdout).toMatch(/^cost\.tiny +not run$/m);
    expect(await command('run', 'cost')).toMatchObject({ status: 0 });
    expect((await command('list')).stdout).toMatch(/^cost +1 +1 +tiny +Table 5$/m);
  });

  test('leaves out a corpus that is not there', async () => {
    const { status, stderr, stdout } = await command(
      'run',
      'cost',
      '--systems',
      'guided',
      '--corpora',
      temporaryFolder(),
    );
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
    expect(stderr).toContain('cost.tiny: left out, tiny not in ');
  });
});

test('the report has the seconds of an epoch, and what a system adds with its interval', async () => {
  const [run] = costRunsOf(cost);
  const result: CostResult = {
    format: 1,
    corpora: [
      {
        key: run?.key ?? '',
        corpus: 'tiny',
        sentences: 800,
        batches: 100,
        seconds: { plain: [0.1, 0.2, 0.3], guided: [0.12, 0.21, 0.33] },
        machine: { processor: 'slow', cores: 1, threads: null, memoryGB: 1, system: 'none', node: 'v20' },
        version: '0',
      },
    ],
  };
  const none = await Results.open(temporaryFolder());
  const { text } = reportOf([cost], none, { cost: result });
  expect(text).toContain('| training sentences | 800 |');
  expect(text).toContain('| batches, of them measured | 100, 3 |');
  expect(text).toContain('| plain | 20.0 |');
  // Differences 0.02, 0.01 and 0.03: mean 0.02, deviation 0.01, t(2) = 4.303.
  expect(text).toContain('| added by "guided" | +2.00 s (−0.48 to +4.48), +10.00 % |');
  expect(text).not.toContain('Not run at all');
  expect(reportOf([cost], none, { cost: { ...result, corpora: [] } }).text).toContain('Not run at all: Cost.');
});
