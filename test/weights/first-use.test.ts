import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ebiobert, failure, start, type Outcome } from '../cli/support/run.js';
import { settings, writeCorpus } from '../cli/support/tiny.js';
import { COMMIT, HubServer } from './hub-server.js';

/** A small BioBERT on the hub: the files of dmis-lab/biobert-base-cased-v1.1, no more. */
const ID = 'dmis-lab/biobert-base-cased-v1.1';
const golden = fileURLToPath(new URL('../golden/data/biobert/pytorch/', import.meta.url));
const needed = ['config.json', 'pytorch_model.bin', 'vocab.txt'];
const weights = readFileSync(join(golden, 'pytorch_model.bin'));
const half = weights.length >> 1;

let server: HubServer;
let folder: string;
let args: readonly string[];
let env: Record<string, string>;

beforeEach(async () => {
  server = await new HubServer().start();
  const files = new Map(needed.map((name): [string, Buffer] => [name, readFileSync(join(golden, name))]));
  const others: [string, Buffer][] = [
    ['.gitattributes', Buffer.from('*.bin filter=lfs\n')],
    ['README.md', Buffer.from('# BioBERT\n')],
    ['flax_model.msgpack', Buffer.alloc(5000)],
  ];
  server.models.set(ID, { commit: COMMIT, files: new Map([...files, ...others]) });
  folder = mkdtempSync(join(tmpdir(), 'ebiobert-first-use-'));
  const [corpus, config] = [join(folder, 'tiny'), join(folder, 'config.json')];
  await writeCorpus(corpus, false);
  writeFileSync(config, JSON.stringify({ model: settings.sequence, training: { epochs: 1 } }));
  args = ['train', '--corpus', corpus, '--config', config, '--threads', '1', '--output', join(folder, 'model')];
  env = { EBIOBERT_CACHE: join(folder, 'cache'), HF_ENDPOINT: server.endpoint, HF_HUB_OFFLINE: '', HF_TOKEN: '' };
});

afterEach(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

const train = (): Promise<Outcome> => ebiobert([...args, '--encoder', ID], { env });
const snapshot = (): string => join(folder, 'cache', 'models', 'dmis-lab--biobert-base-cased-v1.1', 'snapshots', COMMIT); // prettier-ignore
const incomplete = (): string => snapshot().replace('snapshots', 'partial').concat('/pytorch_model.bin.incomplete');

describe('ebiobert train --encoder dmis-lab/biobert-base-cased-v1.1', () => {
  test('downloads what is needed, says so, and trains a cased model', async () => {
    const { status, stdout, stderr } = await train();
    expect({ status, stdout }).toEqual({ status: 0, stdout: `${join(folder, 'model')}\n` });
    expect(readdirSync(snapshot()).sort()).toEqual(needed);
    const bytes = needed.reduce((sum, name) => sum + statSync(join(golden, name)).size, 0);
    const megabytes = (bytes / 1e6).toFixed(1);
    const [first, second, third] = stderr.split('\n');
    expect(first).toBe(`downloading ${ID}, ${megabytes} MB, to ${join(folder, 'cache')}`);
    expect(second).toMatch(new RegExp(`^100 %  \\S+  ${megabytes} of ${megabytes} MB  0:00 left$`));
    expect(third).toMatch(/^tiny: /);
    const tokenizer = JSON.parse(readFileSync(join(folder, 'model', 'tokenizer.json'), 'utf8')) as object;
    expect(tokenizer).toMatchObject({ normalizer: { lowercase: false } });
    expect(readFileSync(join(folder, 'model', 'README.md'), 'utf8')).toContain(`--encoder ${ID}`);
  });

  test('the second time needs no download, and no network', async () => {
    await train();
    server.requests.length = 0;
    rmSync(join(folder, 'model.run'), { recursive: true });
    env = { ...env, HF_HUB_OFFLINE: '1' };
    const { status, stderr } = await train();
    expect(status).toBe(0);
    expect(stderr).not.toContain('downloading');
    expect(server.requests).toEqual([]);
  });

  test('says that the cache serves when the hub cannot be reached', async () => {
    await train();
    rmSync(join(folder, 'model.run'), { recursive: true });
    server.faults = { status: 503 };
    const { status, stderr } = await train();
    expect(status).toBe(0);
    expect(stderr).toMatch(/cannot answer now \(status 503\); using what is in the cache$/m);
  });

  test('goes on by itself where a connection broke', async () => {
    server.faults = { breakAfter: half, breaks: 1 };
    const { status } = await train();
    expect(status).toBe(0);
    expect(server.downloads('pytorch_model.bin')).toEqual([undefined, `bytes=${half}-`]);
    expect(weights.equals(readFileSync(join(snapshot(), 'pytorch_model.bin')))).toBe(true);
  });

  test.each(['SIGINT', 'SIGKILL'] as const)('goes on where %s ended it', async (signal) => {
    server.faults = { stallAfter: half };
    const child = start([...args, '--encoder', ID], { env });
    const closed = once(child, 'close');
    await expect.poll(() => (existsSync(incomplete()) ? statSync(incomplete()).size : 0), { timeout: 60_000 }).toBe(half); // prettier-ignore
    child.kill(signal);
    const [status] = (await closed) as [number | null];
    expect(status).toBe(signal === 'SIGINT' ? 130 : null);
    expect(existsSync(snapshot())).toBe(false);
    server.faults = {};
    expect((await train()).status).toBe(0);
    expect(server.downloads('pytorch_model.bin')).toEqual([undefined, `bytes=${half}-`]);
    expect(weights.equals(readFileSync(join(snapshot(), 'pytorch_model.bin')))).toBe(true);
  });

  test('a damaged download is named, and nothing of it stays', async () => {
    server.faults = { corrupt: true };
    const { status, stdout, stderr } = await train();
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr.trimEnd().split('\n').at(-1)).toMatch(
      /^ebiobert: dmis-lab\/\S+: pytorch_model\.bin: expected checksum [0-9a-f]{64}, found [0-9a-f]{64}: .* try again$/,
    );
    expect([existsSync(snapshot()), existsSync(incomplete()), existsSync(join(folder, 'model'))]).toEqual([false, false, false]); // prettier-ignore
    server.faults = {};
    expect((await train()).status).toBe(0);
  });

  test('corpora at fault are found before anything is downloaded', async () => {
    rmSync(join(folder, 'tiny', 'train.tsv'));
    expect(await failure([...args, '--encoder', ID], { env })).toContain('expected train, devel or test files');
    expect(server.requests).toEqual([]);
  });
});

test('a model on the hub shows its card, and tags', async () => {
  await train();
  const card = readFileSync(join(folder, 'model', 'README.md'));
  const names = ['README.md', 'config.json', 'tokenizer.json', 'model.safetensors', 'onnx/model_quantized.onnx'];
  const files = names.map((name): [string, Buffer] => [name, readFileSync(join(folder, 'model', name))]);
  server.models.set('lab/tiny', { commit: COMMIT, files: new Map(files) });
  server.requests.length = 0;
  expect(await ebiobert(['model', 'show', 'lab/tiny'], { env })).toMatchObject({ status: 0, stdout: String(card) });
  expect(server.downloads('model.safetensors')).toEqual([]);
  const text = join(folder, 'text.txt');
  writeFileSync(text, 'BRCA1 causes cancer.');
  const { status, stdout } = await ebiobert(['tag', text, '--model', 'lab/tiny', '--to', 'jsonl'], { env });
  expect({ status, id: (JSON.parse(stdout) as { id: string }).id }).toEqual({ status: 0, id: 'text' });
});

describe('one line when there is nothing to download', () => {
  const line = (id: string, more: Record<string, string>): Promise<string> =>
    failure([...args, '--encoder', id], { env: { ...env, ...more } });

  test.each<[string, string, Record<string, string>, RegExp]>([
    [
      'no network',
      ID,
      { HF_ENDPOINT: 'http://127.0.0.1:9' },
      /: cannot reach http:\/\/127\.0\.0\.1:9 \(.+\), and the cache \(.+\) has not all of its files: try again when it can be reached, or give a folder/,
    ],
    [
      'HF_HUB_OFFLINE',
      ID,
      { HF_HUB_OFFLINE: '1' },
      /: found no such folder, and offline the cache \(.+\) has not all of its files: unset HF_HUB_OFFLINE to download/,
    ],
    [
      'no such repository',
      'dmis-lab/biobert',
      {},
      /expected a folder or a model on .*, found none by that name \(or it is private and needs HF_TOKEN\)/,
    ],
    [
      'no such repository, with a token',
      'dmis-lab/biobert',
      { HF_TOKEN: 'hf_right' },
      /expected a folder or a model on .*, found none by that name \(or HF_TOKEN has no access to it\)/,
    ],
    ['a wrong token', ID, { HF_TOKEN: 'hf_wrong' }, /expected a valid token in HF_TOKEN, .* refused this one/],
    ['a gated repository', 'org/gated', {}, /the model is gated: accept its terms at/],
  ])('%s', async (_, id, more, message) => {
    expect(await line(id, more)).toMatch(message);
    expect(existsSync(join(folder, 'model.run'))).toBe(false);
  });
});
