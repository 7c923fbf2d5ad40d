import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadTagger } from '../../src/node.js';
import { nodeRuntime } from '../../src/runtime/node.js';
import { runTraining, type RunOptions } from '../../src/train/index.js';
import { readModelFolder, readModelWeights } from '../../src/weights/index.js';
import { ebiobert, temporaryFolder } from '../cli/support/run.js';
import { FOUND, iobText, SAMPLE, settings, writeCorpus, writeEncoder } from '../cli/support/tiny.js';

const root = temporaryFolder();
const [encoder, labelled, unlabelled] = [join(root, 'encoder'), join(root, 'labelled'), join(root, 'unlabelled')];

/** Trains on a corpus with tiny settings, by teachers or without. */
async function train(
  output: string,
  corpus: string,
  options: Partial<RunOptions> & { model?: object; training?: object } = {},
): Promise<string> {
  const { model, training, ...others } = options;
  const config = {
    model: { ...settings.sequence, prefix: 0, guidance: null, ...model },
    training: { epochs: 12, batchSentences: 6, encoderRate: 0.01, headRate: 0.02, weightDecay: 0, ...training },
  };
  const folder = join(root, output);
  await runTraining({ corpora: [corpus], encoder, output: folder, threads: 1, config, ...others }, nodeRuntime);
  return folder;
}

async function found(model: string): Promise<string[]> {
  const tagger = await loadTagger(model, { threads: 1 });
  const entities = await tagger.tag(SAMPLE, { discourse: false });
  await tagger.dispose();
  return entities.map(({ type, spans }) => `${type} ${SAMPLE.slice(spans[0].start, spans.at(-1)?.end)}`).sort();
}

/** The corpus without its annotations, but for its first sentences, which name the types. */
async function writeUnlabelled(): Promise<void> {
  await writeCorpus(unlabelled, false);
  const plain = iobText(3)
    .repeat(6)
    .replace(/\t[BI]-\w+/g, '\tO');
  await writeFile(join(unlabelled, 'train.tsv'), iobText(0, 3) + plain);
}

let softmax: string;
let field: string;
beforeAll(async () => {
  await writeEncoder(encoder);
  await writeCorpus(labelled, false);
  await writeUnlabelled();
  softmax = await train('softmax', labelled);
  field = await train('field', labelled, { model: { crf: true } });
});

describe('a student', () => {
  test.each([
    ['softmax', {}],
    ['random field', { crf: true }],
  ])('(%s) finds what its teachers find, although its corpus says nothing of it', async (name, model) => {
    const alone = await train(`${name}-alone`, unlabelled, { model });
    expect(await found(alone)).not.toEqual([...FOUND].sort());
    const training = { teacherWeight: 1 };
    const taught = await train(`${name}-taught`, unlabelled, { model, training, teachers: [softmax, field] });
    expect(await found(taught)).toEqual([...FOUND].sort());
    expect((await readModelFolder(taught)).config.training).toMatchObject({ teachers: [softmax, field] });
  });

  test('of word pairs learns from a model of word pairs', async () => {
    const model = settings['word-pair'];
    const teacher = await train('pairs', labelled, { model: { ...model, kind: 'word-pair' } });
    const training = { epochs: 20, teacherWeight: 1 };
    const taught = await train('pairs-taught', unlabelled, {
      model: { ...model, kind: 'word-pair' },
      training,
      teachers: [teacher],
    });
    expect(await found(taught)).toEqual([...FOUND].sort());
  });

  test('goes on where it stopped, with the same teachers only', async () => {
    const options = { training: { epochs: 2 }, teachers: [softmax] };
    const whole = await train('whole', labelled, options);
    const stopped = AbortSignal.abort(new Error('stopped'));
    await expect(train('parts', labelled, { ...options, signal: stopped })).rejects.toThrow('stopped');
    await expect(train('parts', labelled, { ...options, teachers: [field], resume: true })).rejects.toThrow(
      'expected the config, corpora, gazetteer and teachers of the run that is resumed',
    );
    const parts = await train('parts', labelled, { ...options, resume: true });
    expect(await readModelWeights(parts)).toEqual(await readModelWeights(whole));
  });
});

test('the command names its teachers in the card, and one that has seen devel', async () => {
  const seen = join(root, 'seen');
  await writeCorpus(seen, true);
  await train('seen-teacher', seen, { training: { epochs: 1 }, mergeDevel: true });
  const config = { model: { ...settings.sequence, prefix: 0, guidance: null } };
  await writeFile(join(root, 'student.json'), JSON.stringify(config));
  const call = 'train --corpus seen --encoder encoder --config student.json --epochs 1 --threads 1 --output student';
  const args = [...call.split(' '), '--teacher', 'softmax', 'seen-teacher'];
  const { status, stderr, stdout } = await ebiobert(args, { cwd: root });
  expect({ status, stdout }).toEqual({ status: 0, stdout: 'student\n' });
  expect(stderr).toContain('seen-teacher was trained on devel splits: the scores on devel say too much\n');
  expect(stderr).not.toContain('softmax was trained on devel');
  expect(await readFile(join(root, 'student/README.md'), 'utf8')).toContain('Teachers: softmax, seen-teacher.');
});

describe('a teacher that is refused', () => {
  test.each([
    [
      'of word pairs',
      { kind: 'word-pair' },
      'expected a teacher for word pairs of Gene, Chemical, Disease (joint), found one for BIO labels',
    ],
    [
      'with other labels',
      { scheme: 'BIOES' },
      'expected a teacher for BIOES labels of Gene, Chemical, Disease (joint), found one for BIO labels',
    ],
    [
      'for other heads',
      { labels: 'typed' },
      'expected a teacher for BIO labels of Gene, Chemical, Disease (typed), found one for BIO labels of Gene, Chemical, Disease (joint)',
    ],
  ])('a student %s', async (_, model, message) => {
    await expect(train('never', labelled, { model, teachers: [softmax] })).rejects.toThrow(message);
  });

  test('spelling features that the student lacks', async () => {
    const spelling = await train('spelling', labelled, { model: { characters: {} }, training: { epochs: 1 } });
    await expect(train('never', labelled, { teachers: [spelling] })).rejects.toThrow(
      'expected a teacher without spelling features as the student, found one of 20',
    );
  });

  test.each([
    ['context', { context: 20 }, {}, "expected a teacher with the student's context of 20 pieces, found 0"],
    [
      'windows',
      {},
      { encoderLimit: true },
      'expected a teacher that reads windows of 200 pieces ("maxPieces"), found one for 64',
    ],
  ])('other %s', async (_, model, { encoderLimit = false }: { encoderLimit?: boolean }, message) => {
    const file = join(encoder, 'config.json');
    const before = await readFile(file, 'utf8');
    if (encoderLimit)
      await writeFile(file, before.replace('"max_position_embeddings":64', '"max_position_embeddings":512'));
    try {
      await expect(train('never', labelled, { model, teachers: [softmax] })).rejects.toThrow(message);
    } finally {
      await writeFile(file, before);
    }
  });

  test('a graph that was tampered with', async () => {
    const copy = join(root, 'tampered');
    await cp(softmax, copy, { recursive: true });
    await writeFile(join(copy, 'onnx/model_quantized.onnx'), 'graph');
    await expect(train('never', labelled, { teachers: [softmax, copy] })).rejects.toThrow(
      /onnx\/model_quantized\.onnx: expected a file with SHA-256/,
    );
  });

  test('none at all', async () => {
    await expect(train('never', labelled, { teachers: [] })).rejects.toThrow('expected teachers, found none');
  });

  test('other word pieces', async () => {
    const vocabulary = join(encoder, 'vocab.txt');
    const before = await readFile(vocabulary, 'utf8');
    await writeFile(vocabulary, before.replace('asthma', 'ASTHMA'));
    try {
      await expect(train('never', labelled, { teachers: [softmax] })).rejects.toThrow(
        "expected a teacher with the student's word pieces, found others",
      );
    } finally {
      await writeFile(vocabulary, before);
    }
  });

  test('nothing was written for any of them', async () => {
    await expect(rm(join(root, 'never.run'), { recursive: true })).rejects.toThrow('ENOENT');
  });
});
