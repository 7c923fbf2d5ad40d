import { createHash } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { InputError } from '../errors.js';
import { bytesOf, readFully, writeFully } from './file-io.js';

/**
 * The file format of checkpoints: safetensors (an 8-byte little-endian header length, a JSON header, the tensors), with
 * two entries in the metadata: `state`, JSON text, and `sha256`, the checksum of the tensors followed by the header
 * that has zeros in the checksum's place. Every tool that reads safetensors can open one.
 */
export interface CheckpointTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

const FORMAT = 'ebiobert-checkpoint-1';
const LENGTH_BYTES = 8;
const MAXIMUM_HEADER_BYTES = 100 * 2 ** 20;
const NO_CHECKSUM = '0'.repeat(64);

const headerSchema = z
  .object({
    __metadata__: z.strictObject({
      format: z.literal(FORMAT),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
      state: z.string(),
    }),
  })
  .catchall(
    z.strictObject({
      dtype: z.literal('F32'),
      shape: z.array(z.int().nonnegative()),
      data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
    }),
  );
type Header = z.infer<typeof headerSchema>;

/**
 * Writes a checkpoint so that `file` is at every moment absent, the old one, or the new one in full: into a temporary
 * file beside it, to the disk, then renamed (after `beforeRename`). Throws `InputError` when there is no room; the old file is
 * intact then.
 */
export async function writeCheckpointFile(
  file: string,
  tensors: readonly CheckpointTensor[],
  state: unknown,
  beforeRename: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const temporary = `${file}.tmp`;
  try {
    const handle = await open(temporary, 'w');
    try {
      await writeContent(handle, tensors, JSON.stringify(state));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await beforeRename();
    await rename(temporary, file);
    await syncFolder(path.dirname(file));
  } catch (error) {
    await rm(temporary, { force: true });
    const megabytes = tensors.reduce((sum, { data }) => sum + data.byteLength, 0) / 1e6;
    throw new InputError(
      `expected to write a checkpoint of ${megabytes.toFixed(1)} MB, found ${(error as Error).message}`,
      { file },
      { cause: error },
    );
  }
}

async function writeContent(handle: FileHandle, tensors: readonly CheckpointTensor[], state: string): Promise<void> {
  const unsigned = encodeHeader(tensors, state, NO_CHECKSUM);
  const hash = createHash('sha256');
  let position = LENGTH_BYTES + unsigned.length;
  for (const { data } of tensors) {
    const bytes = bytesOf(data);
    hash.update(bytes);
    await writeFully(handle, bytes, position);
    position += bytes.length;
  }
  const header = encodeHeader(tensors, state, hash.update(unsigned).digest('hex'));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeBigUInt64LE(BigInt(header.length));
  await writeFully(handle, Buffer.concat([length, header]), 0);
}

function encodeHeader(tensors: readonly CheckpointTensor[], state: string, sha256: string): Buffer {
  const header: Record<string, unknown> = { __metadata__: { format: FORMAT, sha256, state } };
  let offset = 0;
  for (const { name, shape, data } of tensors) {
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + data.byteLength] };
    offset += data.byteLength;
  }
  const text = Buffer.from(JSON.stringify(header));
  return Buffer.concat([text, Buffer.alloc((8 - (text.length % 8)) % 8, ' ')]);
}

/**
 * Reads a checkpoint into `tensors`, which must be exactly the tensors of the file, and returns its state. The checksum
 * is verified first: on an error, an `InputError` naming the file and what is wrong, `tensors` are untouched.
 */
export async function readCheckpointFile(file: string, tensors: readonly CheckpointTensor[]): Promise<unknown> {
  let handle: FileHandle;
  try {
    handle = await open(file, 'r');
  } catch (error) {
    throw new InputError(`expected a checkpoint, found ${(error as Error).message}`, { file });
  }
  try {
    const { header, dataStart } = await verify(file, handle);
    matchTensors(file, header, tensors);
    for (const { name, data } of tensors) {
      const [start] = header[name]?.data_offsets ?? [0];
      if (!(await readFully(handle, bytesOf(data), dataStart + start))) throw truncated(file);
    }
    return JSON.parse(header.__metadata__.state);
  } finally {
    await handle.close();
  }
}

async function verify(file: string, handle: FileHandle): Promise<{ header: Header; dataStart: number }> {
  const { size } = await handle.stat();
  const prefix = Buffer.alloc(LENGTH_BYTES);
  if (!(await readFully(handle, prefix, 0))) throw truncated(file);
  const headerLength = Number(prefix.readBigUInt64LE());
  if (headerLength > Math.min(MAXIMUM_HEADER_BYTES, size - LENGTH_BYTES)) {
    throw new InputError(`expected a checkpoint, found a header length of ${headerLength} in ${size} bytes`, { file });
  }
  const text = Buffer.alloc(headerLength);
  if (!(await readFully(handle, text, LENGTH_BYTES))) throw truncated(file);
  const header = parseHeader(file, text.toString());
  const dataStart = LENGTH_BYTES + headerLength;

  const { sha256 } = header.__metadata__;
  const hash = createHash('sha256');
  const block = Buffer.alloc(2 ** 20);
  for (let position = dataStart; position < size; position += block.length) {
    const part = block.subarray(0, Math.min(block.length, size - position));
    if (!(await readFully(handle, part, position))) throw truncated(file);
    hash.update(part);
  }
  const found = hash.update(text.toString().replace(sha256, NO_CHECKSUM)).digest('hex');
  if (found !== sha256) {
    throw new InputError(
      `expected a checkpoint with the checksum ${sha256.slice(0, 12)}, found ${found.slice(0, 12)}: ` +
        'the file is damaged or incomplete',
      { file },
    );
  }
  return { header, dataStart };
}

function parseHeader(file: string, text: string): Header {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new InputError('expected a checkpoint, found a header that is not JSON', { file });
  }
  const parsed = headerSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new InputError(`expected a checkpoint, found a header with '${issue?.path.join('.')}': ${issue?.message}`, {
    file,
  });
}

function matchTensors(file: string, header: Header, tensors: readonly CheckpointTensor[]): void {
  const describe = (shape: readonly number[]): string => `[${shape.join(', ')}]`;
  for (const { name, shape } of tensors) {
    const entry = header[name];
    if (entry === undefined) throw new InputError(`expected a checkpoint of this model, found no '${name}'`, { file });
    if (describe(entry.shape) !== describe(shape)) {
      throw new InputError(`expected '${name}' to be ${describe(shape)}, found ${describe(entry.shape)}`, { file });
    }
  }
  const expected = new Set(tensors.map(({ name }) => name));
  const unknown = Object.keys(header).find((name) => name !== '__metadata__' && !expected.has(name));
  if (unknown !== undefined) {
    throw new InputError(`expected a checkpoint of this model, found the unknown tensor '${unknown}'`, { file });
  }
}

function truncated(file: string): InputError {
  return new InputError('expected a whole checkpoint, found the end of the file', { file });
}

/** Makes a rename durable; not every system lets a folder be opened. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  try {
    await handle?.sync();
  } catch {
    // Windows and some network file systems refuse; the rename itself has happened.
  } finally {
    await handle?.close();
  }
}
