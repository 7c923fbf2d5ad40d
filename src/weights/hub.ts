import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../errors.js';
import { cacheFolder, ModelCache, type Listing } from './cache.js';
import { TOKENIZER_FILES, WEIGHT_FILES } from './checkpoint.js';
import { download, type RemoteFile } from './download.js';
import { HubUnreachable, hubFetch, type HubConnection } from './hub-fetch.js';

/** How far a download is, in bytes; files that were there already are not counted. */
export interface DownloadProgress {
  readonly file: string;
  readonly received: number;
  readonly total: number;
}

/** Which of a repository's files are needed. Throws InputError when one that must be there is not. */
export type SelectFiles = (paths: readonly string[], id: string) => readonly string[];

export interface HubOptions {
  /** Default: see `cacheFolder`. */
  readonly cache?: string;
  /** Default: `HF_ENDPOINT`, else https://huggingface.co. */
  readonly endpoint?: string;
  /** Default: `HF_TOKEN`. */
  readonly token?: string;
  /** Use the cache alone. Default: whether `HF_HUB_OFFLINE` is 1, on, yes or true. */
  readonly offline?: boolean;
  /** Default: `checkpointFiles`. */
  readonly select?: SelectFiles;
  readonly onProgress?: (progress: DownloadProgress) => void;
  /** Told when the hub cannot be reached and the cache answers instead. */
  readonly onWarning?: (message: string) => void;
  readonly fetch?: typeof fetch;
  readonly signal?: AbortSignal;
  /** How often in a row to try again when nothing arrives; 4. */
  readonly retries?: number;
  /** Milliseconds before the first of these, doubled each time; 1000. */
  readonly retryDelay?: number;
}

/** A model on the hub: `dmis-lab/biobert-base-cased-v1.1`, or with a branch, tag or commit after `@`. */
export interface HubId {
  readonly id: string;
  readonly revision: string;
}

const HUB = 'https://huggingface.co';
const COMMIT = /^[0-9a-f]{40}$/;

/** Takes `owner/name` or `name` apart, with an optional `@revision` (default `main`); undefined for other text. */
export function parseHubId(text: string): HubId | undefined {
  const [, id, revision] = /^((?:[\w.-]+\/)?[\w.-]+)(?:@([^\s@]+))?$/.exec(text) ?? [];
  if (id === undefined || id.split('/').some((part) => /^[.-]|[.-]$|--|\.\./.test(part))) return undefined;
  return { id, revision: revision ?? 'main' };
}

/** What reading an encoder needs: `config.json`, tokenizer files and one form of the weights, safetensors if there. */
export const checkpointFiles: SelectFiles = (paths, id) => {
  const there = new Set(paths);
  if (!there.has('config.json')) throw new InputError('expected config.json among its files, found none', { file: id });
  const weights = WEIGHT_FILES.find((name) => there.has(name));
  if (weights === undefined)
    throw new InputError(`expected ${WEIGHT_FILES.join(' or ')} among its files, found none`, { file: id });
  const shards = weights.startsWith('model.') ? /^model-\d+-of-\d+\.safetensors$/ : /^pytorch_model-\d+-of-\d+\.bin$/;
  const parts = weights.endsWith('.index.json') ? paths.filter((path) => shards.test(path)) : [];
  return ['config.json', ...TOKENIZER_FILES.filter((name) => there.has(name)), weights, ...parts];
};

/**
 * The local folder of a model: the folder itself, or for a Hugging Face id its files in the cache, downloaded if they
 * are not there. A branch or tag is looked up each time (its commit decides); a commit in the cache needs no network.
 * When the hub cannot be reached the cached state of the branch serves, with a warning.
 *
 * @throws InputError when there is no such folder or model, access is denied, the hub cannot be reached and the cache
 * has not all files, or a download fails
 */
export async function resolveModel(idOrFolder: string, options: HubOptions = {}): Promise<string> {
  const existing = await kindOf(idOrFolder);
  if (existing === 'folder') return idOrFolder;
  if (existing === 'file') throw new InputError('expected a model folder, found a file', { file: idOrFolder });
  const hubId = parseHubId(idOrFolder);
  if (hubId === undefined) {
    throw new InputError('expected a folder or a Hugging Face id (owner/name), found no such folder', {
      file: idOrFolder,
    });
  }
  return new Resolver(hubId, options).resolve();
}

class Resolver {
  private readonly cache: ModelCache;
  private readonly connection: HubConnection;
  private readonly offline: boolean;
  private readonly select: SelectFiles;

  constructor(
    private readonly hubId: HubId,
    private readonly options: HubOptions,
  ) {
    const { HF_ENDPOINT, HF_TOKEN, HF_HUB_OFFLINE } = process.env;
    this.cache = new ModelCache(options.cache ?? cacheFolder(), hubId.id);
    this.connection = {
      endpoint: (options.endpoint ?? (HF_ENDPOINT || HUB)).replace(/\/+$/, ''),
      token: options.token ?? (HF_TOKEN?.trim() || undefined),
      fetch: options.fetch ?? fetch,
      signal: options.signal,
    };
    this.offline = options.offline ?? /^(1|on|yes|true)$/i.test(HF_HUB_OFFLINE ?? '');
    this.select = options.select ?? checkpointFiles;
  }

  async resolve(): Promise<string> {
    const { id, revision } = this.hubId;
    if (COMMIT.test(revision) || this.offline) {
      const cached = await this.fromCache();
      if (cached !== undefined) return cached;
    }
    if (this.offline) throw new InputError(`found no such folder, and offline ${this.nothingCached()}`, { file: id });
    let listing: Listing;
    try {
      listing = await this.fetchListing();
    } catch (error) {
      if (!(error instanceof HubUnreachable)) throw error;
      const cached = await this.fromCache();
      if (cached === undefined) throw this.unreachable(error);
      this.options.onWarning?.(`${error.message}; using what is in the cache`);
      return cached;
    }
    const files = this.selected(listing);
    const missing = await this.cache.missing(listing.commit, files);
    if (missing.length > 0) await this.cache.exclusively(() => this.fetchFiles(listing, files), this.options.signal);
    await this.cache.remember(revision, listing);
    return this.cache.snapshot(listing.commit);
  }

  /** The snapshot of the revision as last seen, if all its files are there. */
  private async fromCache(): Promise<string | undefined> {
    const { revision } = this.hubId;
    const commit = COMMIT.test(revision) ? revision : await this.cache.commitOf(revision);
    const listing = commit === undefined ? undefined : await this.cache.listing(commit);
    if (listing === undefined) return undefined;
    const missing = await this.cache.missing(listing.commit, this.selected(listing));
    return missing.length === 0 ? this.cache.snapshot(listing.commit) : undefined;
  }

  private unreachable(error: HubUnreachable): HubUnreachable {
    const { id } = this.hubId;
    const reason = error.message.replace(`${id}: `, '');
    return new HubUnreachable(`${reason}, and ${this.nothingCached()}`, { file: id }, { cause: error });
  }

  private nothingCached(): string {
    const advice = this.offline ? 'unset HF_HUB_OFFLINE to download them' : 'try again when it can be reached';
    return `the cache (${this.cache.root}) has not all of its files: ${advice}, or give a folder that holds them`;
  }

  private selected(listing: Listing): readonly RemoteFile[] {
    const wanted = new Set(
      this.select(
        listing.files.map((file) => file.path),
        this.hubId.id,
      ),
    );
    return listing.files.filter((file) => wanted.has(file.path));
  }

  private async fetchListing(): Promise<Listing> {
    const { id, revision } = this.hubId;
    // Imported only here: it takes longer to load than a cached model takes to find.
    const { listFiles, modelInfo } = await import('@huggingface/hub');
    const hub = { hubUrl: this.connection.endpoint, fetch: hubFetch(this.connection, id) };
    try {
      const { sha: commit } = await modelInfo({ name: id, revision, additionalFields: ['sha'], ...hub });
      if (!COMMIT.test(commit))
        throw new InputError(`expected a commit, found ${JSON.stringify(commit)}`, { file: id });
      const files: RemoteFile[] = [];
      for await (const entry of listFiles({
        repo: { type: 'model', name: id },
        revision: commit,
        recursive: true,
        ...hub,
      })) {
        if (entry.type === 'file') files.push(remoteFile(entry, id));
      }
      return { id, commit, files };
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      const found = `expected JSON from ${this.connection.endpoint}, found other text (is a proxy or login page between?)`;
      throw new InputError(found, { file: id }, { cause: error });
    }
  }

  /** Downloads what is missing, then moves it to the snapshot, `config.json` last: without it no folder is loaded. */
  private async fetchFiles(listing: Listing, files: readonly RemoteFile[]): Promise<void> {
    const { id } = this.hubId;
    const { commit } = listing;
    const missing = await this.cache.missing(commit, files);
    const total = missing.reduce((sum, file) => sum + file.size, 0);
    let before = 0;
    for (const file of missing) {
      const path = file.path.split('/').map(encodeURIComponent).join('/');
      const url = `${this.connection.endpoint}/${id}/resolve/${commit}/${path}`;
      const target = join(this.cache.partial(commit), file.path);
      await download(url, file, target, {
        connection: this.connection,
        model: id,
        retries: this.options.retries ?? 4,
        retryDelay: this.options.retryDelay ?? 1000,
        onBytes: (bytes) => this.options.onProgress?.({ file: file.path, received: before + bytes, total }),
      });
      before += file.size;
    }
    const isConfig = (file: RemoteFile): number => (file.path === 'config.json' ? 1 : 0);
    for (const { path } of [...missing].sort((a, b) => isConfig(a) - isConfig(b)))
      await this.cache.publish(commit, path);
  }
}

interface ListedFile {
  readonly path: string;
  readonly size: number;
  readonly oid?: string;
  readonly lfs?: { readonly oid: string; readonly size: number };
}

function remoteFile({ path, size, oid, lfs }: ListedFile, id: string): RemoteFile {
  const checksum = lfs ? ({ kind: 'sha256', value: lfs.oid } as const) : ({ kind: 'git', value: oid ?? '' } as const);
  const isSafe = path.split('/').every((part) => part !== '' && part !== '.' && part !== '..') && !/[\\:\0]/.test(path);
  if (!isSafe || !Number.isSafeInteger(size) || !/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(checksum.value)) {
    throw new InputError(`expected files with path, size and checksum, found ${JSON.stringify({ path, size, oid })}`, {
      file: id,
    });
  }
  return { path, size: lfs?.size ?? size, checksum };
}

async function kindOf(path: string): Promise<'folder' | 'file' | undefined> {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'file';
  } catch {
    return undefined;
  }
}
