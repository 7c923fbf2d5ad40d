import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { ebiobert, failure, temporaryFolder } from './support/run.js';
import { writeCorpus, writeModel } from './support/tiny.js';

const folder = temporaryFolder();
const model = join(folder, 'model');
const corpus = join(folder, 'corpus');
beforeAll(async () => {
  await writeModel('word-pair', model);
  await writeCorpus(corpus, true);
}, 60_000);

const TEXT = 'A zzyzx dose of ergotaline.';
const write = (name: string, content: string | Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const names = write('names.tsv', 'Chemical\tergotaline\t0.9\nGene\tzzyzx\n');

async function mentions(...args: string[]): Promise<string[]> {
  const { status, stdout, stderr } = await ebiobert(['tag', '--model', model, ...args], { input: TEXT });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const { entities } = JSON.parse(stdout) as { entities: readonly { type: string; text: string; score: number }[] };
  return entities.map(({ type, text, score }) => `${type} ${text} ${score}`);
}

describe('a lexicon', () => {
  test('of the user marks its names too, in one process and in several', async () => {
    const found = await mentions('--lexicon', names);
    expect(found).toEqual(expect.arrayContaining(['Gene zzyzx 1', 'Chemical ergotaline 0.9']));
    expect(await mentions('--lexicon', names, '--workers', '2')).toEqual(found);
    expect(await mentions('--lexicon', names, '--types', 'Gene')).toEqual(['Gene zzyzx 1']);
    expect(await mentions()).not.toContain('Gene zzyzx 1');
  });

  test('of a model folder is read with it, and is left out on request', async () => {
    const own = join(folder, 'own');
    cpSync(model, own, { recursive: true });
    const put = await ebiobert(['model', 'lexicon', own, names]);
    expect(put).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(readFileSync(join(own, 'lexicon.tsv'), 'utf8')).toBe(readFileSync(names, 'utf8'));
    expect(await mentions('--model', own)).toContain('Gene zzyzx 1');
    expect(await mentions('--model', own, '--no-lexicon')).toEqual(await mentions());
    writeFileSync(join(own, 'lexicon.tsv'), 'Gene\tother\n');
    const damaged = await ebiobert(['tag', '--model', own], { input: TEXT });
    expect(damaged.status).toBe(1);
    expect(damaged.stderr).toMatch(/^ebiobert: [^\n]*lexicon\.tsv: expected a file with SHA-256 [^\n]+\n$/);
    expect((await ebiobert(['model', 'lexicon', own])).status).toBe(0);
    expect(existsSync(join(own, 'lexicon.tsv'))).toBe(false);
    expect(await mentions('--model', own)).toEqual(await mentions());
  });

  test('with a fault is refused with its line, and the folder stays as it was', async () => {
    const before = readFileSync(join(model, 'config.json'), 'utf8');
    const faulty = write('faulty.tsv', 'Gene\tp53\nDrug\taspirin\n');
    for (const args of [
      ['tag', '--model', model, '--lexicon', faulty],
      ['model', 'lexicon', model, faulty],
    ]) {
      const { status, stderr } = await ebiobert(args, { input: TEXT });
      expect(status).toBe(1);
      expect(stderr).toMatch(/^ebiobert: .*expected a type of the model \(.*\), found "Drug\\taspirin".*\n$/);
      expect(stderr).toContain('faulty.tsv:2');
    }
    expect(readFileSync(join(model, 'config.json'), 'utf8')).toBe(before);
    expect(existsSync(join(model, 'lexicon.tsv'))).toBe(false);
  });

  test('that is no UTF-8 is refused with its line', async () => {
    const latin1 = write('latin1.tsv', Buffer.concat([Buffer.from('Gene\tp53\nDisease\tM'), Buffer.of(0xe9, 10)]));
    for (const args of [
      ['tag', '--model', model, '--lexicon', latin1],
      ['tag', '--model', model, '--lexicon', latin1, '--workers', '2'],
      ['evaluate', '--model', model, '--lexicon', latin1],
      ['model', 'lexicon', model, latin1],
    ]) {
      expect(await failure(args, { input: TEXT })).toBe(`${latin1}:2: expected UTF-8, found bytes that are not`);
    }
    expect(existsSync(join(model, 'lexicon.tsv'))).toBe(false);
  });

  test('is collected from the training sentences of corpora', async () => {
    const { status, stdout } = await ebiobert(['corpus', 'lexicon', corpus]);
    expect(status).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.length).toBeGreaterThan(1);
    for (const line of lines) expect(line).toMatch(/^(Gene|Chemical|Disease)\t[^\t]+\t0\.\d+$/);
    const merged = await ebiobert(['corpus', 'lexicon', corpus, '--merge-devel']);
    expect(merged.stdout.split('\n').length).toBeGreaterThanOrEqual(lines.length);
    expect(await mentions('--lexicon', write('collected.tsv', stdout))).toEqual(await mentions());
  });
});

test('evaluate looks for annotated types alone', async () => {
  const text = 'a zzyzx dose';
  const gold = write(
    'gold.jsonl',
    `${JSON.stringify({ id: '1', text, entities: [{ type: 'Chemical', start: 2, end: 7 }] })}\n`,
  );
  const rival = write('rival.tsv', 'Gene\tzzyzx dose\t1\nChemical\tzzyzx\t0.5\n');
  const score = async (...args: string[]): Promise<unknown> => {
    const { stdout } = await ebiobert(['evaluate', gold, '--model', model, '--lexicon', rival, '--json', ...args]);
    return (JSON.parse(stdout) as { types: unknown }).types;
  };
  expect(await score()).toMatchObject({ Chemical: { gold: 1, correct: 1 } });
  const stdin = await ebiobert(['evaluate', '--from', 'jsonl', '--model', model, '--lexicon', rival, '--json'], {
    input: readFileSync(gold, 'utf8'),
  });
  expect((JSON.parse(stdin.stdout) as { types: unknown }).types).toEqual(await score());
});
