import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { bundledFolder, DEFAULT_MODEL } from '../../src/node.js';
import { ebiobert, project, temporaryFolder } from '../cli/support/run.js';
import { FOUND, SAMPLE, writeModel } from '../cli/support/tiny.js';

const call = promisify(execFile);

interface Manifest {
  readonly version: string;
  readonly bin: { readonly ebiobert: string };
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
  readonly dependencies: Readonly<Record<string, string>>;
}

/** Other versions of Node to try, as paths of their programs: `EBIOBERT_NODES=/opt/node22/bin/node:/opt/node24/bin/node`. */
const otherNodes = (process.env['EBIOBERT_NODES'] ?? '').split(delimiter).filter(Boolean);

const hasModel = existsSync(join(bundledFolder, DEFAULT_MODEL, 'config.json'));

const consumer = temporaryFolder();
const installed = join(consumer, 'node_modules/ebiobert');
let manifest: Manifest;
let files: string[];
let tarball: string;

/**
 * Installs the packed package in an empty folder as npm does, without the network: what it depends on by its own
 * declaration is linked from the project, and nothing else is there.
 */
beforeAll(async () => {
  const { stdout } = await call('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', consumer], {
    cwd: project,
    shell: process.platform === 'win32',
  });
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  tarball = join(consumer, filename);
  await mkdir(installed, { recursive: true });
  await call('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1']);
  manifest = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8')) as Manifest;
  files = (await readdir(installed, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) =>
      join(parentPath, name)
        .slice(installed.length + 1)
        .replaceAll('\\', '/'),
    );
  for (const name of Object.keys(manifest.dependencies)) {
    const link = join(consumer, 'node_modules', name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(join(project, 'node_modules', name), link, 'junction');
  }
  await writeFile(join(consumer, 'package.json'), '{"type": "module"}');
  await writeModel('sequence', join(consumer, 'model'));
}, 60_000);

describe('the packed package', () => {
  test('holds what runs and nothing that made it: no sources, tests or corpora', () => {
    const expected =
      /^(dist\/.+\.(js|d\.ts)|dist\/(\.built|zod\.LICENSE)|(models|examples)\/.+|(package\.json|(README|CHANGELOG)\.md|LICENSE|NOTICE))$/;
    expect(files.filter((file) => !expected.test(file))).toEqual([]);
    expect(files.filter((file) => /(^|\/)(train|devel|test)\.(?!js$|d\.ts$)/i.test(file))).toEqual([]);
    expect(files).toContain('LICENSE');
  });

  test('holds the bundled model, with the files that its config names', async () => {
    const model = `models/${DEFAULT_MODEL}`;
    const needed = ['config.json', 'lexicon.tsv', 'onnx/model_quantized.onnx', 'tokenizer.json'];
    expect(files).toEqual(expect.arrayContaining(needed.map((name) => `${model}/${name}`)));
    const config = JSON.parse(await readFile(join(installed, model, 'config.json'), 'utf8')) as { files: object };
    expect(files).toEqual(expect.arrayContaining(Object.keys(config.files).map((name) => `${model}/${name}`)));
  });

  test('is small enough to download', async () => {
    const size = async (selected: readonly string[]): Promise<number> => {
      const sizes = await Promise.all(selected.map(async (file) => (await stat(join(installed, file))).size));
      return sizes.reduce((a, b) => a + b, 0);
    };
    expect(await size(files)).toBeLessThan(40e6);
    expect(await size(files.filter((file) => !file.startsWith('models/')))).toBeLessThan(3e6);
  });

  test('has every file that its package.json names, the command with its interpreter', async () => {
    const named = [
      manifest.bin.ebiobert,
      ...Object.values(manifest.exports).flatMap((entry) =>
        typeof entry === 'string' ? [entry] : Object.values(entry),
      ),
    ].map((path) => path.replace(/^\.\//, ''));
    expect(named.filter((path) => !files.includes(path))).toEqual([]);
    expect(await readFile(join(installed, manifest.bin.ebiobert), 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
  });

  test('names no path of the machine that built it', async () => {
    const texts = files.filter((file) => /\.(js|ts|json|md)$/.test(file));
    const telling: string[] = [];
    for (const file of texts) {
      if ((await readFile(join(installed, file), 'utf8')).includes(project)) telling.push(file);
    }
    expect(telling).toEqual([]);
  });
});

const program = `
import { InputError, readDocuments, Tagger, type Document, type Entity, type Span } from 'ebiobert';
import { trainingConfigSchema, type EpochRecord, type RunOptions, type TrainingConfig } from 'ebiobert/train';

const text = ${JSON.stringify(SAMPLE)};
const tagger: Tagger = await Tagger.load('model', { threads: 1 });
const entities: readonly Entity[] = await tagger.tag(text, { minScore: 0.1 });
if (!(tagger instanceof Tagger)) throw new Error('expected a Tagger');
const found = entities.map(({ type, spans: [first] }) => {
  const span: Span = first;
  return \`\${type} \${text.slice(span.start, span.end)}\`;
});

async function* chunks(): AsyncGenerator<string> {
  yield text;
}
const ids: string[] = [];
const documents: AsyncGenerator<Document> = tagger.tagDocuments(readDocuments({ name: 'a.txt', chunks: chunks() }));
for await (const { id } of documents) ids.push(id);

const failure: unknown = await Tagger.load('absent').catch((error: unknown) => error);
const training: TrainingConfig = trainingConfigSchema.parse({ epochs: 3 });
const options: RunOptions = { corpora: ['corpus'], output: 'out', config: { training } };
const score = (record: EpochRecord): number | null => record.score;

// @ts-expect-error the entities are no numbers
const wrong: number[] = entities;
// @ts-expect-error there is no such option
await tagger.tag(text, { minimum: 0.5 });

await tagger.dispose();
console.log(JSON.stringify({ found, ids, refused: failure instanceof InputError, epochs: training.epochs }));
export { options, score, wrong };
`;

describe('installed by npm in an empty folder', () => {
  test('its command tags (skipped without a registry)', { timeout: 240_000 }, async ({ skip }) => {
    const folder = join(consumer, 'empty');
    await mkdir(folder);
    await writeFile(join(folder, 'package.json'), '{}');
    const args = ['install', '--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', tarball];
    const failed = await call('npm', args, { cwd: folder, shell: process.platform === 'win32' }).then(
      () => undefined,
      (error: unknown) => String((error as { stderr?: unknown }).stderr ?? error),
    );
    if (failed !== undefined && /ENOTCACHED|EAI_AGAIN|ENOTFOUND|ECONNREFUSED|ETIMEDOUT/.test(failed)) {
      skip('no registry to install from');
    }
    expect(failed).toBeUndefined();
    await writeFile(join(folder, 'text.txt'), SAMPLE);
    const tag = ['tag', '--model', join(consumer, 'model'), 'text.txt'];
    const { stdout, stderr } = await call('npx', ['--no-install', 'ebiobert', ...tag], {
      cwd: folder,
      shell: process.platform === 'win32',
    });
    expect(stderr).toBe('');
    expect(stdout).toBe((await ebiobert(tag, { cwd: folder })).stdout);
  });
});

describe('installed in an empty folder', () => {
  test('a strict TypeScript program compiles against its types, without those of Node, and runs', async () => {
    const compilerOptions = {
      strict: true,
      noUncheckedIndexedAccess: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      target: 'ES2022',
      module: 'NodeNext',
      lib: ['ES2022', 'DOM'],
      types: [],
    };
    await writeFile(join(consumer, 'program.ts'), program);
    await writeFile(join(consumer, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['program.ts'] }));
    const tsc = join(project, 'node_modules/typescript/bin/tsc');
    const compiled = await call(process.execPath, [tsc, '-p', consumer]).catch((error: unknown) => error);
    expect(compiled).toEqual({ stdout: '', stderr: '' });
    const { stdout, stderr } = await call(process.execPath, ['program.js'], { cwd: consumer });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({ found: FOUND, ids: ['a'], refused: true, epochs: 3 });
  });

  describe.skipIf(otherNodes.length === 0)('under other versions of Node (skipped without EBIOBERT_NODES)', () => {
    test.each(otherNodes)('%s runs the program and the command', async (node) => {
      const { stdout } = await call(node, ['program.js'], { cwd: consumer });
      expect(JSON.parse(stdout)).toMatchObject({ found: FOUND, refused: true });
      const bin = join(installed, manifest.bin.ebiobert);
      await writeFile(join(consumer, 'text.txt'), SAMPLE);
      const args = ['tag', '--model', 'model', '--workers', '2', 'text.txt'];
      const tagged = await call(node, [bin, ...args], { cwd: consumer });
      expect(tagged).toEqual({ stdout: (await ebiobert(args, { cwd: consumer })).stdout, stderr: '' });
    });
  });

  test.skipIf(!hasModel)('the bundled model is the one that loads by default (skipped without it)', async () => {
    const source = `
      import { Tagger } from 'ebiobert';
      const text = 'Mutations of BRCA1 cause breast cancer.';
      const tagger = await Tagger.load();
      const entities = await tagger.tag(text);
      console.log(JSON.stringify(entities.map(({ type, spans: [{ start, end }] }) => [type, text.slice(start, end)])));
      await tagger.dispose();`;
    const { stdout, stderr } = await call(process.execPath, ['--input-type=module', '-e', source], { cwd: consumer });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual([
      ['Gene', 'BRCA1'],
      ['Disease', 'breast cancer'],
    ]);
  });

  test('what it does not export cannot be imported', async () => {
    const source = `await import('ebiobert/dist/node.js').catch(({ code }) => console.log(code));`;
    const { stdout } = await call(process.execPath, ['--input-type=module', '-e', source], { cwd: consumer });
    expect(stdout).toBe('ERR_PACKAGE_PATH_NOT_EXPORTED\n');
  });

  test.skipIf(process.platform === 'win32')('its command runs', async () => {
    const bin = join(consumer, 'node_modules/.bin/ebiobert');
    await mkdir(dirname(bin));
    await symlink(join('../ebiobert', manifest.bin.ebiobert), bin);
    await chmod(join(installed, manifest.bin.ebiobert), 0o755);
    const { stdout: version } = await call(bin, ['--version'], { cwd: consumer });
    expect(version).toBe(`${manifest.version}\n`);
    await writeFile(join(consumer, 'text.txt'), SAMPLE);
    const args = ['tag', '--model', 'model', 'text.txt'];
    const { stdout, stderr } = await call(bin, args, { cwd: consumer });
    expect(stderr).toBe('');
    expect(stdout).toBe((await ebiobert(args, { cwd: consumer })).stdout);
  });
});
