// `npm start`: installs and builds what is missing, then tags `examples/` with the bundled model and prints the result
// as a coloured table. `npm start -- ARGUMENTS` is `ebiobert tag ARGUMENTS`. Works on a bare clone.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureBuilt, ensureInstalled } from './prepare.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const MODEL = 'gene-chemical-disease';
const [, , ...words] = process.argv;

const otherModel = words.some((word) => word === '--model' || word.startsWith('--model='));
if (!otherModel && !existsSync(join(root, 'models', MODEL, 'config.json'))) {
  console.error(`ebiobert: expected the bundled model in models/${MODEL}, found none`);
  process.exit(1);
}
ensureInstalled();
ensureBuilt();

if (words.length > 0) {
  process.chdir(process.env.INIT_CWD ?? '.'); // npm changed to the project's folder; files are named from the caller's
  process.argv.splice(2, words.length, 'tag', ...words);
  await import('../dist/cli/main.js');
} else {
  const { loadTagger, pathSources, readDocuments } = await import('../dist/index.js');
  const { documentTable } = await import('../dist/cli/style.js');
  const examples = async function* () {
    for await (const source of pathSources([join(root, 'examples')])) {
      if (source.name.endsWith('.txt')) yield* readDocuments(source, { from: 'text' });
    }
  };
  const tagger = await loadTagger();
  try {
    for await (const document of tagger.tagDocuments(examples())) process.stdout.write(documentTable(document));
  } finally {
    await tagger.dispose();
  }
}
