import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { readSafetensors } from '../../src/weights/index.js';
import { ebiobert, jsonLines, main, start, temporaryFolder } from '../cli/support/run.js';
import { settings, writeCorpus, writeEncoder } from '../cli/support/tiny.js';

const often = fileURLToPath(new URL('support/train-often.mjs', import.meta.url));

/** Everything that a run keeps state of: dropout, moments, accumulated gradients, averaged weights, the best epoch. */
const config = {
  model: { ...settings['word-pair'], featureDropout: 0.1, gridDropout: 0.1, mlpDropout: 0.1, noneBias: 2 },
  training: {
    epochs: 6,
    batchSentences: 4,
    accumulate: 2,
    headRate: 0.03,
    encoderRate: 0.02,
    average: { kind: 'moving', decay: 0.5, every: 2 },
  },
};

const root = temporaryFolder();
const args = 'train --corpus ../tiny --encoder ../encoder --config ../config.json --output model --threads 1'.split(
  ' ',
);
const resume = [...args, '--resume'];

beforeAll(async () => {
  await writeCorpus(join(root, 'tiny'), true);
  await writeEncoder(join(root, 'encoder'));
  await writeFile(join(root, 'config.json'), JSON.stringify(config));
  const reference = await ebiobert(args, { cwd: await runFolder('reference') });
  expect(reference).toMatchObject({ status: 0, stdout: 'model\n' });
}, 60_000);

async function runFolder(name: string): Promise<string> {
  const folder = join(root, name);
  await mkdir(folder);
  return folder;
}

/** Waits until the process says something that matches, or ends; returns all it said. */
async function said(child: ChildProcess, what: RegExp): Promise<string> {
  let text = '';
  await new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    child.stderr?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (what.test(text)) resolve();
    });
  });
  return text;
}

const closed = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve) => {
    if (child.exitCode === null && child.signalCode === null) child.once('close', resolve);
    else resolve(child.exitCode);
  });

/** Kills a run some time after `when`; whether it was still running. */
async function killed(child: ChildProcess, when: RegExp, milliseconds: number): Promise<boolean> {
  await said(child, when);
  await delay(milliseconds);
  child.kill('SIGKILL');
  return (await closed(child)) === null;
}

/** The tensors of a checkpoint by digest, and its state without the length of the log, which holds times. */
async function checkpointContent(folder: string) {
  const { tensors, metadata } = await readSafetensors(join(folder, 'model.run/last.safetensors'));
  const { logBytes, ...state } = JSON.parse(metadata.get('state') ?? '{}') as Record<string, unknown>;
  expect(logBytes).toBeGreaterThan(0);
  const bits = [...tensors].map(([name, { data }]) => {
    return [name, digest(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))];
  });
  return { state, bits };
}

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Whether a run ended with the bits of the one that was not interrupted: the model folder, the checkpoint, the log. */
async function expectReference(folder: string): Promise<void> {
  const reference = join(root, 'reference');
  for (const file of [
    'model.safetensors',
    'onnx/model.onnx',
    'onnx/model_quantized.onnx',
    'tokenizer.json',
    'config.json',
    'README.md',
  ]) {
    const [expected, found] = [join(reference, 'model', file), join(folder, 'model', file)];
    expect([file, digest(await readFile(found))]).toEqual([file, digest(await readFile(expected))]);
  }
  expect(await checkpointContent(folder)).toEqual(await checkpointContent(reference));
  expect(await epochs(folder)).toEqual(await epochs(reference));
}

/** The log's records of epochs, without times. */
async function epochs(folder: string): Promise<Record<string, unknown>[]> {
  const [, ...records] = jsonLines(await readFile(join(folder, 'model.run/log.jsonl'), 'utf8'));
  expect(records.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4, 5, 6]);
  return records.map((record) => ({ ...record, seconds: null }));
}

describe('a run that is killed and resumed ends with the same bits', () => {
  test('the uninterrupted run learns, and its best epoch is not its last', async () => {
    const records = await epochs(join(root, 'reference'));
    const scores = records.map(({ score }) => Number(score));
    expect(Math.max(...scores)).toBeGreaterThan(scores[0] ?? 1);
    expect(scores.indexOf(Math.max(...scores))).toBeLessThan(5);
  });

  test('kill -9 at random moments', async () => {
    const folder = await runFolder('killed');
    const moments: number[] = [];
    for (const from of [/^/, /parameters/, /^epoch 1/m]) {
      moments.push(Math.round(Math.random() * 400));
      await killed(start(resume, { cwd: folder }), from, moments.at(-1) ?? 0);
    }
    const { status, stderr } = await ebiobert(resume, { cwd: folder });
    expect({ status, moments }).toEqual({ status: 0, moments });
    expect(stderr).toMatch(/resumed after epoch \d/);
    await expectReference(folder);
  });

  test('kill -9 within epochs, between a checkpoint of one batch and that of the next', async () => {
    const folder = await runFolder('often');
    let kills = 0;
    for (const batches of [3, 25]) {
      const child = spawn(process.execPath, [often, '../config.json'], { cwd: folder, stdio: 'pipe' });
      kills += Number(await killed(child, new RegExp(`\\.{${batches}}`), Math.random() * 30));
    }
    expect(kills).toBe(2);
    const { status, stderr } = await ebiobert(resume, { cwd: folder });
    expect(status).toBe(0);
    expect(stderr).toMatch(/resumed after epoch \d, batch [1-9]/);
    await expectReference(folder);
  });

  test('kill -9 after the last epoch, while the model folder is written', async () => {
    const folder = await runFolder('written');
    const moments: number[] = [];
    for (const most of [30, 150]) {
      moments.push(Math.round(Math.random() * most));
      await killed(start(resume, { cwd: folder }), /^epoch 6|resumed after epoch 6/m, moments.at(-1) ?? 0);
    }
    const { status, stderr } = await ebiobert(resume, { cwd: folder });
    expect({ status, moments }).toEqual({ status: 0, moments });
    expect(stderr).toMatch(/resumed after epoch 6/);
    await expectReference(folder);
    expect((await readdir(folder)).sort()).toEqual(['model', 'model.run']);
  });

  test('an interrupted run saves where it stands and says so by its status', async () => {
    const folder = await runFolder('interrupted');
    const child = start(args, { cwd: folder });
    const text = said(child, /^$/);
    await said(child, /^epoch 2/m);
    child.kill('SIGINT');
    expect(await closed(child)).toBe(130);
    expect(await text).toMatch(/\nebiobert: [^\n]*abort[^\n]*\n$/);
    expect((await ebiobert(resume, { cwd: folder })).status).toBe(0);
    await expectReference(folder);
  });
});

describe('a run that cannot go on', () => {
  test('is not started over by accident, nor resumed with other settings', async () => {
    const folder = await runFolder('again');
    await cp(join(root, 'reference'), folder, { recursive: true });
    const again = await ebiobert(args, { cwd: folder });
    expect(again.status).toBe(2);
    expect(again.stderr).toMatch(
      /^ebiobert: expected no earlier run in model\.run, found one: go on with --resume[^\n]*\n$/,
    );
    const other = await ebiobert([...resume, '--seed', '5'], { cwd: folder });
    expect(other.status).toBe(1);
    expect(other.stderr).toMatch(
      /^ebiobert: model\.run: expected the config, corpora, gazetteer and teachers of the run [^\n]*\n$/,
    );
    await expectReference(folder);
  });

  test('a damaged checkpoint is named with the one before it, from which the run ends with the same bits', async () => {
    const folder = await runFolder('damaged');
    await cp(join(root, 'reference/model.run'), join(folder, 'model.run'), { recursive: true });
    const last = join(folder, 'model.run/last.safetensors');
    const bytes = await readFile(last);
    bytes[bytes.length - 9] = (bytes.at(-9) ?? 0) ^ 4;
    await writeFile(last, bytes);
    const { status, stderr } = await ebiobert(resume, { cwd: folder });
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^ebiobert: model\.run\/last\.safetensors: expected a checkpoint with the checksum [^\n]*\n$/,
    );
    expect(stderr).toContain('the checkpoint before it is model.run/previous.safetensors');
    expect(await readFile(last)).toEqual(bytes);
    await rm(last);
    expect((await ebiobert(resume, { cwd: folder })).status).toBe(0);
    await expectReference(folder);
  });

  test.skipIf(process.platform === 'win32')(
    'a full disk is one clear error and leaves the last checkpoint',
    async () => {
      const folder = await runFolder('full');
      const first = start(args, { cwd: folder });
      await killed(first, /^epoch 2/m, 0);
      const files = await contents(join(folder, 'model.run'));
      // No file beyond 16 KiB (bash counts 1024 bytes), and the write fails as on a full disk instead of ending the process.
      const limited = spawn(
        'bash',
        ['-c', `trap '' XFSZ; ulimit -f 16; exec "$@"`, 'bash', process.execPath, main, ...resume],
        {
          cwd: folder,
          stdio: 'pipe',
        },
      );
      const errors = said(limited, /^$/);
      expect(await closed(limited)).toBe(1);
      expect((await errors).split('\n').filter((line) => line.startsWith('ebiobert:'))).toEqual([
        expect.stringMatching(/^ebiobert: model\.run\/\w+\.safetensors: cannot write: .*$/),
      ]);
      const after = await contents(join(folder, 'model.run'));
      expect([...after.keys()]).toEqual([...files.keys()]);
      expect(after.get('last.safetensors')).toBe(files.get('last.safetensors'));
      expect((await ebiobert(resume, { cwd: folder })).status).toBe(0);
      await expectReference(folder);
    },
  );

  test('a place that cannot be written is an error before any work', async () => {
    await writeFile(join(root, 'file'), '');
    const output = ['--output', '../file/model'];
    const { status, stderr } = await ebiobert([...args, ...output], { cwd: join(root, 'reference') });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^ebiobert: \.\.\/file\/model\.run: cannot write: [^\n]*\n$/);
  });
});

async function contents(folder: string): Promise<Map<string, string>> {
  const names = (await readdir(folder)).sort();
  return new Map(
    await Promise.all(names.map(async (name) => [name, digest(await readFile(join(folder, name)))] as const)),
  );
}
