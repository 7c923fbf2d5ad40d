// `node scripts/release.mjs RUN NAME`: writes models/NAME from the trained model folder RUN, to tag with (the
// quantised graph alone), scores it on the test splits through `ebiobert evaluate`, and writes the scores into its
// config and card. Test splits are touched here and nowhere else.
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBuilt, ensureInstalled } from './prepare.mjs';

const [run, name, corpora = '../shared/corpora'] = process.argv.slice(2);
if (run === undefined || name === undefined) {
  console.error('usage: node scripts/release.mjs RUN NAME [CORPORA]');
  process.exit(2);
}
ensureInstalled();
ensureBuilt();
const { readModelFolder, readModelLexicon, readModelWeights, writeModelFolder, MODEL_FILES } =
  await import('../dist/weights/index.js');

const folder = await readModelFolder(run);
const { config, tokenizer, gazetteer } = folder;
if (config.activations === undefined) throw new Error(`${run}: no ranges of activations; train it anew`);
const lexicon = await readModelLexicon(folder);
const trained = readFileSync(join(run, MODEL_FILES.card), 'utf8');
const target = join('models', name);
const content = {
  model: config.model,
  flat: config.flat,
  training: config.training,
  tokenizer,
  gazetteer,
  ...(lexicon === undefined ? {} : { lexicon }),
  weights: await readModelWeights(run),
  activations: config.activations,
  graphs: ['quantized'],
  safetensors: false,
};
await writeModelFolder(target, { ...content, card: trained });

const rows = [];
const scores = {};
for (const corpus of ['ncbi-disease', 'bc5cdr', 'bc2gm']) {
  const args = ['evaluate', `${corpora}/${corpus}/test.tsv`, '--model', target, '--json'];
  const { types } = JSON.parse(execFileSync(process.execPath, ['dist/cli/main.js', ...args], { encoding: 'utf8' }));
  const command = ['ebiobert', ...args].join(' ');
  scores[corpus] = { split: 'test', command, types };
  for (const [type, { precision, recall, f1 }] of Object.entries(types)) {
    const cells = [precision, recall, f1].map((x) => (100 * x).toFixed(2));
    rows.push(`| ${corpus} | ${type} | ${cells.join(' | ')} |`);
  }
}
const counts = (gazetteer?.classes ?? []).map((type, c) => `${gazetteer.sizes[c].toLocaleString('en')} ${type}`);
const card = [
  trained.trimEnd(),
  '',
  ...(counts.length === 0 ? [] : [`Names of vocabularies are marked in the input: ${counts.join(', ')}.`, '']),
  '## Scores on the test splits',
  '',
  'Strict (exact characters and type), quantised graph, default settings; types that a corpus does not annotate are not',
  `looked for: \`ebiobert evaluate CORPUS/test.tsv --model ${target}\`.`,
  '',
  '| corpus | type | precision | recall | F1 |',
  '|---|---|---|---|---|',
  ...rows,
  '',
].join('\n');
await writeModelFolder(target, { ...content, scores, card });
const megabytes = statSync(join(target, MODEL_FILES.quantized)).size / 1e6;
console.log([`${target}: ${megabytes.toFixed(1)} MB`, ...rows].join('\n'));
