import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, stat, truncate } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { InputError } from '../errors.js';
import { attempt } from './file-errors.js';
import { HubUnreachable, hubFetch, networkError, type HubConnection } from './hub-fetch.js';

/** A file of a model on the hub, at one commit. */
export interface RemoteFile {
  /** Inside the repository, with `/`. */
  readonly path: string;
  readonly size: number;
  /** SHA-256 of the content (large files), else the git blob id: SHA-1 of `blob SIZE\0` and the content. */
  readonly checksum: { readonly kind: 'sha256' | 'git'; readonly value: string };
}

export interface DownloadOptions {
  readonly connection: HubConnection;
  readonly model: string;
  /** How often in a row to try again when no byte arrives. */
  readonly retries: number;
  /** Milliseconds before the first of these, doubled each time. */
  readonly retryDelay: number;
  /** Told how many bytes of the file are there. */
  readonly onBytes: (received: number) => void;
}

/**
 * Downloads a file to `target`, which appears only when it is complete and its checksum is right. What arrives is kept
 * in `target.incomplete`, and a later call goes on from there (HTTP Range).
 *
 * @throws InputError when the connection stays broken, the checksum is wrong, or the file cannot be written
 */
export async function download(url: string, file: RemoteFile, target: string, options: DownloadOptions): Promise<void> {
  const incomplete = `${target}.incomplete`;
  await attempt(target, 'write', mkdir(dirname(target), { recursive: true }));
  await attempt(
    target,
    'write',
    open(incomplete, 'a').then((handle) => handle.close()),
  );
  let failures = 0;
  for (;;) {
    let have = await sizeOf(incomplete);
    if (have > file.size) await truncate(incomplete, (have = 0));
    options.onBytes(have);
    if (have === file.size) break;
    try {
      await fetchRest(url, file, incomplete, have, options);
    } catch (error) {
      if (!(error instanceof HubUnreachable)) throw error;
      const arrived = await sizeOf(incomplete);
      failures = arrived > have ? 1 : failures + 1;
      if (failures > options.retries) throw broken(file, arrived, options.model, error);
      await sleep(options.retryDelay * 2 ** (failures - 1), undefined, abortable(options.connection.signal));
    }
  }
  await verify(incomplete, file, options.model);
  await attempt(target, 'write', rename(incomplete, target));
}

/** Appends what is missing from byte `have` on, as far as the connection lasts. */
async function fetchRest(
  url: string,
  file: RemoteFile,
  incomplete: string,
  have: number,
  options: DownloadOptions,
): Promise<void> {
  const { connection, model, onBytes } = options;
  const headers = { 'Accept-Encoding': 'identity', ...(have > 0 ? { Range: `bytes=${have}-` } : {}) };
  const response = await hubFetch(connection, model)(url, { headers });
  let at = response.status === 206 ? have : 0;
  const range = response.headers.get('Content-Range');
  if (response.status === 206 && !range?.startsWith(`bytes ${have}-`)) {
    await response.body?.cancel();
    throw new InputError(`${file.path}: expected bytes from ${have} on, found ${range ?? 'others'}`, { file: model });
  }
  if (response.body === null) throw new HubUnreachable(`${file.path}: expected content, found none`, { file: model });
  const reader = response.body.getReader();
  const handle = await attempt(incomplete, 'write', open(incomplete, 'r+'));
  try {
    if (at === 0) await attempt(incomplete, 'write', handle.truncate(0));
    for (;;) {
      const { done, value } = await reader.read().catch((error: unknown) => {
        throw networkError(error, connection, model);
      });
      if (done) break;
      if (at + value.length > file.size) {
        throw new InputError(`${file.path}: expected ${file.size} bytes, found more`, { file: model });
      }
      for (let done = 0; done < value.length;) {
        const { bytesWritten } = await attempt(
          incomplete,
          'write',
          handle.write(value, done, value.length - done, at + done),
        );
        done += bytesWritten;
      }
      at += value.length;
      onBytes(at);
    }
  } finally {
    await handle.close();
    await reader.cancel().catch(() => undefined);
  }
  if (at < file.size) throw new HubUnreachable('the connection was closed early', { file: model });
}

function broken(file: RemoteFile, arrived: number, model: string, cause: HubUnreachable): InputError {
  const reason = cause.message.replace(`${model}: `, '');
  return new HubUnreachable(
    `${file.path}: the download broke off after ${arrived} of ${file.size} bytes: ${reason}; run the same again to continue`,
    { file: model },
    { cause },
  );
}

async function verify(path: string, { path: name, size, checksum }: RemoteFile, model: string): Promise<void> {
  const hash: Hash = createHash(checksum.kind === 'git' ? 'sha1' : 'sha256');
  if (checksum.kind === 'git') hash.update(`blob ${size}\0`);
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  const found = hash.digest('hex');
  if (found === checksum.value) return;
  await rm(path, { force: true });
  throw new InputError(
    `${name}: expected checksum ${checksum.value}, found ${found}: what was downloaded is damaged and removed, try again`,
    { file: model },
  );
}

async function sizeOf(path: string): Promise<number> {
  return (await attempt(path, 'read', stat(path))).size;
}

function abortable(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal ? { signal } : {};
}
