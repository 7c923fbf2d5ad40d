import { createHash } from 'node:crypto';
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { failure as failed, temporaryFolder } from './support/run.js';
import { SAMPLE, writeEncoder, writeModel } from './support/tiny.js';

const folder = temporaryFolder();
const failure = (args: readonly string[], input = ''): Promise<string> => failed(args, { cwd: folder, input });

const model = join(folder, 'model');
beforeAll(async () => {
  await writeModel('sequence', model);
  await writeEncoder(join(folder, 'encoder'));
}, 60_000);

describe('a model at fault is named', () => {
  const bad = join(folder, 'bad');
  beforeEach(() => {
    cpSync(model, bad, { recursive: true });
  });
  afterEach(() => {
    rmSync(bad, { recursive: true });
  });
  const tag = (): Promise<string> => failure(['tag', '--model', 'bad'], SAMPLE);
  const graph = 'onnx/model_quantized.onnx';
  const edit = (file: string, change: (content: Buffer) => string | Uint8Array): void => {
    writeFileSync(join(bad, file), change(readFileSync(join(bad, file))));
  };
  const editConfig = (change: (config: Record<string, unknown>) => unknown): void => {
    edit('config.json', (text) => JSON.stringify(change(JSON.parse(text.toString()) as Record<string, unknown>)));
  };

  test.each(['config.json', 'tokenizer.json', graph])('without %s', async (file) => {
    rmSync(join(bad, file));
    expect(await tag()).toMatch(new RegExp(`^bad/${file}: cannot read: no such file or folder`));
  });

  test.each(['tokenizer.json', graph])('%s cut off, emptied, changed', async (file) => {
    const whole = readFileSync(join(bad, file));
    const changed = Buffer.from(whole);
    changed[whole.length >> 1] = (changed[whole.length >> 1] ?? 0) ^ 1;
    for (const content of [whole.subarray(0, -1), '', changed]) {
      edit(file, () => content);
      expect(await tag()).toMatch(
        new RegExp(`^bad/${file}: expected a file with SHA-256 \\w+\\.\\.\\. .*, found \\w+`),
      );
    }
  });

  test('a config that is cut off, no object, of another model', async () => {
    const whole = readFileSync(join(bad, 'config.json'));
    edit('config.json', () => whole.subarray(0, 100));
    expect(await tag()).toMatch(/^bad\/config\.json: expected a JSON object, found/);
    edit('config.json', () => '[]');
    expect(await tag()).toMatch(/^bad\/config\.json: expected a JSON object, found/);
    edit('config.json', () => '{"model_type": "bert"}');
    expect(await tag()).toMatch(/^bad\/config\.json: expected an ebiobert model .*, found "bert"/);
    edit('config.json', () => Buffer.concat([Buffer.from('{"model_type": "'), Buffer.of(0xff), Buffer.from('"}')]));
    expect(await tag()).toMatch(/^bad\/config\.json: expected/);
  });

  test('a config with an unknown key, or an impossible value', async () => {
    editConfig((config) => ({ ...config, colour: 'red' }));
    expect(await tag()).toBe('bad/config.json: expected known settings only, found "colour"');
    editConfig(({ colour, ...config }) => ({ ...config, flat: colour }));
    expect(await tag()).toMatch(/^bad\/config\.json: flat: .*expected boolean, received string/);
    editConfig((config) => ({ ...config, flat: true, model: { ...(config['model'] as object), prefix: -1 } }));
    expect(await tag()).toMatch(/^bad\/config\.json: model\.prefix: /);
    editConfig((config) => ({ ...config, model: { ...(config['model'] as object), prefix: 2, size: 1 } }));
    expect(await tag()).toMatch(/^bad\/config\.json: model: .*"size"/);
    editConfig((config) => ({ ...config, model: {}, format: 2 }));
    expect(await tag()).toMatch(/^bad\/config\.json: /);
  });

  test('what is no model at all', async () => {
    expect(await failure(['tag', '--model', 'encoder'])).toMatch(/^encoder\/config\.json: expected an ebiobert model/);
    expect(await failure(['tag', '--model', 'nowhere'])).toMatch(/^expected a model folder, .*, found nowhere$/);
    writeFileSync(join(folder, 'in.txt'), SAMPLE);
    expect(await failure(['tag', '--model', 'in.txt'])).toMatch(/^in\.txt\/config\.json: cannot read: /);
  });
});

test('the digests of a model folder are those of its files', () => {
  const { files } = JSON.parse(readFileSync(join(model, 'config.json'), 'utf8')) as { files: Record<string, string> };
  const written = (readdirSync(model, { recursive: true }) as string[]).filter((name) => /\.\w+$/.test(name));
  expect(Object.keys(files).sort()).toEqual(written.filter((name) => name !== 'config.json').sort());
  for (const [name, digest] of Object.entries(files)) {
    expect(createHash('sha256').update(readFileSync(join(model, name))).digest('hex')).toBe(digest); // prettier-ignore
  }
});
