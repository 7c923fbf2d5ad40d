import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { InputError } from '../../src/errors.js';
import {
  cachedModels,
  cacheFolder,
  loadBertWeights,
  parseHubId,
  resolveModel,
  type DownloadProgress,
  type HubOptions,
} from '../../src/weights/index.js';
import { GOLDEN, temporaryFolder } from './files.js';
import { COMMIT, HubServer } from './hub-server.js';

const golden = (name: string): Buffer => readFileSync(join(GOLDEN, name));
const big = randomBytes(300_000);
const files = new Map<string, Buffer>([
  ['.gitattributes', Buffer.from('*.bin filter=lfs\n')],
  ['README.md', Buffer.from('# A model\n')],
  ['config.json', golden('safetensors/config.json')],
  ['vocab.txt', golden('safetensors/vocab.txt')],
  ['tokenizer_config.json', golden('safetensors/tokenizer_config.json')],
  ['model.safetensors', golden('safetensors/model.safetensors')],
  ['pytorch_model.bin', golden('pytorch/pytorch_model.bin')],
  ['onnx/model.onnx', big],
]);

let server: HubServer;
let cache: string;

beforeEach(async () => {
  for (const name of ['HF_ENDPOINT', 'HF_TOKEN', 'HF_HUB_OFFLINE', 'EBIOBERT_CACHE']) vi.stubEnv(name, '');
  server = await new HubServer().start();
  server.models.set('org/bert', { commit: COMMIT, files });
  server.models.set('org/private', { commit: COMMIT, files });
  cache = temporaryFolder();
});

afterEach(async () => {
  await server.stop();
  vi.unstubAllEnvs();
});

const resolve = (id: string, options: HubOptions = {}): Promise<string> =>
  resolveModel(id, { cache, endpoint: server.endpoint, retryDelay: 1, ...options });
/** Fetches the one large file, 300,000 bytes. */
const onnx: HubOptions = { select: () => ['config.json', 'onnx/model.onnx'] };
const expectBig = (folder: string): void =>
  expect(big.equals(readFileSync(join(folder, 'onnx', 'model.onnx')))).toBe(true);

describe('a model from the hub', () => {
  test('only the files that are needed come, and they load', async () => {
    const folder = await resolve('org/bert');
    expect(readdirSync(folder).sort()).toEqual([
      'config.json',
      'model.safetensors',
      'tokenizer_config.json',
      'vocab.txt',
    ]);
    const shape = new Map([['bert.embeddings.word_embeddings.weight', [12, 8]]]);
    expect((await loadBertWeights(folder, shape)).tensors.size).toBe(1);
    expect(server.downloads('model.safetensors')).toEqual([undefined]);
    expect(server.downloads('pytorch_model.bin')).toEqual([]);
  });

  test('a second time only the commit is looked up, and by commit nothing', async () => {
    const folder = await resolve('org/bert');
    server.requests.length = 0;
    expect(await resolve('org/bert@main')).toBe(folder);
    expect(server.requests.map(({ url }) => url.split('/')[1])).toEqual(['api', 'api', 'api']);
    server.requests.length = 0;
    expect(await resolve(`org/bert@${COMMIT}`)).toBe(folder);
    expect(server.requests).toEqual([]);
  });

  test('a branch that moved gives the new commit, and the old one stays', async () => {
    const old = await resolve('org/bert');
    const commit = 'f'.repeat(40);
    server.models.set('org/bert', { commit, files: new Map([...files, ['vocab.txt', Buffer.from('[PAD]\n')]]) });
    const folder = await resolve('org/bert');
    expect(folder).not.toBe(old);
    expect(readFileSync(join(folder, 'vocab.txt'), 'utf8')).toBe('[PAD]\n');
    expect(readFileSync(join(old, 'vocab.txt'))).toEqual(files.get('vocab.txt'));
    expect((await cachedModels(cache)).map(({ id, commit }) => [id, commit])).toEqual([
      ['org/bert', COMMIT],
      ['org/bert', commit],
    ]);
  });

  test('tags and pull requests as revisions', async () => {
    const folder = await resolve('org/bert@v1.0');
    expect(await resolve('org/bert@refs/pr/1')).toBe(folder);
  });

  test('PyTorch weights, whole and in shards, when there are no safetensors', async () => {
    const only = (...names: string[]): Map<string, Buffer> =>
      new Map(names.map((name) => [name, files.get(name) ?? big]));
    server.models.set('org/old', {
      commit: COMMIT,
      files: only('config.json', 'vocab.txt', 'pytorch_model.bin', 'tf_model.h5'),
    });
    expect(readdirSync(await resolve('org/old')).sort()).toEqual(['config.json', 'pytorch_model.bin', 'vocab.txt']);
    const shards = [
      'model-00001-of-00002.safetensors',
      'model-00002-of-00002.safetensors',
      'model.safetensors.index.json',
    ];
    server.models.set('org/shards', { commit: COMMIT, files: only('config.json', 'pytorch_model.bin', ...shards) });
    expect(readdirSync(await resolve('org/shards')).sort()).toEqual(['config.json', ...shards]);
  });

  test('other files of a model whose weights are there already', async () => {
    const folder = await resolve('org/bert');
    server.requests.length = 0;
    expect(await resolve('org/bert', onnx)).toBe(folder);
    expectBig(folder);
    expect(server.requests.filter(({ url }) => url.includes('config.json'))).toEqual([]);
    expect(await cachedModels(cache)).toMatchObject([{ id: 'org/bert', folder }]);
  });

  test('progress rises to the total', async () => {
    const seen: DownloadProgress[] = [];
    await resolve('org/bert', { ...onnx, onProgress: (progress) => seen.push(progress) });
    const total = big.length + (files.get('config.json')?.length ?? 0);
    expect(seen.every((progress) => progress.total === total)).toBe(true);
    expect(seen.at(-1)).toEqual({ file: 'onnx/model.onnx', received: total, total });
    const received = seen.map((progress) => progress.received);
    expect(received).toEqual([...received].sort((a, b) => a - b));
  });

  test('the token reaches the hub and no other server', async () => {
    vi.stubEnv('HF_TOKEN', 'hf_right');
    await resolve('org/private');
    const sent = (start: string): Set<string | undefined> =>
      new Set(server.requests.filter(({ url }) => url.startsWith(start)).map(({ authorization }) => authorization));
    expect(sent('/api/')).toEqual(new Set(['Bearer hf_right']));
    expect(sent('/storage/')).toEqual(new Set([undefined]));
  });

  test('HF_ENDPOINT and EBIOBERT_CACHE', async () => {
    vi.stubEnv('HF_ENDPOINT', `${server.endpoint}/`);
    vi.stubEnv('EBIOBERT_CACHE', cache);
    expect(await resolveModel('org/bert')).toBe(join(cache, 'models', 'org--bert', 'snapshots', COMMIT));
  });

  test('two at once download once', async () => {
    const [a, b] = await Promise.all([resolve('org/bert', onnx), resolve('org/bert', onnx)]);
    expect(a).toBe(b);
    expect(server.downloads('model.onnx')).toEqual([undefined]);
  });

  test('a lock that a killed process left is no obstacle', async () => {
    const root = join(cache, 'models', 'org--bert');
    mkdirSync(root, { recursive: true });
    const { hostname } = await import('node:os');
    writeFileSync(join(root, 'lock'), JSON.stringify({ host: hostname(), pid: 2 ** 22 + 1 }));
    await resolve('org/bert');
    expect(existsSync(join(root, 'lock'))).toBe(false);
  });
});

describe('connections that break', () => {
  const partial = (): string => join(cache, 'models', 'org--bert', 'partial', COMMIT, 'onnx', 'model.onnx.incomplete');

  test('the download goes on where it broke off', async () => {
    server.faults = { breakAfter: 90_000, breaks: 2 };
    const folder = await resolve('org/bert', onnx);
    expectBig(folder);
    expect(server.downloads('model.onnx')).toEqual([undefined, 'bytes=90000-', 'bytes=180000-']);
  });

  test('a server without ranges starts over', async () => {
    server.faults = { breakAfter: 90_000, breaks: 1, noRanges: true };
    const folder = await resolve('org/bert', onnx);
    expectBig(folder);
  });

  test('a connection that stays broken: what arrived is kept, nothing is loadable, the next run continues', async () => {
    server.faults = { breakAfter: 50_000, breaks: 1 };
    const broken = resolve('org/bert', { ...onnx, retries: 0 });
    await expect(broken).rejects.toThrow(InputError);
    await expect(broken).rejects.toThrow(
      /^org\/bert: onnx\/model\.onnx: the download broke off after 50000 of 300000 bytes: .*run the same again/,
    );
    expect(statSync(partial()).size).toBe(50_000);
    expect(existsSync(join(cache, 'models', 'org--bert', 'snapshots'))).toBe(false);
    server.faults = {};
    const folder = await resolve('org/bert', onnx);
    expect(server.downloads('model.onnx')).toEqual([undefined, 'bytes=50000-']);
    expectBig(folder);
  });

  test('a wrong checksum: the download is discarded and the next one may be right', async () => {
    server.faults = { corrupt: true };
    const damaged = resolve('org/bert', onnx);
    await expect(damaged).rejects.toThrow(InputError);
    await expect(damaged).rejects.toThrow(
      /org\/bert: onnx\/model\.onnx: expected checksum [0-9a-f]{64}, found [0-9a-f]{64}/,
    );
    expect(existsSync(partial())).toBe(false);
    server.faults = {};
    expectBig(await resolve('org/bert', onnx));
  });

  test('a small file with a wrong git checksum', async () => {
    const tampering: typeof fetch = async (input, init) => {
      const response = await fetch(input, init);
      if (!String(input).endsWith('/vocab.txt')) return response;
      return new Response((await response.text()).replace('gene', 'Gene'));
    };
    await expect(resolve('org/bert', { fetch: tampering })).rejects.toThrow(
      /vocab\.txt: expected checksum [0-9a-f]{40}, found/,
    );
  });

  test('bytes left by another file are no obstacle', async () => {
    mkdirSync(join(partial(), '..'), { recursive: true });
    writeFileSync(partial(), Buffer.alloc(300_001));
    expectBig(await resolve('org/bert', onnx));
  });

  test('the caller can stop it', async () => {
    const controller = new AbortController();
    const stopping = resolve('org/bert', {
      ...onnx,
      signal: controller.signal,
      onProgress: ({ received }) => {
        if (received > 0) controller.abort();
      },
    });
    await expect(stopping).rejects.toMatchObject({ name: 'AbortError' });
    expect(existsSync(join(cache, 'models', 'org--bert', 'lock'))).toBe(false);
  });
});

describe('what the hub refuses', () => {
  test.each<[string, string, HubOptions]>([
    ['org/none', 'org/none: expected a folder or a model on http://127.0.0.1', {}],
    ['org/none', 'found none by that name (or it is private and needs HF_TOKEN)', {}],
    ['org/none', 'found none by that name (or HF_TOKEN has no access to it)', { token: 'hf_right' }],
    ['org/private', 'or it is private and needs HF_TOKEN', {}],
    ['org/gated', 'the model is gated: accept its terms at', {}],
    ['org/bert', 'expected a valid token in HF_TOKEN', { token: 'hf_wrong' }],
    ['org/bert@v9', 'expected a revision of the model, found none by that name', {}],
    [
      'org/bert',
      'expected bert.onnx among its files',
      {
        select: (_, id) => {
          throw new InputError('expected bert.onnx among its files', { file: id });
        },
      },
    ],
  ])('%s: %s', async (id, message, options) => {
    const resolving = resolve(id, options);
    await expect(resolving).rejects.toThrow(InputError);
    await expect(resolving).rejects.toThrow(message);
  });

  test('a repository without weights', async () => {
    server.models.set('org/empty', { commit: COMMIT, files: new Map([['config.json', Buffer.from('{}')]]) });
    await expect(resolve('org/empty')).rejects.toThrow('org/empty: expected model.safetensors or');
  });

  test('a repository whose paths lead outside', async () => {
    server.models.set('org/evil', { commit: COMMIT, files: new Map([['../../config.json', Buffer.from('{}')]]) });
    await expect(resolve('org/evil')).rejects.toThrow('expected files with path, size and checksum, found');
  });

  test('a login page instead of the hub', async () => {
    server.faults = { page: true };
    await expect(resolve('org/bert')).rejects.toThrow(/org\/bert: expected JSON from .*, found other text/);
  });
});

describe('without the hub', () => {
  const nowhere = 'http://127.0.0.1:9';

  test('unreachable: one clear error', async () => {
    const resolving = resolve('org/bert', { endpoint: nowhere });
    await expect(resolving).rejects.toThrow(InputError);
    await expect(resolving).rejects.toThrow(
      /^org\/bert: cannot reach http:\/\/127\.0\.0\.1:9 \(.+\), and the cache \(.+\) has not all of its files: try again/,
    );
  });

  test('unreachable or overloaded: the cache serves, with a warning', async () => {
    const folder = await resolve('org/bert');
    const warnings: string[] = [];
    const onWarning = (message: string): void => void warnings.push(message);
    expect(await resolve('org/bert', { endpoint: nowhere, onWarning })).toBe(folder);
    server.faults = { status: 503 };
    expect(await resolve('org/bert', { onWarning })).toBe(folder);
    expect(warnings).toEqual([
      expect.stringContaining('cannot reach http://127.0.0.1:9'),
      expect.stringContaining('cannot answer now (status 503); using what is in the cache'),
    ]);
  });

  test('HF_HUB_OFFLINE: the cache, without a request', async () => {
    const folder = await resolve('org/bert');
    server.requests.length = 0;
    vi.stubEnv('HF_HUB_OFFLINE', '1');
    expect(await resolve('org/bert')).toBe(folder);
    await expect(resolve('org/other')).rejects.toThrow(
      /^org\/other: found no such folder, and offline the cache \(.+\) has not all of its files: unset HF_HUB_OFFLINE/,
    );
    await expect(resolve('org/bert', onnx)).rejects.toThrow('offline the cache');
    expect(server.requests).toEqual([]);
  });
});

describe('ids and folders', () => {
  test('a folder is itself', async () => {
    const folder = temporaryFolder();
    expect(await resolve(folder)).toBe(folder);
    expect(server.requests).toEqual([]);
  });

  test.each(['./none', '/no/such/folder', '../x', 'a/b/c', 'C:\\models', 'org/bert@', ''])(
    '%j is neither',
    async (text) => {
      await expect(resolve(text)).rejects.toThrow(
        'expected a folder or a Hugging Face id (owner/name), found no such folder',
      );
      expect(server.requests).toEqual([]);
    },
  );

  test('a file is neither', async () => {
    await expect(resolve(join(GOLDEN, 'dtypes.bin'))).rejects.toThrow('expected a model folder, found a file');
  });

  test('parts of an id', () => {
    expect(parseHubId('dmis-lab/biobert-base-cased-v1.1')).toEqual({
      id: 'dmis-lab/biobert-base-cased-v1.1',
      revision: 'main',
    });
    expect(parseHubId('bert-base-cased@v2')).toEqual({ id: 'bert-base-cased', revision: 'v2' });
    expect(parseHubId('a/b@refs/pr/3')).toEqual({ id: 'a/b', revision: 'refs/pr/3' });
    expect(parseHubId('a--b/c')).toBeUndefined();
  });

  test('the cache folder', () => {
    expect(cacheFolder({ EBIOBERT_CACHE: '/a', XDG_CACHE_HOME: '/b' })).toBe('/a');
    expect(cacheFolder({ XDG_CACHE_HOME: '/b' })).toBe(join('/b', 'ebiobert'));
    expect(cacheFolder({})).toMatch(/\.cache.ebiobert$/);
  });
});
