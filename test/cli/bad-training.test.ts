import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { bundledFolder, DEFAULT_MODEL } from '../../src/node.js';
import { failure as failed, temporaryFolder } from './support/run.js';
import { settings, writeCorpus, writeEncoder, writeModel } from './support/tiny.js';

const folder = temporaryFolder();
const failure = (args: readonly string[]): Promise<string> => failed(args, { cwd: folder });

const [corpus, encoder] = [join(folder, 'tiny'), join(folder, 'encoder')];
beforeAll(async () => {
  await writeCorpus(corpus, false);
  await writeEncoder(encoder);
}, 60_000);

describe('training that cannot start says why', () => {
  const train = (...args: string[]): Promise<string> => failure(['train', '--output', 'out', ...args]);
  const withConfig = (config: unknown): Promise<string> => {
    writeFileSync(join(folder, 'c.json'), typeof config === 'string' ? config : JSON.stringify(config));
    return train('--corpus', corpus, '--encoder', encoder, '--config', 'c.json');
  };
  afterEach(() => {
    expect(readdirSync(folder)).not.toContain('out');
  });

  test.each<[string, unknown, RegExp]>([
    ['an unknown section', { optimiser: {} }, /^c\.json: .*"optimiser"/],
    ['an unknown key', { training: { rate: 1 } }, /^c\.json: training: .*"rate"/],
    ['an unknown key of the model', { model: { ...settings.sequence, width: 1 } }, /^c\.json: .*"width"/],
    [
      'a value of another kind',
      { training: { epochs: '10' } },
      /^c\.json: training\.epochs: .*expected number, received/,
    ],
    ['an impossible value', { training: { clip: -5 } }, /^c\.json: training\.clip: /],
    ['an impossible width', { model: { lstm: 7 } }, /^c\.json: lstm: /],
    ['an unknown kind', { model: { kind: 'crf' } }, /^c\.json: kind: /],
    [
      'other types',
      { model: { types: ['Gene'] } },
      /^c\.json: types: expected Gene, Chemical, Disease .*, found Gene$/,
    ],
    ['no JSON', '{"model":', /^c\.json: expected a JSON object, found/],
  ])('a config with %s', async (_, config, message) => {
    expect(await withConfig(config)).toMatch(message);
  });

  test('a config with an unknown setting says no more than that', async () => {
    expect(await withConfig({ optimiser: {} })).toBe('c.json: expected known settings only, found "optimiser"');
  });

  test('a corpus without entities', async () => {
    mkdirSync(join(folder, 'plain'));
    writeFileSync(join(folder, 'plain', 'train.tsv'), 'a\tO\nb\tO\n');
    expect(await train('--corpus', 'plain', '--encoder', encoder)).toBe(
      'plain: expected annotated entities to train on, found none',
    );
  });

  test('a missing config, corpus, encoder', async () => {
    const parts = { corpus: ['--corpus', corpus], encoder: ['--encoder', encoder] };
    expect(await train(...parts.corpus, ...parts.encoder, '--config', 'no.json')).toMatch(
      /^no\.json: cannot read: no such/,
    );
    expect(await train('--corpus', 'no', ...parts.encoder)).toMatch(/^no: expected a corpus folder, found none/);
    expect(await train(...parts.corpus, '--encoder', 'no/thing')).toMatch(/^no\/thing: [^\n]*offline/);
    expect(await train(...parts.corpus, '--from-model', 'no')).toMatch(/^no\/config\.json: cannot read: no such file/);
  });

  test('a teacher that is none, and a weight for none', async () => {
    const args = ['--corpus', corpus, '--encoder', encoder];
    expect(await train(...args, '--teacher', 'no')).toMatch(/^expected a model folder, a bundled model .*, found no$/);
    expect(await train(...args, '--teacher', encoder)).toMatch(/encoder\/config\.json: expected an ebiobert model/);
    expect(await withConfig({ training: { teacherWeight: 0.5 } })).toBe(
      'c.json: training.teacherWeight: expected teachers beside it, found 0.5 alone',
    );
    expect(await withConfig({ training: { teacherWeight: 0 } })).toMatch(/^c\.json: training\.teacherWeight: /);
  });

  test.skipIf(!existsSync(join(bundledFolder, DEFAULT_MODEL)))(
    'the bundled model as teacher of another task (skipped without it)',
    async () => {
      expect(await train('--corpus', corpus, '--encoder', encoder, '--teacher', DEFAULT_MODEL)).toMatch(
        /gene-chemical-disease: expected a teacher for word pairs of Gene, Chemical, Disease \(joint\), found one .*\(typed\)$/,
      );
    },
  );

  test('weights to go on from that were tampered with', async () => {
    mkdirSync(join(folder, 'going-on'));
    const model = await writeModel('sequence', join(folder, 'going-on/model'));
    const weights = join(model, 'model.safetensors');
    const changed = readFileSync(weights);
    changed[changed.length - 1] = (changed[changed.length - 1] ?? 0) ^ 1;
    writeFileSync(weights, changed);
    expect(await train('--corpus', corpus, '--from-model', 'going-on/model')).toMatch(
      /^going-on\/model\/model\.safetensors: expected a file with SHA-256 \w+\.\.\. .*, found \w+/,
    );
    expect(readFileSync(weights)).toEqual(changed);
    expect(readdirSync(join(folder, 'out.run'))).toEqual([]);
    rmSync(join(folder, 'out.run'), { recursive: true });
  });

  test('an encoder that is damaged', async () => {
    const damaged = join(folder, 'damaged');
    cpSync(encoder, damaged, { recursive: true });
    const weights = join(damaged, 'model.safetensors');
    writeFileSync(weights, readFileSync(weights).subarray(0, -100));
    const args = ['--corpus', corpus, '--encoder', 'damaged'];
    expect(await train(...args)).toMatch(/^damaged\/model\.safetensors: [^\n]*expected .*, found/);
    rmSync(weights);
    expect(await train(...args)).toMatch(/^damaged: expected model\.safetensors or .*, found no weights/);
  });

  test('a corpus with a malformed line', async () => {
    const folderOf = join(folder, 'malformed');
    mkdirSync(folderOf);
    const file = join(folderOf, 'train.tsv');
    writeFileSync(file, 'a\tO\nb\tI-Gene\n');
    expect(await train('--corpus', 'malformed', '--encoder', encoder)).toMatch(
      /^malformed\/train\.tsv:2: expected B-Gene/,
    );
  });

  test('an output folder of other files, and an output that is a file, are left as they are', async () => {
    const [occupied, file] = [join(folder, 'occupied'), join(folder, 'occupied.out')];
    mkdirSync(occupied);
    writeFileSync(join(occupied, 'precious.txt'), 'precious');
    writeFileSync(file, 'precious');
    const args = ['train', '--corpus', corpus, '--encoder', encoder, '--output'];
    expect(await failure([...args, occupied])).toMatch(
      /occupied: expected an empty folder or a model .* precious\.txt/,
    );
    expect(await failure([...args, file])).toMatch(/occupied\.out: expected a folder to write the model to, found a/);
    expect(readdirSync(occupied)).toEqual(['precious.txt']);
    expect(readFileSync(file, 'utf8')).toBe('precious');
    expect(readdirSync(folder).filter((name) => name.endsWith('.run'))).toEqual([]);
  });
});
