import { InputError } from '../errors.js';
import type { PickleGlobal, PickleHost } from './pickle.js';
import { elementBytes, elementCount, type DType } from './tensor-data.js';

/** A run of elements that one or several tensors share, as a checkpoint's pickle names it. */
export class TorchStorage {
  constructor(
    readonly key: string,
    readonly dtype: DType,
    /** Elements. */
    readonly length: number,
  ) {}

  get bytes(): number {
    return this.length * elementBytes(this.dtype);
  }
}

/** A strided window onto a storage; offset and strides in elements. */
export class TorchTensor {
  constructor(
    readonly storage: TorchStorage,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {}

  /** Whether its elements lie one after the other in row-major order. */
  get contiguous(): boolean {
    let expected = 1;
    for (let axis = this.shape.length - 1; axis >= 0; axis--) {
      const size = this.shape[axis] ?? 0;
      if (size !== 1 && this.strides[axis] !== expected) return elementCount(this.shape) === 0;
      expected *= size;
    }
    return true;
  }
}

const STORAGE_TYPES: Readonly<Record<string, DType>> = {
  DoubleStorage: 'F64',
  FloatStorage: 'F32',
  HalfStorage: 'F16',
  BFloat16Storage: 'BF16',
  LongStorage: 'I64',
  IntStorage: 'I32',
  ShortStorage: 'I16',
  CharStorage: 'I8',
  ByteStorage: 'U8',
  BoolStorage: 'BOOL',
};

/**
 * What a PyTorch checkpoint's pickle may refer to: ordered dicts, tensors, parameters and storages, nothing else.
 * `storages` collects the storages by key as the pickle names them.
 *
 * @throws InputError from its functions when a tensor or storage is malformed
 */
export function torchHost(file: string, storages: Map<string, TorchStorage>): PickleHost {
  const fail = (message: string): never => {
    throw new InputError(message, { file });
  };
  const tensor = (args: readonly unknown[]): TorchTensor => rebuildTensor(args, fail);
  const globals: PickleGlobal[] = [
    { name: 'collections.OrderedDict', construct: ([pairs]) => orderedDict(pairs, fail) },
    { name: 'torch._utils._rebuild_tensor', construct: tensor },
    { name: 'torch._utils._rebuild_tensor_v2', construct: tensor },
    { name: 'torch._utils._rebuild_parameter', construct: ([data]) => data },
    { name: 'torch.Size', construct: ([sizes]) => sizes },
    ...Object.keys(STORAGE_TYPES).map((type) => ({ name: `torch.${type}` })),
  ];
  const dtypes = new Map<unknown, DType>();
  for (const global of globals) {
    const dtype = STORAGE_TYPES[global.name.slice('torch.'.length)];
    if (dtype !== undefined) dtypes.set(global, dtype);
  }
  return {
    globals: new Map(globals.map((global) => [global.name, global])),
    persistent: (id) => {
      const [tag, type, key, , length, view] = Array.isArray(id) ? (id as unknown[]) : [];
      const dtype = dtypes.get(type);
      if (tag !== 'storage' || dtype === undefined || typeof key !== 'string' || !isSize(length)) {
        return fail("expected a persistent id ('storage', type, key, location, length), found another");
      }
      if (view !== undefined && view !== null)
        return fail(`storage ${key}: expected a whole storage, found a view of one`);
      const known = storages.get(key);
      if (known !== undefined && (known.dtype !== dtype || known.length !== length)) {
        return fail(`storage ${key}: expected ${known.dtype} [${known.length}] as before, found ${dtype} [${length}]`);
      }
      const storage = known ?? new TorchStorage(key, dtype, length);
      storages.set(key, storage);
      return storage;
    },
  };
}

function orderedDict(pairs: unknown, fail: (message: string) => never): Map<unknown, unknown> {
  const dict = new Map<unknown, unknown>();
  if (pairs === undefined) return dict;
  if (!Array.isArray(pairs)) return fail('expected an OrderedDict from a list of pairs, found another argument');
  for (const pair of pairs as unknown[]) {
    if (!Array.isArray(pair) || pair.length !== 2)
      return fail('expected an OrderedDict from a list of pairs, found another argument');
    dict.set(pair[0], pair[1]);
  }
  return dict;
}

function rebuildTensor(args: readonly unknown[], fail: (message: string) => never): TorchTensor {
  const [storage, offset, shape, strides] = args;
  if (!(storage instanceof TorchStorage)) return fail('expected a tensor of a storage, found one of another object');
  if (!isSize(offset) || !isSizes(shape) || !isSizes(strides) || shape.length !== strides.length) {
    return fail(`storage ${storage.key}: expected a tensor with whole offset, sizes and strides, found others`);
  }
  const last = shape.reduce((sum, size, axis) => sum + (size - 1) * (strides[axis] ?? 0), offset);
  if (elementCount(shape) > 0 && last >= storage.length) {
    return fail(
      `storage ${storage.key}: expected a tensor inside its ${storage.length} elements, found one that reaches element ${last}`,
    );
  }
  return new TorchTensor(storage, offset, shape, strides);
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isSizes(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every(isSize);
}
