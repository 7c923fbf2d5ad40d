const MULTIPLIER_LOW = 0xd193;
const MULTIPLIER_HIGH = 0xd256;
const WEYL = 0x9e3779b9;
const ROUNDS = 10;

/**
 * Random numbers as a pure function: Philox2x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy
 * as 1, 2, 3", SC 2011), so that the same seed gives the same numbers on every machine. Numbers are unsigned 32-bit.
 */
export function philox2x32(counter: readonly [number, number], key: number): [number, number] {
  let [low, high] = counter;
  for (let round = 0; round < ROUNDS; round++) {
    const [a0, a1] = [low & 0xffff, low >>> 16];
    const product = a0 * MULTIPLIER_LOW;
    const middle = a1 * MULTIPLIER_LOW + (product >>> 16);
    const other = a0 * MULTIPLIER_HIGH + (middle % 0x10000);
    const upper = a1 * MULTIPLIER_HIGH + Math.floor(middle / 0x10000) + Math.floor(other / 0x10000);
    low = (upper ^ key ^ high) >>> 0;
    high = ((other << 16) | (product & 0xffff)) >>> 0;
    key = (key + WEYL) >>> 0;
  }
  return [low, high];
}

/**
 * Random numbers in [0, 1), one for each of `count` places of a row of an endless table that the seed stands for.
 * @throws RangeError for a seed that is no unsigned 32-bit integer
 */
export function* uniforms(seed: number, row: number, count: number): Generator<number> {
  if (!Number.isInteger(seed) || seed < 0 || seed > 0xffffffff) {
    throw new RangeError(`expected a seed from 0 to 4294967295, found ${seed}`);
  }
  for (let k = 0; k < count; k += 2) {
    const [a, b] = philox2x32([k >>> 1, row], seed);
    yield a / 2 ** 32;
    if (k + 1 < count) yield b / 2 ** 32;
  }
}
