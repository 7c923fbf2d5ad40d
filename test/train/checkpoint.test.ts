import { spawn } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { InputError } from '../../src/errors.js';
import { CheckpointFolder } from '../../src/train/checkpoint.js';
import { ParameterStore, type ParameterStoreOptions } from '../../src/train/parameters.js';
import { normal } from '../../src/train/random.js';
import { saveSpecs, stateAt } from './support/checkpoint-state.js';

const saver = fileURLToPath(new URL('support/save-forever.ts', import.meta.url));

let folder: string;
let checkpoints: CheckpointFolder;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'checkpoint-'));
  checkpoints = new CheckpointFolder(path.join(folder, 'run'));
});
afterEach(() => rm(folder, { recursive: true }));

function filledStore(seed: number, options: ParameterStoreOptions = {}): ParameterStore {
  const store = new ParameterStore(saveSpecs, options);
  const regions = [
    'values',
    'firstMoments',
    'secondMoments',
    ...(options.average === true ? ['average' as const] : []),
  ] as const;
  regions.forEach((region, r) =>
    saveSpecs.forEach(({ name }, k) => {
      const view = store.view(region, name);
      view.set(normal(seed, 10 * r + k, view.length));
    }),
  );
  return store;
}

const bits = (store: ParameterStore, region: 'values' | 'firstMoments' | 'secondMoments' | 'average'): Int32Array => {
  const floats = store.region(region);
  return new Int32Array(floats.buffer, floats.byteOffset, floats.length);
};

describe('CheckpointFolder', () => {
  test('gives back every bit of values, moments, average and state', async () => {
    const store = filledStore(1, { average: true });
    await checkpoints.saveLast(store, stateAt(5));
    const restored = new ParameterStore(saveSpecs, { average: true });
    expect(await checkpoints.latest()).toBe('last');
    expect(await checkpoints.load('last', restored)).toEqual(stateAt(5));
    for (const region of ['values', 'firstMoments', 'secondMoments', 'average'] as const) {
      expect(bits(restored, region)).toEqual(bits(store, region));
    }
  });

  test('keeps the checkpoint before the last, and the best weights', async () => {
    expect(await checkpoints.latest()).toBeUndefined();
    const [older, newer] = [filledStore(1), filledStore(2)];
    await checkpoints.saveBest(older, 'values', stateAt(1));
    await checkpoints.saveLast(older, stateAt(1));
    await checkpoints.saveLast(newer, stateAt(2));
    const store = new ParameterStore(saveSpecs);
    expect((await checkpoints.load('previous', store)).step).toBe(1);
    expect(bits(store, 'values')).toEqual(bits(older, 'values'));
    expect((await checkpoints.load('last', store)).step).toBe(2);
    expect((await checkpoints.load('best', store)).step).toBe(1);
    expect(bits(store, 'values')).toEqual(bits(older, 'values'));
    expect(bits(store, 'secondMoments')).toEqual(bits(newer, 'secondMoments'));
    expect((await readdir(checkpoints.folder)).sort()).toEqual([
      'best.safetensors',
      'last.safetensors',
      'previous.safetensors',
    ]);
  });

  test('the best weights may be the average', async () => {
    const store = filledStore(3, { average: true });
    await checkpoints.saveBest(store, 'average', stateAt(9));
    const restored = new ParameterStore(saveSpecs);
    await checkpoints.load('best', restored);
    expect(bits(restored, 'values')).toEqual(bits(store, 'average'));
  });

  test('is a safetensors file: length, JSON header, tensors by name and offset', async () => {
    const store = filledStore(1);
    await checkpoints.saveLast(store, stateAt(5));
    const bytes = await readFile(checkpoints.file('last'));
    const headerLength = Number(bytes.readBigUInt64LE());
    expect(headerLength % 8).toBe(0);
    const header = JSON.parse(bytes.subarray(8, 8 + headerLength).toString()) as Record<
      string,
      { shape: number[]; data_offsets: [number, number] }
    >;
    const entry = header['secondMoments/head.bias'];
    expect(entry?.shape).toEqual([7]);
    const [start, end] = entry?.data_offsets ?? [0, 0];
    const data = bytes.subarray(8 + headerLength + start, 8 + headerLength + end);
    expect(data).toEqual(Buffer.from(store.view('secondMoments', 'head.bias').slice().buffer));
    expect(bytes.length).toBe(8 + headerLength + 3 * 4 * 30_007);
  });

  test.each<[string, (bytes: Buffer) => number, RegExp]>([
    ['a tensor', () => 50_000, /expected a checkpoint with the checksum .* it is damaged/],
    ['the state', (bytes) => bytes.indexOf('83123456') + 3, /expected a checkpoint with the checksum .* it is damaged/],
    ['the header length', () => 6, /safetensors header of at most/],
  ])('a flipped bit in %s is an error that leaves the store alone and names the one before', async (...row) => {
    const [, place, message] = row;
    const store = filledStore(1);
    await checkpoints.saveLast(store, stateAt(4));
    await checkpoints.saveLast(store, stateAt(5));
    const bytes = await readFile(checkpoints.file('last'));
    const position = place(bytes);
    bytes[position] = (bytes[position] ?? 0) ^ 1;
    await writeFile(checkpoints.file('last'), bytes);

    const untouched = filledStore(7);
    const loading = checkpoints.load('last', untouched);
    await expect(loading).rejects.toThrow(InputError);
    await expect(loading).rejects.toThrow(message);
    await expect(loading).rejects.toThrow(/the checkpoint before it is .*previous\.safetensors/);
    expect(bits(untouched, 'values')).toEqual(bits(filledStore(7), 'values'));
    expect((await checkpoints.load('previous', untouched)).step).toBe(4);
  });

  test.each([0, 5, 100, 5000, 360_000])('a file cut to %i bytes is an error', async (length) => {
    const store = filledStore(1);
    await checkpoints.saveLast(store, stateAt(4));
    await truncate(checkpoints.file('last'), length);
    await expect(checkpoints.load('last', store)).rejects.toThrow(InputError);
  });

  test('a missing, foreign or other model’s checkpoint is an error that says so', async () => {
    const store = filledStore(1);
    await expect(checkpoints.load('last', store)).rejects.toThrow(
      /last\.safetensors: cannot read: no such file or folder/,
    );
    await checkpoints.saveLast(store, stateAt(4));
    const [first, second] = saveSpecs;
    if (first === undefined || second === undefined) throw new Error('there are two specs');
    const reshaped = new ParameterStore([{ ...first, shape: [100, 300] }, second]);
    await expect(checkpoints.load('last', reshaped)).rejects.toThrow(
      /expected '.*\/encoder.weight' to be F32 \[100, 300\], found F32 \[300, 100\]/,
    );
    await expect(checkpoints.load('last', new ParameterStore([first]))).rejects.toThrow(
      /unknown tensor '.*\/head.bias'/,
    );
    const averaging = new ParameterStore(saveSpecs, { average: true });
    await expect(checkpoints.load('last', averaging)).rejects.toThrow(/found no 'average\/encoder.weight'/);
    await writeFile(checkpoints.file('last'), 'GIF89a and so on, long enough');
    await expect(checkpoints.load('last', store)).rejects.toThrow(/expected a safetensors header/);
  });

  test('a folder that cannot be made is an error', async () => {
    await writeFile(path.join(folder, 'occupied'), '');
    const inFile = new CheckpointFolder(path.join(folder, 'occupied', 'run'));
    await expect(inFile.saveLast(filledStore(1), stateAt(1))).rejects.toThrow(/cannot make the checkpoint folder/);
  });
});

function startSaver(shellPrefix: string, ...args: string[]) {
  const command = `${shellPrefix} exec "${process.execPath}" --import tsx "${saver}" ${args.map((arg) => `"${arg}"`).join(' ')}`;
  return spawn('bash', ['-c', command], { stdio: ['ignore', 'pipe', 'pipe'] });
}

describe.skipIf(process.platform === 'win32')('a run that is cut off', () => {
  test('kill -9 at any moment of saving leaves a whole checkpoint', async () => {
    for (let round = 0; round < 4; round++) {
      const child = startSaver('', checkpoints.folder);
      await new Promise((resolve) => child.stdout.once('data', resolve));
      await delay(3 + 7 * round);
      child.kill('SIGKILL');
      await new Promise((resolve) => child.once('close', resolve));

      const name = await checkpoints.latest();
      if (name === undefined) throw new Error('expected a checkpoint');
      const store = new ParameterStore(saveSpecs);
      const { step } = await checkpoints.load(name, store);
      expect(step).toBeGreaterThan(0);
      expect(store.value('encoder.weight').every((x) => x === step)).toBe(true);
      expect(store.value('head.bias').every((x) => x === step)).toBe(true);
    }
  });

  test('a disk without room is an error in one line, and the last checkpoint is intact', async () => {
    await checkpoints.saveLast(filledStore(1), stateAt(3));
    const child = startSaver('ulimit -f 100;', checkpoints.folder, '1'); // 50 to 100 KiB a file, as a full disk
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect(code).toBe(1);
    expect(errors).toMatch(/InputError: .*next\.safetensors: cannot write: the file would be larger than allowed/);
    expect(await readdir(checkpoints.folder)).toEqual(['last.safetensors']);
    const store = new ParameterStore(saveSpecs);
    expect((await checkpoints.load('last', store)).step).toBe(3);
    expect(bits(store, 'values')).toEqual(bits(filledStore(1), 'values'));
  });
});
