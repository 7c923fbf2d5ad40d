import { UsageError } from '../errors.js';
import {
  MASK_GROUP,
  type MaskKernels,
  PHILOX_M0,
  PHILOX_M1,
  PHILOX_ROUNDS,
  PHILOX_W0,
  PHILOX_W1,
  maskKernels,
} from './kernels/philox-kernel.js';
import { inverseNormal } from './inverse-normal.js';

/**
 * Randomness as a pure function: Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as
 * 1, 2, 3. SC 2011) maps a 64-bit key, the seed, and a 128-bit counter (block, index1, index2, purpose) to four
 * 32-bit words. There is no state to save, and the same arguments give the same numbers on every machine.
 */
const PURPOSE = { dropout: 1, shuffle: 2, normal: 3, uniform: 4 } as const;

export type Words = [number, number, number, number];

/** The four random words of one counter under one key; all numbers are unsigned 32-bit. */
export function philox4x32(counter: Readonly<Words>, key: readonly [number, number]): Words {
  let [x0, x1, x2, x3] = counter;
  let [key0, key1] = key;
  for (let round = 0; round < PHILOX_ROUNDS; round++) {
    const high0 = multiplyHigh(PHILOX_M0, x0);
    const low0 = Math.imul(PHILOX_M0, x0);
    const high1 = multiplyHigh(PHILOX_M1, x2);
    const low1 = Math.imul(PHILOX_M1, x2);
    x0 = high1 ^ x1 ^ key0;
    x1 = low1;
    x2 = high0 ^ x3 ^ key1;
    x3 = low0;
    key0 = (key0 + PHILOX_W0) | 0;
    key1 = (key1 + PHILOX_W1) | 0;
  }
  return [x0 >>> 0, x1 >>> 0, x2 >>> 0, x3 >>> 0];
}

/** The upper 32 bits of the 64-bit product of two unsigned 32-bit integers. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const middleLow = (middle & 0xffff) + aLow * bHigh;
  return aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(middleLow / 0x10000);
}

function keyOf(seed: number): [number, number] {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new UsageError(`expected a seed that is a whole number from 0 to 2^53 - 1, found ${seed}`);
  }
  return [seed >>> 0, Math.floor(seed / 2 ** 32)];
}

interface MaskEngine {
  readonly kernels: MaskKernels;
  readonly bytes: Uint8Array;
  readonly floats: Float32Array;
}

let engine: MaskEngine | undefined;

/** The mask kernels over one page of scratch memory (64 KiB, so that it stays in the second-level cache). */
function maskEngine(): MaskEngine {
  if (engine === undefined) {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
    engine = {
      kernels: maskKernels(memory),
      bytes: new Uint8Array(memory.buffer),
      floats: new Float32Array(memory.buffer),
    };
  }
  return engine;
}

/** Where a dropout mask stands in training: which optimisation step, and which dropout of the model. */
export interface MaskPosition {
  readonly seed: number;
  /** Step counter (0 to 2^32 - 1); with gradient accumulation, one per micro-batch. */
  readonly step: number;
  /** Number of the dropout in the model (0 to 2^32 - 1). */
  readonly site: number;
}

/**
 * Fills `out` with an inverted-dropout mask: 1/keepProbability with probability `keepProbability`, else 0. A pure
 * function of (seed, step, site, index): identical on every machine, independent across all four. The probability is
 * realised in steps of 2^-16. About 1 ns per element.
 */
export function fillDropoutMask(out: Float32Array, keepProbability: number, position: MaskPosition): void {
  const { kernels, floats } = maskEngine();
  fillMask(out, floats, 4, kernels.maskFloats, keepProbability, position);
}

/** As `fillDropoutMask`, as bytes: 1 where the element is kept, else 0; the same decisions for the same position. */
export function fillDropoutMaskBytes(out: Uint8Array, keepProbability: number, position: MaskPosition): void {
  const { kernels, bytes } = maskEngine();
  fillMask(out, bytes, 1, kernels.maskBytes, keepProbability, position);
}

function fillMask<T extends Float32Array | Uint8Array>(
  out: T,
  scratch: T,
  bytesPerDecision: number,
  kernel: MaskKernels['maskFloats'],
  keepProbability: number,
  { seed, step, site }: MaskPosition,
): void {
  if (!(keepProbability > 0 && keepProbability <= 1)) {
    throw new UsageError(`expected a keep probability above 0 and at most 1, found ${keepProbability}`);
  }
  const [key0, key1] = keyOf(seed);
  const threshold = Math.round(keepProbability * 0x10000);
  for (let start = 0; start < out.length; start += scratch.length) {
    const count = Math.min(scratch.length, out.length - start);
    const end = Math.ceil(count / MASK_GROUP) * MASK_GROUP * bytesPerDecision;
    const block = (start / MASK_GROUP) * 4;
    kernel(0, end, block, step, site, PURPOSE.dropout, key0, key1, threshold, 1 / keepProbability);
    out.set(count === scratch.length ? scratch : scratch.subarray(0, count), start);
  }
}

/** A random permutation of 0 .. n-1 (Fisher-Yates), a pure function of (seed, epoch, n, stream). */
export function shuffle(seed: number, epoch: number, n: number, stream = 0): Int32Array {
  const key = keyOf(seed);
  const order = Int32Array.from({ length: n }, (_, index) => index);
  for (let last = n - 1; last > 0; last--) {
    const [high, low] = philox4x32([last, epoch, stream, PURPOSE.shuffle], key);
    const other = Math.floor(((high * 2 ** 21 + (low >>> 11)) / 2 ** 53) * (last + 1));
    const held = order[last] ?? 0;
    order[last] = order[other] ?? 0;
    order[other] = held;
  }
  return order;
}

/**
 * `n` standard normal numbers, a pure function of (seed, stream): the inverse distribution function of 52-bit uniform
 * numbers, by arithmetic that IEEE 754 fixes, so every machine gets the same bits.
 */
export function normal(seed: number, stream: number, n: number): Float32Array {
  const key = keyOf(seed);
  const out = new Float32Array(n);
  for (let start = 0; start < n; start += 2) {
    const words = philox4x32([start / 2, stream, 0, PURPOSE.normal], key);
    out[start] = inverseNormal(openUniform(words[0], words[1]));
    if (start + 1 < n) out[start + 1] = inverseNormal(openUniform(words[2], words[3]));
  }
  return out;
}

/** `n` uniform numbers from 0 to 1, a pure function of (seed, stream). */
export function uniform(seed: number, stream: number, n: number): Float32Array {
  const key = keyOf(seed);
  const out = new Float32Array(n);
  for (let start = 0; start < n; start += 2) {
    const words = philox4x32([start / 2, stream, 0, PURPOSE.uniform], key);
    out[start] = openUniform(words[0], words[1]);
    if (start + 1 < n) out[start + 1] = openUniform(words[2], words[3]);
  }
  return out;
}

/** A double strictly between 0 and 1 from 52 random bits. */
function openUniform(high: number, low: number): number {
  return (high * 2 ** 20 + (low >>> 12) + 0.5) / 2 ** 52;
}
