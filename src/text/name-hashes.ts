import { InputError } from '../errors.js';

/** FNV-1a of 32 bits over UTF-16 code units, before `finish`: hashes of longer texts go on from those of shorter ones. */
export const EMPTY_HASH = 0x811c9dc5;

/** @param hash of the text so far */
export function hashMore(hash: number, text: string): number {
  for (let k = 0; k < text.length; k++) hash = Math.imul(hash ^ text.charCodeAt(k), 0x01000193);
  return hash >>> 0;
}

/** Spreads what FNV leaves in the low bits over all of them (the finaliser of MurmurHash3). */
export function finishHash(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

const BUCKETS = 2 ** 16;
const bucketOf = (hash: number): number => hash >>> 16;

/** A set of names of which only hashes are kept: of n names, one text in 2^32 / n that is none passes for one. */
export class NameHashes {
  /** Where the hashes of each bucket begin. */
  readonly #starts: Uint32Array;

  /** @param sorted finished hashes, ascending, each once */
  constructor(readonly sorted: Uint32Array) {
    this.#starts = new Uint32Array(BUCKETS + 1).fill(sorted.length);
    let next = 0;
    for (let k = 0; k < sorted.length; k++) {
      for (const bucket = bucketOf(sorted[k] ?? 0); next <= bucket; next++) this.#starts[next] = k;
    }
  }

  has(hash: number): boolean {
    const bucket = bucketOf(hash);
    const end = this.#starts[bucket + 1] ?? 0;
    for (let k = this.#starts[bucket] ?? 0; k < end; k++) if (this.sorted[k] === hash) return true;
    return false;
  }
}

/** The hashes as their number and the differences of neighbours, each in groups of seven bits (LEB128). */
export function packHashes(sorted: Uint32Array): Uint8Array {
  const bytes = new Uint8Array(5 * (sorted.length + 1));
  let end = 0;
  const write = (value: number): void => {
    for (; value > 127; value = Math.floor(value / 128)) bytes[end++] = (value % 128) + 128;
    bytes[end++] = value;
  };
  write(sorted.length);
  sorted.forEach((hash, k) => {
    write(hash - (k === 0 ? 0 : (sorted[k - 1] ?? 0)));
  });
  return bytes.slice(0, end);
}

/**
 * Reads what `packHashes` wrote.
 * @returns the hashes, and the place of the byte after them
 * @throws InputError where the bytes end before, or are of no such list
 */
export function unpackHashes(bytes: Uint8Array, from: number, file: string): { hashes: Uint32Array; end: number } {
  let place = from;
  const read = (): number => {
    let value = 0;
    for (let weight = 1; weight < 2 ** 32; weight *= 128) {
      const byte = bytes[place++] ?? 0;
      value += (byte & 127) * weight;
      if (byte < 128) return value;
    }
    return Infinity;
  };
  const count = read();
  if (count > bytes.length - place) throw broken(file);
  const hashes = new Uint32Array(count);
  let hash = 0;
  for (let k = 0; k < count; k++) {
    const difference = read();
    hash += difference;
    if (hash >= 2 ** 32 || (k > 0 && difference === 0)) throw broken(file);
    hashes[k] = hash;
  }
  if (place > bytes.length) throw broken(file);
  return { hashes, end: place };
}

function broken(file: string): InputError {
  return new InputError('expected lists of hashes of names, found other bytes', { file });
}
