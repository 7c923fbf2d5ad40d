import { mkdir, open, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { homedir, hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { isRunning, writeFileAtomic } from './atomic.js';
import type { RemoteFile } from './download.js';
import { attempt, errorCode } from './file-errors.js';

const listingSchema = z.object({
  id: z.string(),
  commit: z.string(),
  files: z.array(
    z.object({
      path: z.string(),
      size: z.int().min(0),
      checksum: z.object({ kind: z.enum(['sha256', 'git']), value: z.string() }),
    }),
  ),
});

/** All files of a model at one commit, downloaded or not. */
export interface Listing {
  readonly id: string;
  /** 40 hexadecimal digits. */
  readonly commit: string;
  readonly files: readonly RemoteFile[];
}

/** A model in the cache. */
export interface CachedModel {
  readonly id: string;
  readonly commit: string;
  readonly folder: string;
  /** Bytes of the files that are there. */
  readonly bytes: number;
}

/** The cache folder: `EBIOBERT_CACHE`, else `ebiobert` in `XDG_CACHE_HOME`, else in the user's `.cache`. */
export function cacheFolder(environment: Readonly<Record<string, string | undefined>> = process.env): string {
  const { EBIOBERT_CACHE: own, XDG_CACHE_HOME: shared } = environment;
  return own || join(shared || join(homedir(), '.cache'), 'ebiobert');
}

/**
 * One model's part of the cache: `snapshots/COMMIT/` holds verified files, `partial/COMMIT/` downloads under way,
 * `refs/REVISION` the commit that a branch or tag last stood for, `listings/COMMIT.json` what the model consists of.
 */
export class ModelCache {
  readonly root: string;

  constructor(
    cache: string,
    readonly id: string,
  ) {
    this.root = join(cache, 'models', id.replace('/', '--'));
  }

  snapshot(commit: string): string {
    return join(this.root, 'snapshots', commit);
  }

  partial(commit: string): string {
    return join(this.root, 'partial', commit);
  }

  /** The commit that a branch or tag stood for when it was last looked up. */
  async commitOf(revision: string): Promise<string | undefined> {
    const text = await readOrUndefined(this.refFile(revision));
    return text?.trim();
  }

  async remember(revision: string, listing: Listing): Promise<void> {
    const [ref, file] = [this.refFile(revision), this.listingFile(listing.commit)];
    for (const path of [ref, file]) await attempt(path, 'write', mkdir(dirname(path), { recursive: true }));
    await writeFileAtomic(file, `${JSON.stringify(listing)}\n`);
    await writeFileAtomic(ref, `${listing.commit}\n`);
  }

  /** What a commit consists of, if it was looked up before. */
  async listing(commit: string): Promise<Listing | undefined> {
    const text = await readOrUndefined(this.listingFile(commit));
    return text === undefined ? undefined : parseListing(text);
  }

  /** Those of the files that a snapshot lacks. */
  async missing(commit: string, files: readonly RemoteFile[]): Promise<readonly RemoteFile[]> {
    const sizes = await Promise.all(files.map((file) => sizeOrUndefined(join(this.snapshot(commit), file.path))));
    return files.filter((file, i) => sizes[i] !== file.size);
  }

  /** Moves a downloaded file to its snapshot. */
  async publish(commit: string, path: string): Promise<void> {
    const target = join(this.snapshot(commit), path);
    await attempt(target, 'write', mkdir(dirname(target), { recursive: true }));
    await attempt(target, 'write', rename(join(this.partial(commit), path), target));
  }

  /** Runs while no other process does for the same model. */
  async exclusively<T>(run: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    await attempt(this.root, 'write', mkdir(this.root, { recursive: true }));
    return withLock(join(this.root, 'lock'), run, signal);
  }

  private refFile(revision: string): string {
    return join(this.root, 'refs', encodeURIComponent(revision));
  }

  private listingFile(commit: string): string {
    return join(this.root, 'listings', `${commit}.json`);
  }
}

/** The models of a cache that have files, by id. */
export async function cachedModels(cache = cacheFolder()): Promise<CachedModel[]> {
  const models: CachedModel[] = [];
  const root = join(cache, 'models');
  for (const name of await readdirOrEmpty(root)) {
    for (const file of await readdirOrEmpty(join(root, name, 'listings'))) {
      const listing = parseListing((await readOrUndefined(join(root, name, 'listings', file))) ?? '');
      if (listing === undefined) continue;
      const folder = join(root, name, 'snapshots', listing.commit);
      const sizes = await Promise.all(listing.files.map(({ path }) => sizeOrUndefined(join(folder, path))));
      const bytes = sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
      if (bytes > 0) models.push({ id: listing.id, commit: listing.commit, folder, bytes });
    }
  }
  return models.sort((a, b) => (a.id + a.commit < b.id + b.commit ? -1 : 1));
}

const LOCK_STALE = 60_000;
const host = hostname();

/** A lock file that dies with its process: its owner is named in it, and touches it while at work. */
async function withLock<T>(path: string, run: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  while (!(await tryLock(path))) {
    if (await isStale(path)) await rm(path, { force: true });
    else await sleep(200, undefined, signal ? { signal } : {});
  }
  const beat = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => undefined), LOCK_STALE / 6);
  beat.unref();
  try {
    return await run();
  } finally {
    clearInterval(beat);
    await rm(path, { force: true });
  }
}

async function tryLock(path: string): Promise<boolean> {
  try {
    const handle = await open(path, 'wx');
    await handle.writeFile(JSON.stringify({ host, pid: process.pid })).finally(() => handle.close());
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    return attempt(path, 'write', Promise.reject(error as Error));
  }
}

async function isStale(path: string): Promise<boolean> {
  try {
    if (Date.now() - (await stat(path)).mtimeMs > LOCK_STALE) return true;
    const owner = z.object({ host: z.string(), pid: z.int() }).safeParse(JSON.parse(await readFile(path, 'utf8')));
    return owner.success && owner.data.host === host && !isRunning(owner.data.pid);
  } catch {
    return false;
  }
}

function parseListing(text: string): Listing | undefined {
  try {
    return listingSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

async function readOrUndefined(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    return attempt(path, 'read', Promise.reject(error as Error));
  }
}

async function sizeOrUndefined(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch {
    return undefined;
  }
}

async function readdirOrEmpty(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch {
    return [];
  }
}
