import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { readLooks } from '../../src/experiment/index.js';
import { settings } from '../cli/support/tiny.js';
import { ebiobert, temporaryFolder } from '../cli/support/run.js';
import { definitions, protocol, writeWorkplace, type Workplace } from './support.js';

let place: Workplace;
const folders = (): string[] => ['--experiments', place.experiments, '--work', place.work];
const look = (what: string): Promise<{ status: number | null; stdout: string; stderr: string }> =>
  ebiobert(['experiment', what, ...folders(), '--corpora', place.corpora, '--corpus', 'tiny', '--threads', '1']);

beforeAll(async () => {
  place = await writeWorkplace(temporaryFolder());
  const { systems, title, paper, question, kind } = definitions.scores;
  const write = (name: string, content: object): void => {
    writeFileSync(join(place.experiments, `${name}.json`), JSON.stringify(content));
  };
  const prefix = { title: 'prefix', model: { guidance: null } };
  const common = { title, paper, question, kind, corpora: { tiny: { seeds: [1] } } };
  write('ablation', { ...common, protocol: 'tiny', systems: { none: systems.plain, prefix, pamdfga: systems.guided } });
  write('systems', { ...common, protocol: 'sequence', systems: { softmax: { title: 'softmax' } } });
  write('protocols/sequence', { ...protocol, model: settings.sequence });
});

test('without kept models both commands say how to make them', async () => {
  for (const [what, system] of [
    ['attention', 'ablation --systems none'],
    ['cases', 'systems --systems softmax'],
  ] as const) {
    const { status, stdout, stderr } = await look(what);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toContain(`found none: ebiobert experiment run ${system} --only tiny --keep-model\n`);
  }
});

test('kept models are looked into, and the report has what they show', async () => {
  const run = ['experiment', 'run', 'ablation', 'systems', ...folders(), '--corpora', place.corpora];
  const made = await ebiobert([...run, '--encoders', place.encoders, '--threads', '1', '--keep-model']);
  expect(made.status, made.stderr).toBe(0);
  for (const what of ['attention', 'cases']) {
    const { status, stdout, stderr } = await look(what);
    expect(status, stderr).toBe(0);
    expect(stdout).toBe(`${join(place.results, 'looks', `${what}.json`)}\n`);
  }
  const { attention, cases } = await readLooks(place.results);
  expect(attention?.diversity.map(({ system, seed }) => [system, seed])).toEqual([
    ['pamdfga', 1],
    ['prefix', 1],
    ['none', 1],
  ]);
  expect(attention?.sentences).toBeGreaterThan(0);
  for (const { guided } of attention?.diversity ?? []) {
    expect(guided.cosineO).toBeGreaterThan(0);
    expect(guided.cosineO).toBeLessThanOrEqual(1);
  }
  expect(attention?.maps.map(({ text }) => text.slice(0, 9))).toEqual(['The first', 'Effects o']);
  expect(cases?.systems.map(({ seed }) => seed)).toEqual([1, 1, 1]);
  const counted = Object.values(cases?.counts ?? {}).reduce((sum, count) => sum + count, 0);
  expect(counted).toBe(cases?.sentences);
  const report = join(place.root, 'report.md');
  const written = await ebiobert(['experiment', 'report', ...folders(), '--output', report, '--no-pictures']);
  expect(written.status, written.stderr).toBe(0);
  const text = readFileSync(report, 'utf8');
  expect(text).toContain('prefix alone: 1 seed, PAMDFGA: 1 seed');
  expect(text).toContain('| BIO softmax | word pairs, no guidance | word pairs, PAMDFGA | sentences |');

  for (const name of readdirSync(place.work)) {
    if (!name.includes('.prefix.')) rmSync(join(place.work, name), { recursive: true });
  }
  expect((await look('attention')).status).toBe(0);
  const again = (await readLooks(place.results)).attention;
  const bySystem = (result: typeof again) => [...(result?.diversity ?? [])].sort((a, b) => (a.run < b.run ? -1 : 1));
  expect(bySystem(again)).toEqual(bySystem(attention));
  expect(again?.maps).toEqual(attention?.maps);
}, 240_000);
