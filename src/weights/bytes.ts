import { open, type FileHandle } from 'node:fs/promises';
import { InputError } from '../errors.js';
import { attempt } from './file-errors.js';

/** Bytes that are read by position: a file, of which only what is asked for comes into memory, or an array. */
export interface Bytes {
  /** The file, for error messages. */
  readonly name: string;
  readonly size: number;
  /** Exactly `length` bytes from `offset`. Throws InputError when there are fewer. */
  read(offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Opens a regular file for positioned reads. Throws InputError when it is missing, unreadable or a folder. */
export async function openBytes(path: string): Promise<Bytes> {
  const handle = await attempt(path, 'read', open(path, 'r'));
  try {
    const info = await attempt(path, 'read', handle.stat());
    if (!info.isFile()) throw new InputError('cannot read: expected a file, found a folder or device', { file: path });
    return new FileBytes(path, info.size, handle);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

class FileBytes implements Bytes {
  constructor(
    readonly name: string,
    readonly size: number,
    private readonly handle: FileHandle,
  ) {}

  async read(offset: number, length: number): Promise<Uint8Array> {
    checkRange(this, offset, length);
    const bytes = allocate(length, this.name);
    for (let at = 0; at < length;) {
      const request = Math.min(length - at, 1 << 28);
      const { bytesRead } = await attempt(this.name, 'read', this.handle.read(bytes, at, request, offset + at));
      if (bytesRead === 0) {
        throw new InputError(`expected ${length} bytes at ${offset}, found ${at}: the file shrank`, {
          file: this.name,
        });
      }
      at += bytesRead;
    }
    return bytes;
  }

  async close(): Promise<void> {
    await this.handle.close();
  }
}

/** Bytes in memory under a name for error messages; reads are views, not copies. */
export function memoryBytes(name: string, bytes: Uint8Array): Bytes {
  return {
    name,
    size: bytes.length,
    read: (offset, length) => {
      try {
        checkRange({ name, size: bytes.length }, offset, length);
        return Promise.resolve(bytes.subarray(offset, offset + length));
      } catch (error) {
        return Promise.reject(error as Error);
      }
    },
    close: () => Promise.resolve(),
  };
}

/** A new array; a length that memory cannot hold is the input's fault. */
export function allocate(length: number, file: string): Uint8Array {
  try {
    return new Uint8Array(length);
  } catch (error) {
    throw new InputError(
      `expected a tensor that fits in memory, found one of ${length} bytes`,
      { file },
      { cause: error },
    );
  }
}

/** What the file's first bytes say about a file that is not what was expected, for error messages. */
export function describeStart(start: Uint8Array): string {
  const text = Buffer.from(start.subarray(0, 40)).toString('latin1');
  if (text.startsWith('version https://git-lfs')) return 'a Git LFS pointer (fetch the content with `git lfs pull`)';
  if (start.length === 0) return 'an empty file';
  if (/^\s*<(!doctype|html)/i.test(text)) return 'an HTML page';
  if (text.startsWith('\x89HDF')) return 'an HDF5 file (TensorFlow weights)';
  if (text.startsWith('PK\x03\x04')) return 'a zip archive';
  return `bytes ${Buffer.from(start.subarray(0, 8)).toString('hex')}`;
}

function checkRange({ name, size }: Pick<Bytes, 'name' | 'size'>, offset: number, length: number): void {
  if (Number.isSafeInteger(offset) && offset >= 0 && length >= 0 && offset + length <= size) return;
  throw new InputError(`expected ${length} bytes at ${offset}, found the end of the file at ${size}`, { file: name });
}
