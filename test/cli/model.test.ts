import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { ebiobert, failure, project, temporaryFolder } from './support/run.js';
import { SAMPLE, writeModel } from './support/tiny.js';

const folder = temporaryFolder();
const model = join(folder, 'model');
beforeAll(() => writeModel('sequence', model), 60_000);

const models = join(project, 'models');
const bundled = existsSync(models)
  ? readdirSync(models).filter((name) => existsSync(join(models, name, 'config.json')))
  : [];

describe('ebiobert model', () => {
  test('list names the bundled models', async () => {
    const { status, stdout, stderr } = await ebiobert(['model', 'list']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const [head, ...rows] = stdout.trimEnd().split('\n').map((line) => line.trim().split(/\s+/)); // prettier-ignore
    expect(head).toEqual(['model', 'types', 'where']);
    expect(rows.map(([name]) => name)).toEqual(bundled);
    for (const row of rows) expect(row.at(-1)).toBe('bundled');
  });

  test('show prints the card, or the config', async () => {
    const card = await ebiobert(['model', 'show', model]);
    expect(card).toEqual({ status: 0, stdout: readFileSync(join(model, 'README.md'), 'utf8'), stderr: '' });
    expect(card.stdout).toContain('Gene, Chemical, Disease');
    const { status, stdout } = await ebiobert(['model', 'show', model, '--json']);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toEqual(JSON.parse(readFileSync(join(model, 'config.json'), 'utf8')));
  });

  test('show of a folder without a card says so, and prints its config', async () => {
    const bare = join(folder, 'bare');
    cpSync(model, bare, { recursive: true });
    rmSync(join(bare, 'README.md'));
    expect(await failure(['model', 'show', bare])).toBe(
      `${join(bare, 'README.md')}: expected a model card, found none: --json prints the config`,
    );
    expect((await ebiobert(['model', 'show', bare, '--json'])).status).toBe(0);
  });

  test('add refuses what is no model and what cannot be reached', async () => {
    const none = await ebiobert(['model', 'add', 'no model']);
    expect(none).toMatchObject({ status: 1, stdout: '' });
    expect(none.stderr).toMatch(
      /^ebiobert: expected a model folder, a bundled model .* or a hub id, found no model\n$/,
    );
    const offline = await ebiobert(['model', 'add', 'owner/name'], { env: { EBIOBERT_CACHE: join(folder, 'cache') } });
    expect(offline).toMatchObject({ status: 1, stdout: '' });
    expect(offline.stderr).toMatch(/^ebiobert: owner\/name: [^\n]*offline[^\n]*\n$/);
  });

  test('a model folder is complete in itself: moved elsewhere it tags the same', async () => {
    const moved = join(folder, 'elsewhere', 'ein Ort für Ärzte');
    cpSync(model, moved, { recursive: true });
    const [here, there] = await Promise.all(
      [model, moved].map((place) => ebiobert(['tag', '--model', place], { input: SAMPLE })),
    );
    expect(there).toEqual(here);
    expect(here?.status).toBe(0);
  });
});
