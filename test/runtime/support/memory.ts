import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const MEGABYTE = 2 ** 20;

/**
 * MiB of this process after garbage collection: resident, outside of the heap, of array buffers, on the heap. What native
 * objects hold is given back some time after they are collected, so it is waited for.
 */
export async function memory(): Promise<{ resident: number; external: number; arrays: number; heap: number }> {
  for (let round = 0; round < 2; round++) {
    collectGarbage();
    await delay(50);
  }
  const { rss, external, arrayBuffers, heapUsed } = process.memoryUsage();
  return {
    resident: rss / MEGABYTE,
    external: external / MEGABYTE,
    arrays: arrayBuffers / MEGABYTE,
    heap: heapUsed / MEGABYTE,
  };
}
