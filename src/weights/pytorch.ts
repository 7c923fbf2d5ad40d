import { InputError } from '../errors.js';
import { allocate, describeStart, openBytes, type Bytes } from './bytes.js';
import { TruncatedPickle, unpickle } from './pickle.js';
import {
  elementBytes,
  elementCount,
  viewAs,
  type TensorData,
  type TensorInfo,
  type TensorSource,
} from './tensor-data.js';
import { TorchStorage, TorchTensor, torchHost } from './torch-pickle.js';
import { readZipEntry, zipEntries } from './zip.js';

/** Bytes of a pickle that describes tensors; a BERT's has about 50,000. */
const PICKLE_LIMIT = 1 << 28;

/** Reads the bytes of one storage. */
type ReadStorage = (storage: TorchStorage) => Promise<Uint8Array>;

interface Contents {
  readonly state: unknown;
  readonly readStorage: ReadStorage;
}

/**
 * Opens a PyTorch checkpoint of tensors by name (`torch.save(model.state_dict())`): the zip form of torch 1.6 and
 * later, and the older form. Nothing in it is executed; see `unpickle`. Tensors may share storages and have any
 * strides; what is read is row-major.
 *
 * @throws InputError when it cannot be read, is damaged, or holds anything but tensors by name
 */
export async function openPyTorch(path: string): Promise<TensorSource> {
  const bytes = await openBytes(path);
  try {
    const start = await bytes.read(0, Math.min(bytes.size, 64));
    const isZip = start[0] === 0x50 && start[1] === 0x4b && start[2] === 3 && start[3] === 4;
    const isPickle = start[0] === 0x80 && (start[1] ?? 99) <= 5;
    if (!isZip && !isPickle) fail(path, `expected a PyTorch checkpoint, found ${describeStart(start)}`);
    const { state, readStorage } = isZip ? await readZip(bytes) : await readLegacy(bytes);
    return new PyTorchFile(bytes, tensorsOf(state, path), readStorage);
  } catch (error) {
    await bytes.close();
    throw error;
  }
}

class PyTorchFile implements TensorSource {
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  private recent: { readonly storage: TorchStorage; readonly bytes: Uint8Array } | undefined;

  constructor(
    private readonly bytes: Bytes,
    private readonly handles: ReadonlyMap<string, TorchTensor>,
    private readonly readStorage: ReadStorage,
  ) {
    const infos = [...handles].map(([name, { shape, storage }]) => ({ name, shape, dtype: storage.dtype }));
    this.tensors = new Map(infos.map((info) => [info.name, info]));
  }

  get name(): string {
    return this.bytes.name;
  }

  async read(name: string): Promise<TensorData> {
    const tensor = this.handles.get(name) ?? fail(this.name, `expected a tensor ${JSON.stringify(name)}, found none`);
    const { storage, shape } = tensor;
    if (this.recent?.storage !== storage) this.recent = { storage, bytes: await this.readStorage(storage) };
    return {
      name,
      shape,
      dtype: storage.dtype,
      data: viewAs(storage.dtype, gather(tensor, this.recent.bytes, this.name)),
    };
  }

  async close(): Promise<void> {
    this.recent = undefined;
    await this.bytes.close();
  }
}

/** The tensor's elements in row-major order, as bytes of their own. */
function gather(tensor: TorchTensor, storage: Uint8Array, file: string): Uint8Array {
  const { shape, strides, offset } = tensor;
  const size = elementBytes(tensor.storage.dtype);
  const count = elementCount(shape);
  if (tensor.contiguous) return storage.slice(offset * size, (offset + count) * size);
  const result = allocate(count * size, file);
  const index = shape.map(() => 0);
  let from = offset;
  for (let to = 0; to < count; to++) {
    for (let byte = 0; byte < size; byte++) result[to * size + byte] = storage[from * size + byte] ?? 0;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const [at, extent, stride] = [(index[axis] ?? 0) + 1, shape[axis] ?? 0, strides[axis] ?? 0];
      from += stride;
      index[axis] = at;
      if (at < extent) break;
      index[axis] = 0;
      from -= extent * stride;
    }
  }
  return result;
}

function tensorsOf(state: unknown, file: string): ReadonlyMap<string, TorchTensor> {
  if (!(state instanceof Map)) fail(file, 'expected a dict of tensors by name, found another object');
  const tensors = new Map<string, TorchTensor>();
  for (const [name, value] of state as Map<unknown, unknown>) {
    if (typeof name !== 'string') fail(file, `expected tensor names, found the key ${String(name)}`);
    if (!(value instanceof TorchTensor)) {
      const found = value instanceof Map ? 'a dict' : Array.isArray(value) ? 'a list' : typeof value;
      fail(file, `expected a tensor at ${JSON.stringify(name)}, found ${found}`);
    }
    tensors.set(name, value);
  }
  return tensors;
}

/** `ARCHIVE/data.pkl` describes the tensors, `ARCHIVE/data/KEY` is a storage. */
async function readZip(bytes: Bytes): Promise<Contents> {
  const file = bytes.name;
  const entries = await zipEntries(bytes);
  const pickle = [...entries.values()].find(({ name }) => name.endsWith('/data.pkl'));
  if (pickle === undefined) fail(file, 'expected a PyTorch checkpoint, found a zip archive without data.pkl');
  const root = pickle.name.slice(0, -'data.pkl'.length);
  if (entries.has(`${root}constants.pkl`)) fail(file, 'expected a checkpoint of weights, found a TorchScript program');
  if (pickle.size > PICKLE_LIMIT)
    fail(file, `expected a pickle of at most ${PICKLE_LIMIT} bytes, found ${pickle.size}`);
  const order = entries.get(`${root}byteorder`);
  if (order !== undefined && Buffer.from(await readZipEntry(bytes, order)).toString() !== 'little') {
    fail(file, 'expected little-endian tensors, found big-endian ones');
  }
  const { value } = unpickle(await readZipEntry(bytes, pickle), torchHost(file, new Map()), file);
  const readStorage: ReadStorage = async (storage) => {
    const entry = entries.get(`${root}data/${storage.key}`);
    if (entry === undefined) fail(file, `expected the zip entry ${root}data/${storage.key}, found none`);
    if (entry.size !== storage.bytes)
      fail(file, `storage ${storage.key}: expected ${storage.bytes} bytes, found ${entry.size}`);
    return readZipEntry(bytes, entry);
  };
  return { state: value, readStorage };
}

const LEGACY_MAGIC = 0x1950a86a20f9469cfc6cn;
const LEGACY_PROTOCOL = 1001;

/**
 * The form before torch 1.6: pickles of a magic number, a protocol number, system facts, the state and the list of
 * storage keys, then for each key its length (int64, in elements) and its elements.
 */
async function readLegacy(bytes: Bytes): Promise<Contents> {
  const file = bytes.name;
  const storages = new Map<string, TorchStorage>();
  const { values, end } = await readPickles(bytes, 5, storages);
  const [magic, protocol, system, state, keys] = values;
  if (magic !== LEGACY_MAGIC || protocol !== LEGACY_PROTOCOL)
    fail(file, 'expected a PyTorch checkpoint, found another pickle');
  if (system instanceof Map && system.get('little_endian') === false)
    fail(file, 'expected little-endian tensors, found big-endian ones');
  if (!Array.isArray(keys)) fail(file, 'expected a list of storage keys, found another object');

  const offsets = new Map<TorchStorage, number>();
  let at = end;
  for (const key of keys as unknown[]) {
    const storage = storages.get(String(key)) ?? fail(file, `expected a tensor of storage ${String(key)}, found none`);
    const length = await bytes.read(at, 8);
    const found = Number(new DataView(length.buffer, length.byteOffset, 8).getBigInt64(0, true));
    if (found !== storage.length)
      fail(file, `storage ${storage.key}: expected ${storage.length} elements, found ${found}`);
    offsets.set(storage, at + 8);
    at += 8 + storage.bytes;
  }
  if (at > bytes.size) fail(file, `expected ${at} bytes, found ${bytes.size}: the file is truncated`);
  const readStorage: ReadStorage = (storage) => {
    const offset = offsets.get(storage) ?? fail(file, `storage ${storage.key}: expected its elements, found none`);
    return bytes.read(offset, storage.bytes);
  };
  return { state, readStorage };
}

/** Consecutive pickles from the start of a file, of which only as much is read as they need. */
async function readPickles(
  bytes: Bytes,
  count: number,
  storages: Map<string, TorchStorage>,
): Promise<{ values: unknown[]; end: number }> {
  for (let window = 1 << 20; ; window *= 4) {
    const start = await bytes.read(0, Math.min(window, bytes.size, PICKLE_LIMIT));
    storages.clear();
    const host = torchHost(bytes.name, storages);
    const values: unknown[] = [];
    let end = 0;
    try {
      while (values.length < count) {
        const next = unpickle(start, host, bytes.name, end);
        values.push(next.value);
        end = next.end;
      }
      return { values, end };
    } catch (error) {
      if (!(error instanceof TruncatedPickle) || start.length < window) throw error;
    }
  }
}

function fail(file: string, message: string): never {
  throw new InputError(message, { file });
}
