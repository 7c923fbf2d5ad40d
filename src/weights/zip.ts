import * as zlib from 'node:zlib';
import { InputError } from '../errors.js';
import type { Bytes } from './bytes.js';

export interface ZipEntry {
  readonly name: string;
  /** Offset of its local header. */
  readonly offset: number;
  /** Bytes of its content. */
  readonly size: number;
  /** Bytes that it takes in the archive. */
  readonly stored: number;
  /** Why it cannot be read: it is compressed or encrypted. */
  readonly obstacle: string | undefined;
  readonly crc32: number;
}

const END = 0x06054b50;
const END_64 = 0x06064b50;
const LOCATOR_64 = 0x07064b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
const END_SIZE = 22;

interface Directory {
  readonly count: number;
  readonly size: number;
  readonly offset: number;
}

/**
 * The entries of a zip archive by name, read from its central directory (zip64 included).
 *
 * @throws InputError when the archive is truncated or damaged or has an entry twice
 */
export async function zipEntries(bytes: Bytes): Promise<ReadonlyMap<string, ZipEntry>> {
  const { count, size, offset } = await findDirectory(bytes);
  const view = viewOf(await bytes.read(offset, size));
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 46 > view.byteLength || view.getUint32(at, true) !== CENTRAL) {
      fail(bytes, `expected ${count} entries in the zip directory, found ${i}`);
    }
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((field) => view.getUint16(at + field, true));
    const next = at + 46 + (nameLength ?? 0) + (extraLength ?? 0) + (commentLength ?? 0);
    if (next > view.byteLength) fail(bytes, `expected the whole of zip entry ${i}, found the directory's end`);
    const entry = readEntry(bytes, view, at, nameLength ?? 0, extraLength ?? 0);
    if (entries.has(entry.name)) fail(bytes, `expected each zip entry once, found ${entry.name} twice`);
    entries.set(entry.name, entry);
    at = next;
  }
  return entries;
}

/**
 * The content of an entry, its checksum verified.
 *
 * @throws InputError when it is damaged, or compressed or encrypted, which PyTorch's tensors never are
 */
export async function readZipEntry(bytes: Bytes, entry: ZipEntry): Promise<Uint8Array> {
  const { name, size, stored, obstacle } = entry;
  if (obstacle !== undefined) fail(bytes, `zip entry ${name}: expected stored content, found ${obstacle}`);
  if (size !== stored) fail(bytes, `zip entry ${name}: expected ${size} stored bytes, found ${stored}`);
  const local = viewOf(await bytes.read(entry.offset, 30));
  if (local.getUint32(0, true) !== LOCAL) fail(bytes, `zip entry ${name}: expected a local header, found none`);
  const start = entry.offset + 30 + local.getUint16(26, true) + local.getUint16(28, true);
  const content = await bytes.read(start, size);
  // Node before 20.15 has no crc32.
  const sum = (zlib as { crc32?: typeof zlib.crc32 }).crc32?.(content) ?? entry.crc32;
  if (sum !== entry.crc32) {
    const [expected, found] = [entry.crc32, sum].map((crc) => crc.toString(16).padStart(8, '0'));
    fail(bytes, `zip entry ${name}: expected checksum ${expected}, found ${found}: the file is damaged`);
  }
  return content;
}

function readEntry(bytes: Bytes, view: DataView, at: number, nameLength: number, extraLength: number): ZipEntry {
  const name = new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset + at + 46, nameLength));
  const method = view.getUint16(at + 10, true);
  const isEncrypted = (view.getUint16(at + 8, true) & 1) !== 0;
  const obstacle = isEncrypted ? 'encryption' : method === 0 ? undefined : `compression method ${method}`;
  const wide = wideFields(view, at + 46 + nameLength, extraLength);
  const field = (offset: number): number => {
    const value = view.getUint32(at + offset, true);
    return value === 0xffffffff
      ? (wide.shift() ?? fail(bytes, `zip entry ${name}: expected a zip64 field, found none`))
      : value;
  };
  const [size, stored, offset] = [field(24), field(20), field(42)];
  return { name, offset, size, stored, obstacle, crc32: view.getUint32(at + 16, true) };
}

/** The 64-bit numbers of the zip64 extra field, which stand in for those 32-bit fields that are all ones, in order. */
function wideFields(view: DataView, start: number, length: number): number[] {
  for (let at = start; at + 4 <= start + length;) {
    const size = view.getUint16(at + 2, true);
    if (view.getUint16(at, true) === 1 && at + 4 + size <= start + length) {
      return Array.from({ length: Math.floor(size / 8) }, (_, i) => Number(view.getBigUint64(at + 4 + 8 * i, true)));
    }
    at += 4 + size;
  }
  return [];
}

async function findDirectory(bytes: Bytes): Promise<Directory> {
  const tailSize = Math.min(bytes.size, END_SIZE + 0xffff);
  const tailStart = bytes.size - tailSize;
  const tail = viewOf(await bytes.read(tailStart, tailSize));
  let end = tailSize - END_SIZE;
  while (
    end >= 0 &&
    !(tail.getUint32(end, true) === END && tail.getUint16(end + 20, true) === tailSize - end - END_SIZE)
  )
    end--;
  if (end < 0) fail(bytes, 'expected a zip directory at the end, found none: the file is truncated');

  const short = {
    count: tail.getUint16(end + 10, true),
    size: tail.getUint32(end + 12, true),
    offset: tail.getUint32(end + 16, true),
  };
  const isWide = short.count === 0xffff || short.size === 0xffffffff || short.offset === 0xffffffff;
  const directory = isWide ? await findDirectory64(bytes, tailStart + end) : short;
  if (directory.offset + directory.size > tailStart + end)
    fail(bytes, 'expected the zip directory inside the file, found it past its end');
  return directory;
}

async function findDirectory64(bytes: Bytes, end: number): Promise<Directory> {
  const locator = viewOf(await bytes.read(end - 20, 20));
  if (locator.getUint32(0, true) !== LOCATOR_64) fail(bytes, 'expected a zip64 locator, found none');
  const record = viewOf(await bytes.read(Number(locator.getBigUint64(8, true)), 56));
  if (record.getUint32(0, true) !== END_64) fail(bytes, 'expected a zip64 directory, found none');
  const [count, size, offset] = [32, 40, 48].map((field) => Number(record.getBigUint64(field, true)));
  return { count: count ?? 0, size: size ?? 0, offset: offset ?? 0 };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function fail(bytes: Bytes, message: string): never {
  throw new InputError(message, { file: bytes.name });
}
