/** The files that the pages speak of, made of the project's examples and of what tiny models know. */
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { collect, readFileDocuments, writePieces, writeDocuments, type Document } from '../../../src/corpus/index.js';
import { project } from '../../cli/support/run.js';
import { iobText, writeEncoder, writeModel } from '../../cli/support/tiny.js';

const examples = join(project, 'examples');

/** Writes a folder in which the commands and programs of the pages can be called as they stand. */
export async function writeReadersFolder(folder: string): Promise<void> {
  const at = (name: string): string => join(folder, name);
  const write = async (name: string, documents: readonly Document[], format: string): Promise<void> =>
    writePieces(at(name), writeDocuments(documents, format, { onLoss: () => undefined }));
  cpSync(examples, at('examples'), { recursive: true });
  mkdirSync(at('node_modules'), { recursive: true });
  symlinkSync(project, at('node_modules/ebiobert'), 'junction');
  for (const name of ['my-folder', 'abstracts', 'dump', 'papers', 'project']) mkdirSync(at(name));

  const articles = await collect(readFileDocuments(join(examples, 'annotated.pubtator')));
  const text = readFileSync(join(examples, 'malaria-prevention.txt'), 'utf8');
  for (const name of ['abstract.txt', 'my-abstract.txt', 'my-folder/one.txt', 'my-folder/two.txt']) {
    writeFileSync(at(name), text);
  }
  const notes = ['Mutations of BRCA1 cause breast cancer.', 'Patients with asthma were given aspirin.'];
  for (const name of ['notes.txt', 'sentences.txt']) writeFileSync(at(name), `${notes.join('\n')}\n`);
  writeFileSync(at('notes.csv'), `case,note\n1,${notes[0]}\n2,${notes[1]}\n`);
  writeFileSync(at('test.jsonl'), '{"id": "1", "tokens": ["Lithium", "helps"], "ner_tags": ["B-Chemical", "O"]}\n');
  for (const [k, article] of articles.entries()) {
    await write(`abstracts/${k}.pubtator`, [article], 'pubtator');
    await write(`dump/${k}.json`, [article], 'bioc-json');
    await write(`papers/${k}.json`, [article], 'bioc-json');
  }
  await write('corpus.PubTator.txt', articles, 'pubtator');
  await write('devel.tsv', articles, 'iob');
  await write('collection.xml', articles, 'bioc-xml');
  await write('project', articles, 'brat');
  await write('pubmed24n0001.xml.gz', articles, 'pubmed-xml');

  for (const corpus of ['my-corpus', 'corpora/ncbi-disease', 'corpora/bc2gm', 'ncbi-disease', 'bc5cdr', 'bc2gm']) {
    mkdirSync(at(corpus), { recursive: true });
    writeFileSync(at(`${corpus}/train.tsv`), iobText(0, 6));
    for (const split of ['devel', 'test']) writeFileSync(at(`${corpus}/${split}.tsv`), iobText(24, 27));
  }
  await writeEncoder(at('my-bert'));
  await writeEncoder(at('encoders/my-bert'));
  writeFileSync(at('token'), 'secret');
  writeFileSync(at('settings.json'), JSON.stringify({ training: { epochs: 2 } }));
  await writeModel('word-pair', at('my-model'));
}
