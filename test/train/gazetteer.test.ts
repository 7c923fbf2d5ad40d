import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadTagger, Tagger } from '../../src/node.js';
import { nodeRuntime } from '../../src/runtime/node.js';
import { runTraining, type RunOptions } from '../../src/train/index.js';
import { averageModels, readModelFolder } from '../../src/weights/index.js';
import { ebiobert, jsonLines, temporaryFolder } from '../cli/support/run.js';
import { settings, writeEncoder } from '../cli/support/tiny.js';

const root = temporaryFolder();
const [corpus, encoder, namesFile] = [join(root, 'corpus'), join(root, 'encoder'), join(root, 'names.tsv')];

/** Names that no vocabulary has: a piece each, the unknown one. */
const names = Array.from({ length: 24 }, (_, k) => ({ name: `qx${k}zv`, type: k % 2 === 0 ? 'Gene' : 'Chemical' }));
const [seen, unseen] = [names.slice(0, 14), names.slice(14)];

const model = { ...settings.sequence, prefix: 0, guidance: null };
const training = { epochs: 12, batchSentences: 7, encoderRate: 0.01, headRate: 0.02, weightDecay: 0 };

async function train(output: string, options: Partial<RunOptions> = {}): Promise<string> {
  const folder = join(root, output);
  const config = { model, training };
  const from = options.fromModel === undefined ? { encoder, gazetteer: namesFile } : {};
  await runTraining({ corpora: [corpus], ...from, output: folder, threads: 1, config, ...options }, nodeRuntime);
  return folder;
}

/** What a model finds of the names that were not in its corpus. */
async function found(folder: string): Promise<(string | undefined)[]> {
  const tagger = await loadTagger(folder, { threads: 1 });
  const texts = unseen.map(({ name }) => `${name} in mice .`);
  const entities = await tagger.tagBatch(texts, { discourse: false });
  await tagger.dispose();
  return entities.map(([first]) => first?.type);
}

const types = unseen.map(({ type }) => type);

let marked = '';
beforeAll(async () => {
  await writeEncoder(encoder);
  mkdirSync(corpus);
  const sentence = ({ name, type }: (typeof names)[number]): string => `${name}\tB-${type}\nin\tO\nmice\tO\n.\tO\n\n`;
  writeFileSync(join(corpus, 'train.tsv'), seen.map(sentence).join('').repeat(4));
  writeFileSync(namesFile, `# class, name\n${names.map(({ name, type }) => `${type}\t${name}\n`).join('')}`);
  marked = await train('marked');
}, 60_000);

describe('a model with a gazetteer', () => {
  test('tells names apart that its encoder does not know, as one without cannot', async () => {
    expect(await found(marked)).toEqual(types);
    const plain = join(root, 'plain');
    await runTraining(
      { corpora: [corpus], encoder, output: plain, threads: 1, config: { model, training } },
      nodeRuntime,
    );
    expect(await found(plain)).not.toEqual(types);
    expect(existsSync(join(plain, 'gazetteer.bin'))).toBe(false);
  });

  test('says in its config what its classes are, and has their names in its folder', async () => {
    const { config, gazetteer } = await readModelFolder(marked);
    expect(config.model.gazetteer).toEqual(['Gene', 'Chemical']);
    expect(config.training).toMatchObject({ gazetteer: namesFile });
    expect(Object.keys(config.files)).toContain('gazetteer.bin');
    expect(gazetteer?.sizes).toEqual([12, 12]);
  });

  test('shows in an inspection which names it saw', async () => {
    const tagger = await loadTagger(marked, { threads: 1 });
    const [sentence] = await tagger.inspect(`${unseen[0]?.name ?? ''} in mice .`);
    await tagger.dispose();
    expect(sentence?.names).toEqual([{ class: unseen[0]?.type, start: 0, end: 1 }]);
  });

  test('is gone on from with its names, by a model of the other kind too', async () => {
    const pairs = { ...settings['word-pair'], kind: 'word-pair', prefix: 0, guidance: null };
    const grid = await train('pairs', {
      fromModel: marked,
      config: { model: pairs, training: { ...training, epochs: 40, encoderRate: 0.002 } },
    });
    expect((await readModelFolder(grid)).config.model).toMatchObject({
      kind: 'word-pair',
      gazetteer: ['Gene', 'Chemical'],
    });
    expect(await found(grid)).toEqual(types);
  });

  test('may have a mean, and teach, with the same names', async () => {
    const again = await train('again', { fromModel: marked, config: { training: { ...training, epochs: 1 } } });
    const mean = join(root, 'mean');
    await averageModels([marked, again], mean);
    expect(await found(mean)).toEqual(types);
    const student = await train('student', {
      teachers: [marked],
      config: { model, training: { ...training, epochs: 1 } },
    });
    expect((await readModelFolder(student)).config.training).toMatchObject({ teachers: [marked] });
  });
});

describe('refused', () => {
  const others = join(root, 'others.tsv');
  beforeAll(() => {
    writeFileSync(others, 'Gene\tp53\nChemical\taspirin\n');
  });

  test('other names for a run that is resumed, a teacher or a mean', async () => {
    await expect(train('marked', { gazetteer: others, resume: true })).rejects.toThrow(
      'expected the config, corpora, gazetteer and teachers of the run that is resumed',
    );
    await expect(train('never', { gazetteer: others, teachers: [marked] })).rejects.toThrow(
      "marked: expected a teacher with the student's gazetteer, or none, found another",
    );
    const other = await train('other', { gazetteer: others, config: { model, training: { ...training, epochs: 1 } } });
    await expect(averageModels([marked, other], join(root, 'never'))).rejects.toThrow(
      `other/gazetteer.bin: expected the gazetteer of ${marked}, found another`,
    );
  });

  test.each([
    ['a name without a class', 'p53\n', 'names.tsv:1: expected a class, a name'],
    ['no names', '# none\n', 'names.tsv: expected names of one to 7 classes, found 0'],
    ['bytes that are no UTF-8', Buffer.from([0x47, 0x09, 0xff, 0x0a]), 'names.tsv:1: '],
  ])('%s', async (_, text, message) => {
    const folder = join(root, 'faulty');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'names.tsv'), text);
    const args = ['train', '--corpus', corpus, '--encoder', encoder, '--output', join(root, 'never')];
    const { status, stderr } = await ebiobert([...args, '--gazetteer', join(folder, 'names.tsv')]);
    expect({ status, lines: stderr.trimEnd().split('\n').length }).toEqual({ status: 1, lines: 1 });
    expect(stderr).toContain(message);
    rmSync(folder, { recursive: true });
  });

  test('classes in the config that the names do not have, and names without an encoder', async () => {
    const config = (changes: object): unknown => ({ model: { ...model, ...changes }, training });
    await expect(train('never', { config: config({ gazetteer: ['Disease'] }) })).rejects.toThrow(
      'gazetteer: expected Gene, Chemical as in the names, found Disease',
    );
    const options = { corpora: [corpus], output: join(root, 'never'), gazetteer: namesFile };
    await expect(runTraining({ ...options, config: config({ encoder: null }) }, nodeRuntime)).rejects.toThrow(
      'gazetteer: expected no names (--gazetteer) without an encoder, found some',
    );
  });

  test.each([
    ['missing', undefined, 'gazetteer.bin: cannot read'],
    ['changed', 'Gene', 'gazetteer.bin: expected a file with SHA-256'],
  ])('a model folder whose names are %s', async (name, text, message) => {
    const copy = join(root, name);
    cpSync(marked, copy, { recursive: true });
    const file = join(copy, 'gazetteer.bin');
    if (text === undefined) rmSync(file);
    else writeFileSync(file, text);
    const { status, stderr } = await ebiobert(['tag', '--model', copy], { input: 'p53' });
    expect(status).toBe(1);
    expect(stderr).toContain(message);
  });

  test('names beside a model to go on from, which has its own', async () => {
    await expect(train('never', { fromModel: marked, gazetteer: namesFile })).rejects.toThrow(
      'expected a gazetteer or a model to go on from, which has its own names, found both',
    );
    const call = 'train --corpus corpus --from-model marked --gazetteer names.tsv --output never';
    const { status, stderr } = await ebiobert(call.split(' '), { cwd: root });
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: 'ebiobert: expected either --gazetteer or --from-model, which has its own names, found both\n',
    });
  });

  test('a model without its names, before its graph is loaded', async () => {
    const { config, tokenizer } = await readModelFolder(marked);
    const model = { config: config.model, tokenizer, flat: true, graph: new Uint8Array(0) };
    await expect(Tagger.create(model, nodeRuntime)).rejects.toThrow(
      'expected a gazetteer of Gene, Chemical, found none',
    );
  });

  test('nothing was written for any of them', () => {
    expect(existsSync(join(root, 'never.run'))).toBe(false);
    expect(existsSync(join(root, 'never'))).toBe(false);
  });
});

test('the command marks names, and tags with them', async () => {
  writeFileSync(join(root, 'config.json'), JSON.stringify({ model, training }));
  const call =
    'train --corpus corpus --encoder encoder --gazetteer names.tsv --config config.json --threads 1 --output own';
  const { status, stdout, stderr } = await ebiobert(call.split(' '), { cwd: root });
  expect({ status, stdout }).toEqual({ status: 0, stdout: 'own\n' });
  expect(stderr).toContain('names: 12 Gene, 12 Chemical\n');
  expect(readFileSync(join(root, 'own/README.md'), 'utf8')).toContain('--gazetteer names.tsv');
  const tagged = await ebiobert(['tag', '--model', join(root, 'own'), '--no-discourse'], {
    input: `${unseen[0]?.name ?? ''} in mice .`,
  });
  expect(JSON.stringify(jsonLines(tagged.stdout)[0])).toContain(`"type":"${unseen[0]?.type ?? ''}"`);
});
