import { createHash } from 'node:crypto';
import { InputError } from '../errors.js';
import { SafetensorsFile, writeSafetensors } from '../weights/safetensors.js';
import type { Floats } from './parameters.js';

/**
 * A checkpoint is a safetensors file of float32 tensors with three entries in its metadata: the format's name, the
 * state as JSON text, and the SHA-256 of all else. Every tool that reads safetensors can open one.
 */
export interface CheckpointTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Floats;
}

const FORMAT = 'ebiobert-checkpoint-1';

/** Writes a checkpoint atomically. Throws `InputError` when it cannot be written; an older file is intact then. */
export async function writeCheckpointFile(
  file: string,
  tensors: readonly CheckpointTensor[],
  state: unknown,
): Promise<void> {
  const text = JSON.stringify(state);
  const sorted = [...tensors].sort(byName);
  const hash = checksumOf(text, sorted);
  for (const { data } of sorted) hash.update(bytesOf(data));
  const metadata = new Map([
    ['format', FORMAT],
    ['sha256', hash.digest('hex')],
    ['state', text],
  ]);
  await writeSafetensors(
    file,
    sorted.map((tensor) => ({ ...tensor, dtype: 'F32' })),
    metadata,
  );
}

/**
 * Reads a checkpoint into `tensors`, which must be exactly the tensors of the file, and returns its state. The checksum
 * is verified first: on an error, an `InputError` naming the file and what is wrong, `tensors` are untouched.
 */
export async function readCheckpointFile(file: string, tensors: readonly CheckpointTensor[]): Promise<unknown> {
  const source = await SafetensorsFile.open(file);
  try {
    const { metadata } = source;
    if (metadata.get('format') !== FORMAT) {
      const found = metadata.get('format') ?? 'none';
      throw new InputError(`expected a checkpoint of format ${FORMAT}, found ${found}`, { file });
    }
    const sorted = [...tensors].sort(byName);
    const state = metadata.get('state') ?? '';
    matchTensors(source, sorted);
    await verifyChecksum(source, state, sorted);
    for (const { name, data } of sorted) data.set(await floats(source, name));
    return JSON.parse(state) as unknown;
  } finally {
    await source.close();
  }
}

function checksumOf(state: string, sorted: readonly CheckpointTensor[]) {
  const table = sorted.map(({ name, shape }) => [name, shape]);
  return createHash('sha256').update(JSON.stringify([state, table]));
}

async function verifyChecksum(
  source: SafetensorsFile,
  state: string,
  sorted: readonly CheckpointTensor[],
): Promise<void> {
  const hash = checksumOf(state, sorted);
  for (const { name } of sorted) hash.update(bytesOf(await floats(source, name)));
  const found = hash.digest('hex');
  const expected = source.metadata.get('sha256') ?? '';
  if (found === expected) return;
  throw new InputError(
    `expected a checkpoint with the checksum ${expected.slice(0, 12)}, found ${found.slice(0, 12)}: it is damaged`,
    { file: source.name },
  );
}

function matchTensors(source: SafetensorsFile, expected: readonly CheckpointTensor[]): void {
  const file = source.name;
  const describe = (dtype: string, shape: readonly number[]): string => `${dtype} [${shape.join(', ')}]`;
  for (const { name, shape } of expected) {
    const entry = source.tensors.get(name);
    if (entry === undefined) throw new InputError(`expected a checkpoint of this model, found no '${name}'`, { file });
    const [wanted, found] = [describe('F32', shape), describe(entry.dtype, entry.shape)];
    if (wanted !== found) throw new InputError(`expected '${name}' to be ${wanted}, found ${found}`, { file });
  }
  const names = new Set(expected.map(({ name }) => name));
  const unknown = [...source.tensors.keys()].find((name) => !names.has(name));
  if (unknown !== undefined) {
    throw new InputError(`expected a checkpoint of this model, found the unknown tensor '${unknown}'`, { file });
  }
}

async function floats(source: SafetensorsFile, name: string): Promise<Float32Array> {
  const { data } = await source.read(name);
  if (data instanceof Float32Array) return data;
  throw new InputError(`expected '${name}' to be F32`, { file: source.name });
}

/** The bytes of an array, without a copy. */
function bytesOf(array: Float32Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
