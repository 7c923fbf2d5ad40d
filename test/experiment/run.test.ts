import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { collect, openCorpus, readSplit } from '../../src/corpus/index.js';
import { decodeCounts, totalScore } from '../../src/experiment/counts.js';
import { Results, type Result } from '../../src/experiment/index.js';
import { writeShare } from '../../src/experiment/subset.js';
import {
  ebiobert,
  failure,
  start,
  temporaryFolder,
  type Outcome,
  hasTerminal,
  onTerminal,
} from '../cli/support/run.js';
import { writeWorkplace, type Workplace } from './support.js';

let place: Workplace;
let first: Outcome;

function args(what: string, names: readonly string[], ...more: string[]): string[] {
  return ['experiment', what, ...names, '--experiments', place.experiments, '--work', place.work, ...more];
}

const runArgs = (names: readonly string[], ...more: string[]): string[] =>
  args('run', names, '--corpora', place.corpora, '--encoders', place.encoders, '--threads', '1', ...more);

/** A result without what differs from one making of it to the next. */
function withoutTimes({ machine, epochs, ...rest }: Result): unknown {
  expect(machine.cores).toBeGreaterThan(0);
  return {
    ...rest,
    epochs: epochs.map(({ seconds, ...epoch }) => {
      expect(seconds).toBeGreaterThan(0);
      return epoch;
    }),
  };
}

async function onlyResult(folder: string, name: RegExp): Promise<Result> {
  const files = readdirSync(folder).filter((file) => name.test(file));
  expect(files).toHaveLength(1);
  const results = await Results.open(folder);
  const found = results.all.find(({ experiment, system, seed }) =>
    files[0]?.startsWith(`${experiment}.${system}.tiny.seed-${seed}.`),
  );
  if (found === undefined) throw new Error(`expected a result that matches ${name}`);
  return found;
}

async function killedAfterFirstEpoch(command: readonly string[], work: string): Promise<void> {
  const child = start(command);
  const closed = new Promise((done) => child.once('close', done));
  const scored = (): boolean =>
    existsSync(work) && readdirSync(work).some((name) => existsSync(join(work, name, 'test-1.json')));
  while (!scored() && child.exitCode === null) await delay(5);
  child.kill('SIGKILL');
  await closed;
}

beforeAll(async () => {
  place = await writeWorkplace(temporaryFolder());
  first = await ebiobert(runArgs(['scores'], '--seeds', '1'));
}, 120_000);

describe('ebiobert experiment run', () => {
  test('makes the runs, leaves out those without corpus, and cleans up', () => {
    expect(first).toMatchObject({ status: 0 });
    expect(first.stdout).toMatch(
      /^scores\.plain\.tiny\.seed-1\.[0-9a-f]{8}\nscores\.guided\.tiny\.seed-1\.[0-9a-f]{8}\n$/,
    );
    expect(first.stderr).toContain(`left out, absent not in ${place.corpora}`);
    expect(readdirSync(place.results)).toHaveLength(2);
    expect(readdirSync(place.work)).toEqual([]);
  });

  test('a result has all scores, the counts of every test document, settings, times and machine', async () => {
    const result = await onlyResult(place.results, /^scores\.guided\.tiny\.seed-1/);
    expect(result).toMatchObject({
      format: 1,
      experiment: 'scores',
      system: 'guided',
      seed: 1,
      config: { encoder: 'tiny-bert', corpora: ['tiny'], model: { guidance: { alpha: 0.01 } } },
      resolved: {
        model: { kind: 'word-pair', types: ['Gene', 'Chemical', 'Disease'], guidance: { temperature: 2 } },
        training: { seed: 1, clip: 5 },
        corpora: [{ name: 'tiny' }],
      },
      machine: { threads: 1 },
      version: expect.stringMatching(/^\d+\.\d+\.\d+/) as string,
    });
    expect(result.epochs.map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
    const f1s = result.epochs.map(({ devel }) => devel['tiny']?.f1 ?? -1);
    expect(result.kept).toBe(1 + f1s.indexOf(Math.max(...f1s)));
    const documents = result.documents['tiny'];
    if (documents === undefined) throw new Error('expected counts of documents');
    expect(documents.unit).toBe('sentence');
    expect(decodeCounts(documents).map(({ gold }) => gold)).toEqual(Array.from({ length: 9 }, () => 2));
    expect(totalScore(documents).f1).toBeCloseTo(result.epochs[result.kept - 1]?.test['tiny']?.f1 ?? -1, 5);
  });

  test('never makes a run again, under whatever name', async () => {
    const before = readdirSync(place.results).map((name) => readFileSync(join(place.results, name), 'utf8'));
    const again = await ebiobert(runArgs(['sweep']));
    expect(again.status).toBe(0);
    expect(again.stderr).not.toContain('epoch');
    expect(again.stdout).toMatch(/^sweep\.plain\.tiny.*\nsweep\.guided\.tiny.*\n$/);
    expect(readdirSync(place.results).map((name) => readFileSync(join(place.results, name), 'utf8'))).toEqual(before);
  });

  test('goes on after a kill and ends with the same result', async () => {
    const reference = await onlyResult(place.results, /^scores\.plain\.tiny\.seed-1/);
    const [results, work] = [join(place.root, 'again'), join(place.root, 'again-work')];
    const args = [...runArgs(['scores'], '--systems', 'plain', '--seeds', '1', '--only', 'tiny'), '--results', results];
    args.splice(args.indexOf('--work') + 1, 1, work);
    for (let attempt = 0; attempt < 5; attempt += 1) {
      await rm(work, { recursive: true, force: true });
      await rm(results, { recursive: true, force: true });
      await killedAfterFirstEpoch(args, work);
      if (!existsSync(results)) break;
    }
    expect(existsSync(results)).toBe(false);
    const resumed = await ebiobert(args);
    expect(resumed.status).toBe(0);
    expect(withoutTimes(await onlyResult(results, /^scores/))).toEqual(withoutTimes(reference));
  });

  test('a run that fails does not keep the others from being made', async () => {
    const { experiments, ...rest } = await writeWorkplace(temporaryFolder());
    const bad = { title: 'bad', model: { kind: 'impossible' } };
    const file = join(experiments, 'sweep.json');
    const definition = JSON.parse(readFileSync(file, 'utf8')) as { systems: object };
    writeFileSync(
      file,
      JSON.stringify({ ...definition, systems: { bad, ...definition.systems }, training: { epochs: 1 } }),
    );
    const outcome = await ebiobert([
      'experiment', 'run', 'sweep', '--experiments', experiments, '--work', rest.work,
      '--corpora', rest.corpora, '--encoders', rest.encoders, '--threads', '1',
    ]); // prettier-ignore
    expect(outcome.status).toBe(1);
    expect(outcome.stderr).toMatch(/ebiobert: 1 of 3 runs failed, the first: sweep\.bad\.tiny\.seed-1\S+: kind: /);
    expect(readdirSync(rest.results)).toHaveLength(2);
  });

  test.skipIf(!hasTerminal)('on a terminal a bar covers each run (skipped without the command script)', async () => {
    const { experiments, ...rest } = await writeWorkplace(temporaryFolder());
    const folders = ['--experiments', experiments, '--corpora', rest.corpora, '--encoders', rest.encoders];
    const shown = onTerminal(
      ['experiment', 'run', 'sweep', '--systems', 'plain', '--work', rest.work, ...folders, '--threads', '1'],
      rest.root,
    );
    const bars = [...shown.matchAll(/ (\d+) % {2}epoch (\d) of 3 {2}loss \d+\.\d{4} {2}\d+\.\d sentences\/s {2}\d+:\d\d left/g)]; // prettier-ignore
    expect(bars.at(-1)?.slice(1)).toEqual(['100', '3']);
    expect(bars.filter(([, percent]) => percent === '100')).toHaveLength(1);
  });

  test('names and selections that fit nothing are errors', async () => {
    const unknown = await ebiobert(runArgs(['nothing']));
    expect(unknown).toMatchObject({ status: 2, stdout: '' });
    expect(unknown.stderr).toContain('expected an experiment (cost, scores, sweep), found nothing');
    expect((await ebiobert(runArgs(['scores'], '--systems', 'none'))).status).toBe(2);
    expect(await failure(args('list', [], '--protocol', 'none'))).toContain('none.json');
  });
});

describe('ebiobert experiment list', () => {
  test('counts what is done', async () => {
    const { stdout } = await ebiobert(args('list', []));
    expect(stdout).toMatch(/^experiment +done +runs +protocol +paper$/m);
    expect(stdout).toMatch(/^scores +2 +6 +tiny +Table 4$/m);
    expect(stdout).toMatch(/^sweep +2 +2 /m);
    expect(stdout).toMatch(/^cost +0 +1 /m);
  });

  test('shows the runs of one, and JSON', async () => {
    const { stdout } = await ebiobert(args('list', ['scores']));
    expect(stdout).toMatch(/^scores\.plain\.tiny\.seed-1\.\w+ +test F1 tiny \d+\.\d\d$/m);
    expect(stdout).toMatch(/^scores\.plain\.tiny\.seed-2\.\w+ +not run$/m);
    const json = await ebiobert(args('list', ['sweep'], '--json'));
    expect(JSON.parse(json.stdout)).toMatchObject([{ name: 'sweep', done: 2, protocol: 'tiny' }]);
  });
});

test('a share of a corpus trains on some, and is scored on all', async () => {
  const folder = await writeShare(join(place.corpora, 'tiny'), '1/3', join(place.root, 'share'));
  const [whole, part] = [await openCorpus(join(place.corpora, 'tiny')), await openCorpus(folder)];
  expect(part).toMatchObject({ name: 'tiny', types: whole.types });
  const content = async (corpus: typeof whole, split: 'train' | 'devel' | 'test') =>
    (await collect(readSplit(corpus, split))).map(({ text, entities }) => ({ text, entities }));
  for (const split of ['devel', 'test'] as const)
    expect(await content(part, split)).toEqual(await content(whole, split));
  const train = await content(whole, 'train');
  expect(await content(part, 'train')).toEqual(train.filter((_, k) => k % 3 === 2));
});
