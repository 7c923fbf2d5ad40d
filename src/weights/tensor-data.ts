import { InputError } from '../errors.js';

/** In the order in which the safetensors library lays tensors out. */
const LAYOUTS = {
  U64: { bytes: 8, array: BigUint64Array },
  I64: { bytes: 8, array: BigInt64Array },
  F64: { bytes: 8, array: Float64Array },
  F32: { bytes: 4, array: Float32Array },
  U32: { bytes: 4, array: Uint32Array },
  I32: { bytes: 4, array: Int32Array },
  BF16: { bytes: 2, array: Uint16Array },
  F16: { bytes: 2, array: Uint16Array },
  U16: { bytes: 2, array: Uint16Array },
  I16: { bytes: 2, array: Int16Array },
  I8: { bytes: 1, array: Int8Array },
  U8: { bytes: 1, array: Uint8Array },
  BOOL: { bytes: 1, array: Uint8Array },
} as const;

/** Element types by their safetensors names. F16 and BF16 are held as their bits in a Uint16Array, BOOL as 0 and 1. */
export type DType = keyof typeof LAYOUTS;
export type TypedArray =
  | BigUint64Array
  | BigInt64Array
  | Float64Array
  | Float32Array
  | Uint32Array
  | Int32Array
  | Uint16Array
  | Int16Array
  | Int8Array
  | Uint8Array;

export interface TensorInfo {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/** A tensor in memory, row-major. */
export interface TensorData extends TensorInfo {
  readonly data: TypedArray;
}

/** Named tensors in a file or several, read one at a time. */
export interface TensorSource {
  /** The file or folder, for error messages. */
  readonly name: string;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Throws InputError when there is no tensor of that name or its bytes are damaged. */
  read(name: string): Promise<TensorData>;
  close(): Promise<void>;
}

export function isDType(name: unknown): name is DType {
  return typeof name === 'string' && Object.hasOwn(LAYOUTS, name);
}

const ORDER = Object.keys(LAYOUTS);

/** Where a dtype's tensors come in a safetensors file. */
export function dtypeRank(dtype: DType): number {
  return ORDER.indexOf(dtype);
}

/** Bytes of one element. */
export function elementBytes(dtype: DType): number {
  return LAYOUTS[dtype].bytes;
}

/** The array type that holds a dtype. */
export function arrayType(dtype: DType): (typeof LAYOUTS)[DType]['array'] {
  return LAYOUTS[dtype].array;
}

/** Elements of a shape; 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Little-endian bytes as an array of the dtype: a view where the bytes are aligned for it, a copy elsewhere. */
export function viewAs(dtype: DType, bytes: Uint8Array): TypedArray {
  const size = elementBytes(dtype);
  const aligned = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  const array: new (buffer: ArrayBufferLike, offset: number, length: number) => TypedArray = arrayType(dtype);
  return new array(aligned.buffer, aligned.byteOffset, aligned.byteLength / size);
}

/**
 * The tensor's values as float32: F32 as they are (no copy), F16 and BF16 exactly, F64 rounded.
 *
 * @throws InputError for integer and boolean tensors, naming the tensor and, when given, the file
 */
export function toFloat32(tensor: TensorData, file?: string): Float32Array {
  const { data, dtype } = tensor;
  if (data instanceof Float32Array) return data;
  if (data instanceof Float64Array) return Float32Array.from(data);
  if (data instanceof Uint16Array && dtype === 'BF16') return fromBfloat16(data);
  if (data instanceof Uint16Array && dtype === 'F16') return fromFloat16(data);
  throw new InputError(`tensor ${tensor.name}: expected floating-point values, found ${dtype}`, file ? { file } : {});
}

function fromBfloat16(bits: Uint16Array): Float32Array {
  const wide = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) wide[i] = (bits[i] ?? 0) << 16;
  return new Float32Array(wide.buffer);
}

let halves: Float32Array | undefined;

function fromFloat16(bits: Uint16Array): Float32Array {
  halves ??= Float32Array.from({ length: 1 << 16 }, (_, half) => halfToNumber(half));
  const values = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) values[i] = halves[bits[i] ?? 0] ?? 0;
  return values;
}

/** IEEE 754 binary16. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
