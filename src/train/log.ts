import { type FileHandle, open } from 'node:fs/promises';
import { InputError } from '../errors.js';
import { attempt } from '../weights/file-errors.js';

/**
 * A log of JSON lines, one record each, that agrees with the checkpoints: a checkpoint keeps `bytes`, and resuming
 * from it cuts off whatever was written later, so no epoch is in the log twice.
 */
export class TrainingLog {
  readonly #file: string;
  readonly #handle: FileHandle;
  #bytes: number;

  private constructor(file: string, handle: FileHandle, bytes: number) {
    this.#file = file;
    this.#handle = handle;
    this.#bytes = bytes;
  }

  /**
   * Opens (or makes) the log and cuts it to its first `keepBytes` bytes: 0 for a new run. Throws `InputError` when the
   * file is shorter than that, does not have a line end there, or cannot be written.
   */
  static async open(file: string, keepBytes = 0): Promise<TrainingLog> {
    const handle = await attempt(file, 'write the log', open(file, keepBytes > 0 ? 'r+' : 'w+'));
    try {
      if (keepBytes > 0) await checkPrefix(file, handle, keepBytes);
      await handle.truncate(keepBytes);
      return new TrainingLog(file, handle, keepBytes);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** The records so far, in the order of their lines. */
  async records(): Promise<unknown[]> {
    const bytes = Buffer.alloc(this.#bytes);
    await this.#handle.read(bytes, 0, this.#bytes, 0);
    const lines = bytes.toString().split('\n').slice(0, -1);
    return lines.map((line, k): unknown => {
      try {
        return JSON.parse(line);
      } catch {
        throw new InputError('expected a JSON object in the log', { file: this.#file, line: k + 1 });
      }
    });
  }

  /** Length of the log so far, to be kept in the checkpoint. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Writes one record as a line and waits until it is on the disk. */
  async append(record: Readonly<Record<string, unknown>>): Promise<void> {
    const line = Buffer.from(`${JSON.stringify(record)}\n`);
    await attempt(this.#file, 'write the log', writeFully(this.#handle, line, this.#bytes));
    await attempt(this.#file, 'write the log', this.#handle.sync());
    this.#bytes += line.length;
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

async function checkPrefix(file: string, handle: FileHandle, keepBytes: number): Promise<void> {
  const { size } = await handle.stat();
  if (size < keepBytes) {
    throw new InputError(`expected the log of the checkpoint, ${keepBytes} bytes or more, found ${size}`, { file });
  }
  const last = Buffer.alloc(1);
  await handle.read(last, 0, 1, keepBytes - 1);
  if (last.toString() !== '\n') {
    throw new InputError(`expected a line of the log to end at byte ${keepBytes}, found the middle of one`, { file });
  }
}

/** Writes all of `bytes` at `position`; a single `write` may stop early. */
async function writeFully(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}
