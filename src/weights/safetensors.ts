import { InputError, UsageError } from '../errors.js';
import { writeFileAtomic } from './atomic.js';
import { describeStart, memoryBytes, openBytes, type Bytes } from './bytes.js';
import { encodeHeader, HEADER_LIMIT, parseHeader, type SafetensorsEntry } from './safetensors-header.js';
import { arrayType, dtypeRank, elementCount, viewAs, type TensorData, type TensorSource } from './tensor-data.js';

/** A safetensors file, its header read and checked, its tensors read one at a time on request. */
export class SafetensorsFile implements TensorSource {
  private constructor(
    private readonly bytes: Bytes,
    private readonly dataStart: number,
    readonly tensors: ReadonlyMap<string, SafetensorsEntry>,
    readonly metadata: ReadonlyMap<string, string>,
  ) {}

  get name(): string {
    return this.bytes.name;
  }

  /** @throws InputError when the file cannot be read or is not a sound safetensors file */
  static async open(path: string): Promise<SafetensorsFile> {
    const bytes = await openBytes(path);
    try {
      return await SafetensorsFile.from(bytes);
    } catch (error) {
      await bytes.close();
      throw error;
    }
  }

  /** The same over any positioned bytes. */
  static async from(bytes: Bytes): Promise<SafetensorsFile> {
    const file = bytes.name;
    const start = await bytes.read(0, Math.min(bytes.size, 48));
    if (start.length < 8) {
      throw new InputError(`expected a safetensors file, found ${describeStart(start)} of ${bytes.size} bytes`, {
        file,
      });
    }
    const length = Number(new DataView(start.buffer, start.byteOffset).getBigUint64(0, true));
    if (length > HEADER_LIMIT) {
      const found = /^[\x20-\x7e]/.test(String.fromCharCode(start[7] ?? 0)) ? describeStart(start) : `${length}`;
      throw new InputError(`expected a safetensors header of at most ${HEADER_LIMIT} bytes, found ${found}`, { file });
    }
    if (8 + length > bytes.size) {
      const found = `${bytes.size - 8}: the file is truncated or no safetensors file`;
      throw new InputError(`expected a safetensors header of ${length} bytes, found ${found}`, { file });
    }
    const { entries, metadata } = parseHeader(await bytes.read(8, length), bytes.size - 8 - length, file);
    return new SafetensorsFile(bytes, 8 + length, entries, metadata);
  }

  async read(name: string): Promise<TensorData> {
    const entry = this.tensors.get(name);
    if (entry === undefined)
      throw new InputError(`expected a tensor ${JSON.stringify(name)}, found none`, { file: this.name });
    const { dtype, shape, begin, end } = entry;
    const data = await this.bytes.read(this.dataStart + begin, end - begin);
    return { name, dtype, shape, data: viewAs(dtype, data) };
  }

  async close(): Promise<void> {
    await this.bytes.close();
  }
}

export interface Safetensors {
  readonly tensors: ReadonlyMap<string, TensorData>;
  readonly metadata: ReadonlyMap<string, string>;
}

/** Reads all tensors of a file. Throws InputError as `SafetensorsFile` does. */
export async function readSafetensors(path: string): Promise<Safetensors> {
  const file = await SafetensorsFile.open(path);
  try {
    return await readAll(file);
  } finally {
    await file.close();
  }
}

/** Reads all tensors of a file's bytes; arrays are views of them where alignment allows. */
export async function parseSafetensors(bytes: Uint8Array, name = 'safetensors'): Promise<Safetensors> {
  return readAll(await SafetensorsFile.from(memoryBytes(name, bytes)));
}

async function readAll(file: SafetensorsFile): Promise<Safetensors> {
  const tensors = new Map<string, TensorData>();
  for (const name of file.tensors.keys()) tensors.set(name, await file.read(name));
  return { tensors, metadata: file.metadata };
}

/**
 * A safetensors file as consecutive chunks: the header, then each tensor's bytes (views, not copies). Tensors are laid
 * out by dtype, largest elements first, then by name, as the safetensors library does: every tensor is aligned, and equal
 * tensors give equal bytes whatever order they come in.
 *
 * @throws UsageError when a name occurs twice or is reserved, or an array does not fit its shape
 */
export function encodeSafetensors(
  tensors: Iterable<TensorData>,
  metadata: ReadonlyMap<string, string> = new Map(),
): Uint8Array[] {
  const sorted = [...tensors].sort(
    (a, b) => dtypeRank(a.dtype) - dtypeRank(b.dtype) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  );
  const seen = new Set<string>();
  for (const tensor of sorted) checkTensor(tensor, seen);
  const data = sorted.map(
    ({ data: { buffer, byteOffset, byteLength } }) => new Uint8Array(buffer, byteOffset, byteLength),
  );
  return [encodeHeader(sorted, metadata), ...data];
}

/**
 * Writes a safetensors file atomically; the layout is that of `encodeSafetensors`.
 *
 * @throws InputError when the file cannot be written, UsageError as `encodeSafetensors`
 */
export async function writeSafetensors(
  path: string,
  tensors: Iterable<TensorData>,
  metadata?: ReadonlyMap<string, string>,
): Promise<void> {
  await writeFileAtomic(path, encodeSafetensors(tensors, metadata));
}

function checkTensor({ name, dtype, shape, data }: TensorData, seen: Set<string>): void {
  if (name === '__metadata__') throw new UsageError('expected a tensor name, found the reserved name __metadata__');
  if (seen.has(name)) throw new UsageError(`expected each tensor once, found ${JSON.stringify(name)} twice`);
  seen.add(name);
  if (data.length !== elementCount(shape) || !(data instanceof arrayType(dtype))) {
    const [expected, found] = [
      `${arrayType(dtype).name}(${elementCount(shape)})`,
      `${data.constructor.name}(${data.length})`,
    ];
    throw new UsageError(`tensor ${name}: expected ${expected} for ${dtype} [${shape.join(', ')}], found ${found}`);
  }
}
