// `npm run build`: compiles `src` to `dist`, joins the modules of each program, and leaves a mark of when. Node takes as long to
// find and load some 250 small files as to load the model.
import { copyFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rollup } from 'rollup';
import { run } from './prepare.mjs';

const dist = fileURLToPath(new URL('../dist', import.meta.url));

/** What is loaded by its name: the package's exports, its command, its threads, and what scripts and tests take. */
const entries = [
  'index',
  'train/index',
  'cli/main',
  'cli/tagging/worker',
  'server/engine-worker',
  'cli/style',
  'runtime/node',
  'weights/index',
];

/** zod alone of the packages is joined in: loaded as it comes, its 50 languages would take longer than all of ours. */
const packages = {
  name: 'packages',
  resolveId(id) {
    if (id === 'zod') return fileURLToPath(import.meta.resolve('zod'));
    return id.startsWith('.') || id.startsWith(dist) ? null : { id, external: true };
  },
};

/** `import.meta.url` of a joined module stays what it was: files beside it are found from there. */
const addresses = {
  name: 'addresses',
  resolveImportMeta(property, { chunkId, moduleId }) {
    if (property !== 'url') return null;
    const path = relative(dirname(join(dist, chunkId)), moduleId)
      .split(sep)
      .join('/');
    return `new URL(${JSON.stringify(path)}, import.meta.url).href`;
  },
};

rmSync(dist, { recursive: true, force: true });
const status = run('node', ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json']);
if (status !== 0) process.exit(status);

const bundle = await rollup({
  input: Object.fromEntries(entries.map((entry) => [entry, join(dist, `${entry}.js`)])),
  plugins: [packages, addresses],
  onwarn: ({ code, message }) => {
    // What else it says is about comments within zod.
    if (code === 'UNRESOLVED_IMPORT' || code === 'MISSING_EXPORT') throw new Error(message);
  },
});
for (const file of readdirSync(dist, { recursive: true })) if (file.endsWith('.js')) rmSync(join(dist, file));
await bundle.write({ dir: dist, entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js' });
copyFileSync(fileURLToPath(new URL('../node_modules/zod/LICENSE', import.meta.url)), join(dist, 'zod.LICENSE'));
writeFileSync(join(dist, '.built'), '');
