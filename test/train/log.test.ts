import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { InputError } from '../../src/errors.js';
import { TrainingLog } from '../../src/train/log.js';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'log-'));
  file = path.join(folder, 'log.jsonl');
});
afterEach(() => rm(folder, { recursive: true }));

const records = async (): Promise<unknown[]> =>
  (await readFile(file, 'utf8'))
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as unknown);

test('resuming cuts off what came after the checkpoint, a half-written line too', async () => {
  const first = await TrainingLog.open(file);
  await first.append({ epoch: 1, note: 'Ménière' });
  const kept = first.bytes;
  await first.append({ epoch: 2 });
  await first.close();
  await writeFile(file, '{"epoch": 3, "los', { flag: 'a' });

  const second = await TrainingLog.open(file, kept);
  expect(second.bytes).toBe(kept);
  await second.append({ epoch: 2, again: true });
  await second.close();
  expect(await records()).toEqual([
    { epoch: 1, note: 'Ménière' },
    { epoch: 2, again: true },
  ]);
});

test('a new run begins an empty log', async () => {
  await writeFile(file, 'old\n');
  await (await TrainingLog.open(file)).close();
  expect(await records()).toEqual([]);
});

test('a log that does not fit the checkpoint is refused and left alone', async () => {
  await writeFile(file, '{"epoch":1}\n');
  await expect(TrainingLog.open(file, 100)).rejects.toThrow(
    /log.jsonl: expected the log of .* 100 bytes or more, found 12/,
  );
  await expect(TrainingLog.open(file, 5)).rejects.toThrow(/line of the log to end at byte 5/);
  expect(await records()).toEqual([{ epoch: 1 }]);
  await expect(TrainingLog.open(path.join(folder, 'absent', 'log.jsonl'))).rejects.toThrow(InputError);
});
