import { readFile, unlink, writeFile } from 'node:fs/promises';
import { InputError } from '../errors.js';
import { isRunning } from '../weights/atomic.js';
import { attempt, errorCode } from '../weights/index.js';

export interface Lock {
  release(): Promise<void>;
}

/**
 * Takes a lock file that holds the number of this process; one left by a process that is gone is taken over.
 * @throws InputError when another process has it
 */
export async function takeLock(file: string): Promise<Lock> {
  const take = (flag: 'wx' | 'w'): Promise<void> => writeFile(file, String(process.pid), { flag });
  try {
    await take('wx');
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') return attempt(file, 'write', Promise.reject(error as Error));
    const owner = Number(await readFile(file, 'utf8').catch(() => ''));
    if (owner > 0 && owner !== process.pid && isRunning(owner)) {
      throw new InputError(`expected a run that no other process is at, found process ${owner}`, { file });
    }
    await attempt(file, 'write', take('w'));
  }
  return {
    async release() {
      await unlink(file).catch(() => undefined);
    },
  };
}
