import { InputError } from '../errors.js';
import { elementBytes, elementCount, isDType, type TensorInfo } from './tensor-data.js';

/** The format's own limit on the header, in bytes. */
export const HEADER_LIMIT = 100_000_000;

export interface SafetensorsEntry extends TensorInfo {
  /** Bytes of the tensor, `[begin, end)`, counted from the end of the header. */
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  /** In the order of their bytes. */
  readonly entries: ReadonlyMap<string, SafetensorsEntry>;
  readonly metadata: ReadonlyMap<string, string>;
}

/**
 * Reads a safetensors header and checks all that the format promises: known dtypes, byte counts that follow from the
 * shapes, names that occur once, and tensors that fill the data without gap or overlap.
 *
 * @param bytes the JSON header, without its 8-byte length
 * @param dataSize bytes of the file after the header
 * @throws InputError naming the file and the tensor
 */
export function parseHeader(bytes: Uint8Array, dataSize: number, file: string): SafetensorsHeader {
  const text = decode(bytes, file);
  const json = parseObject(text, file);
  const repeated = firstRepeated(topLevelKeys(text));
  if (repeated !== undefined) fail(file, `expected each tensor once, found ${quote(repeated)} twice`);

  const metadata = parseMetadata(json['__metadata__'], file);
  const entries = Object.entries(json)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, value]) => parseEntry(name, value, dataSize, file))
    .sort((a, b) => a.begin - b.begin || a.end - b.end);
  checkLayout(entries, dataSize, file);
  return { entries: new Map(entries.map((entry) => [entry.name, entry])), metadata };
}

/** The header of tensors laid out one after the other in the given order, with its 8-byte length, a multiple of 8. */
export function encodeHeader(tensors: readonly TensorInfo[], metadata: ReadonlyMap<string, string>): Uint8Array {
  const fields: [string, unknown][] = [];
  if (metadata.size > 0) {
    const sorted = [...metadata].sort(([a], [b]) => (a < b ? -1 : 1));
    fields.push(['__metadata__', Object.fromEntries(sorted)]);
  }
  let begin = 0;
  for (const { name, dtype, shape } of tensors) {
    const end = begin + elementCount(shape) * elementBytes(dtype);
    fields.push([name, { dtype, shape, data_offsets: [begin, end] }]);
    begin = end;
  }
  const json = `{${fields.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`;
  const length = Math.ceil(Buffer.byteLength(json) / 8) * 8;
  const header = Buffer.alloc(8 + length, ' ');
  header.writeBigUInt64LE(BigInt(length));
  header.write(json, 8);
  return header;
}

function decode(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new InputError('expected a UTF-8 safetensors header, found other bytes', { file }, { cause: error });
  }
}

function parseObject(text: string, file: string): Readonly<Record<string, unknown>> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new InputError(
      'expected a JSON object as safetensors header, found invalid JSON',
      { file },
      { cause: error },
    );
  }
  if (!isRecord(json)) fail(file, 'expected a JSON object as safetensors header, found another JSON value');
  return json;
}

function parseMetadata(value: unknown, file: string): ReadonlyMap<string, string> {
  if (value === undefined) return new Map();
  if (!isRecord(value)) fail(file, 'expected an object at __metadata__');
  const pairs = Object.entries(value).map(([key, text]): [string, string] => {
    if (typeof text !== 'string')
      fail(file, `__metadata__ ${quote(key)}: expected a string, found ${JSON.stringify(text)}`);
    return [key, text];
  });
  return new Map(pairs);
}

function parseEntry(name: string, value: unknown, dataSize: number, file: string): SafetensorsEntry {
  const where = `tensor ${quote(name)}`;
  if (!isRecord(value)) fail(file, `${where}: expected {dtype, shape, data_offsets}, found ${JSON.stringify(value)}`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (!isDType(dtype)) fail(file, `${where}: expected a known dtype, found ${JSON.stringify(dtype)}`);
  if (!isSizes(shape)) fail(file, `${where}: expected a shape of whole numbers, found ${JSON.stringify(shape)}`);
  const [begin, end] = isSizes(offsets) && offsets.length === 2 ? offsets : [];
  if (begin === undefined || end === undefined || begin > end) {
    fail(file, `${where}: expected data_offsets [begin, end], found ${JSON.stringify(offsets)}`);
  }
  const expected = elementCount(shape) * elementBytes(dtype);
  if (end - begin !== expected) {
    fail(file, `${where}: expected ${expected} bytes for ${dtype} [${shape.join(', ')}], found ${end - begin}`);
  }
  if (end > dataSize) {
    fail(file, `${where}: expected ${end} bytes of data, found ${dataSize}: the file is truncated or damaged`);
  }
  return { name, dtype, shape, begin, end };
}

function checkLayout(entries: readonly SafetensorsEntry[], dataSize: number, file: string): void {
  let at = 0;
  for (const { name, begin, end } of entries) {
    if (begin !== at) {
      const fault = begin < at ? 'overlap' : 'gap';
      fail(file, `tensor ${quote(name)}: expected its data at byte ${at}, found ${begin} (${fault})`);
    }
    at = end;
  }
  if (at !== dataSize) fail(file, `expected ${at} bytes of tensor data, found ${dataSize}`);
}

/** The keys of a valid JSON object as written, repeated ones included (JSON.parse keeps the last only). */
function topLevelKeys(json: string): string[] {
  const keys: string[] = [];
  let depth = 0;
  let keyNext = false;
  for (let i = 0; i < json.length; i++) {
    const character = json[i];
    if (character === '"') {
      const start = i;
      for (i++; json[i] !== '"'; i++) if (json[i] === '\\') i++;
      if (depth === 1 && keyNext) keys.push(String(JSON.parse(json.slice(start, i + 1))));
      keyNext = false;
    } else if (character === '{' || character === '[') {
      depth++;
      keyNext = depth === 1;
    } else if (character === '}' || character === ']') depth--;
    else if (character === ',') keyNext = depth === 1;
  }
  return keys;
}

function firstRepeated(names: readonly string[]): string | undefined {
  const seen = new Set<string>();
  return names.find((name) => seen.size === seen.add(name).size);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

function quote(name: string): string {
  return JSON.stringify(name.length > 200 ? `${name.slice(0, 200)}...` : name);
}

function fail(file: string, message: string): never {
  throw new InputError(message, { file });
}
