import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { project } from '../cli/support/run.js';

const call = promisify(execFile);

test('the API reference comes out of the docstrings without a warning', async () => {
  const typedoc = join(project, 'node_modules/typedoc/bin/typedoc');
  const run = call(process.execPath, [typedoc, '--emit', 'none'], {
    cwd: project,
    env: { ...process.env, NO_COLOR: '1' },
  });
  const outcome = await run.catch(({ stdout, stderr }: { stdout: string; stderr: string }) => ({ stdout, stderr }));
  expect(outcome).toEqual({ stdout: '', stderr: '' });
}, 240_000);

test('it has all entry points of the package, and warnings are errors', async () => {
  const { default: options } = (await import(join(project, 'typedoc.config.js'))) as {
    default: { entryPoints: string[]; treatWarningsAsErrors: boolean; validation: Record<string, boolean> };
  };
  const manifest = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as { exports: object };
  const programs = Object.keys(manifest.exports).filter((name) => name !== './package.json');
  expect(options.entryPoints).toHaveLength(programs.length);
  expect(options.entryPoints).toContain('src/index.ts');
  expect(options.treatWarningsAsErrors).toBe(true);
  expect(Object.values(options.validation)).not.toContain(false);
});
