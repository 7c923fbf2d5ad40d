import { randomBytes } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { access, mkdir, open, readdir, realpath, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { InputError } from '../errors.js';
import { attempt, errorCode, fileError } from './file-errors.js';

export type Chunk = string | Uint8Array;
export type Chunks = Chunk | Iterable<Chunk> | AsyncIterable<Chunk>;

/**
 * Writes a file so that readers see the old content or the new, never a part: a temporary file beside it, flushed to
 * the disk, then renamed. A symbolic link keeps pointing where it did; a device or pipe is written directly. Strings
 * are UTF-8.
 *
 * @throws InputError when the file cannot be written (folder missing, permission, disk full); the old content stays
 */
export async function writeFileAtomic(path: string, chunks: Chunks): Promise<void> {
  const target = await followLinks(path);
  const existing = await statOrUndefined(target);
  if (existing?.isDirectory()) throw new InputError('cannot write: expected a file, found a folder', { file: path });
  if (existing) await attempt(path, 'write', access(target, constants.W_OK));
  if (existing && !existing.isFile()) {
    await writeInto(await attempt(path, 'write', open(target, 'w')), path, chunks, false);
    return;
  }
  await removeStale(target);
  const temporary = temporaryName(target);
  try {
    const handle = await attempt(path, 'write', open(temporary, 'wx', existing ? existing.mode & 0o777 : 0o666));
    await writeInto(handle, path, chunks, true);
    await attempt(path, 'write', rename(temporary, target));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await flushFolder(dirname(target));
}

export interface FolderOptions {
  /** Which entries of a folder that is replaced may vanish though the new folder lacks them; by default none. */
  readonly disposable?: (name: string) => boolean;
}

/**
 * Writes a folder as a whole: `write` fills a temporary folder beside it, which then takes the name. When `write`
 * fails, or the process is killed, an existing folder keeps its content and a new one never appears.
 *
 * @throws InputError when it cannot be written, or when the folder that it would replace holds entries that the new one
 * lacks and that are not `disposable` (so that `--output .` deletes nobody's files)
 */
export async function writeFolderAtomic(
  path: string,
  write: (folder: string) => Promise<void>,
  { disposable = () => false }: FolderOptions = {},
): Promise<void> {
  const target = await followLinks(resolve(path));
  await attempt(path, 'write', mkdir(dirname(target), { recursive: true }));
  await recoverFolder(target);
  await removeStale(target);
  const temporary = temporaryName(target);
  try {
    await attempt(path, 'write', mkdir(temporary));
    await fill(path, temporary, write);
    await flushFolder(temporary);
    await checkReplaceable(path, target, temporary, disposable);
    await swap(path, temporary, target);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
  await flushFolder(dirname(target));
}

/**
 * Puts a folder back that a process killed while `writeFolderAtomic` exchanged two folders had just set aside. Call it
 * before reading a folder whose absence would mean lost work; harmless at any other time.
 */
export async function recoverFolder(path: string): Promise<void> {
  const target = resolve(path);
  const previous = previousName(target);
  if ((await statOrUndefined(previous)) === undefined) return;
  if ((await statOrUndefined(target)) === undefined) await attempt(path, 'recover', rename(previous, target));
  else await rm(previous, { recursive: true, force: true });
}

/** Runs `write`; its file errors name the folder that the user asked for, not the temporary one. */
async function fill(path: string, temporary: string, write: (folder: string) => Promise<void>): Promise<void> {
  try {
    await write(temporary);
  } catch (error) {
    if (
      error instanceof InputError &&
      error.location.line === undefined &&
      error.location.file?.startsWith(temporary)
    ) {
      const file = path + error.location.file.slice(temporary.length);
      throw new InputError(error.message.slice(error.location.file.length + 2), { file }, { cause: error });
    }
    const place = error instanceof Error && 'path' in error ? String(error.path) : undefined;
    const isOurs =
      place?.startsWith(temporary) ?? ['ENOSPC', 'EDQUOT', 'EFBIG', 'EIO'].includes(errorCode(error) ?? '');
    throw isOurs ? fileError(error, path + (place?.slice(temporary.length) ?? ''), 'write') : error;
  }
}

async function swap(path: string, temporary: string, target: string): Promise<void> {
  if ((await statOrUndefined(target)) === undefined) {
    await attempt(path, 'write', rename(temporary, target));
    return;
  }
  const previous = previousName(target);
  await attempt(path, 'replace', rename(target, previous));
  try {
    await attempt(path, 'write', rename(temporary, target));
  } catch (error) {
    await rename(previous, target);
    throw error;
  }
  await rm(previous, { recursive: true, force: true });
}

async function checkReplaceable(
  path: string,
  target: string,
  temporary: string,
  disposable: (name: string) => boolean,
): Promise<void> {
  const existing = await statOrUndefined(target);
  if (existing === undefined) return;
  if (!existing.isDirectory()) throw new InputError('cannot write: expected a folder, found a file', { file: path });
  const written = new Set(await readdir(temporary));
  const lost = (await attempt(path, 'read', readdir(target))).filter((name) => !written.has(name) && !disposable(name));
  if (lost.length === 0) return;
  const names = lost.sort().slice(0, 3).join(', ') + (lost.length > 3 ? ', ...' : '');
  throw new InputError(`expected an empty folder or one to replace, found other files in it (${names})`, {
    file: path,
  });
}

/** Writes all chunks and closes the handle. */
async function writeInto(handle: FileHandle, path: string, chunks: Chunks, flush: boolean): Promise<void> {
  try {
    const all = typeof chunks === 'string' || chunks instanceof Uint8Array ? [chunks] : chunks;
    for await (const chunk of all) await attempt(path, 'write', writeAll(handle, chunk));
    if (flush) await attempt(path, 'write', handle.sync());
  } finally {
    await attempt(path, 'write', handle.close());
  }
}

async function writeAll(handle: FileHandle, chunk: Chunk): Promise<void> {
  const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
  for (let at = 0; at < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, at, Math.min(bytes.length - at, 1 << 26));
    at += bytesWritten;
  }
}

async function followLinks(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return path;
    return attempt(path, 'write', Promise.reject(error as Error));
  }
}

async function statOrUndefined(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    return attempt(path, 'read', Promise.reject(error as Error));
  }
}

/** A rename survives a power cut only once the folder is on the disk; not every system can flush folders. */
async function flushFolder(path: string): Promise<void> {
  try {
    const handle = await open(path, 'r');
    await handle.sync().finally(() => handle.close());
  } catch {
    return;
  }
}

const host = hostname().replaceAll(/[^A-Za-z0-9]/g, '-');

function previousName(target: string): string {
  return join(dirname(target), `.${basename(target)}.previous`);
}

function temporaryName(target: string): string {
  const unique = `${host}.${process.pid}.${randomBytes(4).toString('hex')}`;
  return join(dirname(target), `.${basename(target)}.${unique}.tmp`);
}

/** Removes what processes of this machine that were killed while writing `target` left behind. */
async function removeStale(target: string): Promise<void> {
  const start = `.${basename(target)}.${host}.`;
  let names: string[];
  try {
    names = await readdir(dirname(target));
  } catch {
    return;
  }
  for (const name of names) {
    if (!name.startsWith(start) || !name.endsWith('.tmp')) continue;
    const pid = Number(name.slice(start.length).split('.')[0]);
    if (Number.isInteger(pid) && pid > 0 && !isRunning(pid)) {
      await rm(join(dirname(target), name), { recursive: true, force: true });
    }
  }
}

/** Whether a process of this machine is alive. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}
