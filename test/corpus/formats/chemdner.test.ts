import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { collect, openCorpus, readFileDocuments, readSplit } from '../../../src/corpus/corpora.js';
import { pathSources } from '../../../src/corpus/files.js';
import { mentionText } from '../../../src/corpus/mentions.js';
import { typeMap } from '../../../src/corpus/types.js';
import { all, read, temporaryFolder } from '../support.js';

const abstracts = [
  '21826085\tDPP6 as a target of α-lithium\tKv4.2 with 𝛼-tocopherol; poly(vinyl) and (poly)styrene.',
  '22080034\tA title\tNo chemicals.',
  '22080035\tBenzene\t',
];
/** In another order than the abstracts, as the files of the corpus are; the 𝛼 is one code point, two UTF-16 units. */
const annotations = [
  '22080035\tT\t0\t7\tBenzene\tSYSTEMATIC',
  '21826085\tA\t11\t23\t𝛼-tocopherol\tTRIVIAL',
  '21826085\tT\t20\t29\tα-lithium\tNO CLASS',
  '21826085\tA\t25\t54\tpoly(vinyl) and (poly)styrene\tMULTIPLE',
];

const root = temporaryFolder();

/** Writes a pair of files under `name` and returns the path of the abstracts. */
function pair(name: string, texts = abstracts, mentions: readonly string[] | null = annotations): string {
  const path = join(root, `${name}.abstracts.txt`);
  writeFileSync(path, texts.map((line) => `${line}\n`).join(''));
  if (mentions !== null)
    writeFileSync(join(root, `${name}.annotations.txt`), mentions.map((line) => `${line}\n`).join(''));
  return path;
}

describe('CHEMDNER', () => {
  test('reads titles, abstracts and mentions, offsets in code points of each part', async () => {
    const documents = await collect(readFileDocuments(pair('training')));
    expect(documents.map(({ id, text }) => [id, text])).toEqual([
      ['21826085', 'DPP6 as a target of α-lithium\nKv4.2 with 𝛼-tocopherol; poly(vinyl) and (poly)styrene.'],
      ['22080034', 'A title\nNo chemicals.'],
      ['22080035', 'Benzene\n'],
    ]);
    const found = documents.map(({ text, entities }) =>
      entities.map(({ type, spans, attributes }) => [type, mentionText(text, spans), attributes?.['class']]),
    );
    expect(found).toEqual([
      [
        ['Chemical', 'α-lithium', 'NO CLASS'],
        ['Chemical', '𝛼-tocopherol', 'TRIVIAL'],
        ['Chemical', 'poly(vinyl) and (poly)styrene', 'MULTIPLE'],
      ],
      [],
      [['Chemical', 'Benzene', 'SYSTEMATIC']],
    ]);
    expect(documents[0]?.passages).toEqual([
      { kind: 'title', start: 0, end: 29 },
      { kind: 'abstract', start: 30, end: 86 },
    ]);
  });

  test('classes and the type can be mapped', async () => {
    const types = typeMap(['TRIVIAL=Drug', 'Chemical=Compound']);
    const [first] = await collect(readFileDocuments(pair('mapped'), { types }));
    expect(first?.entities.map(({ type }) => type)).toEqual(['Compound', 'Drug', 'Compound']);
  });

  test('both files may be compressed, in any combination', async () => {
    const plain = await collect(readFileDocuments(pair('plain')));
    const path = pair('zipped', abstracts, null);
    writeFileSync(`${path}.gz`, gzipSync(`${abstracts.join('\n')}\n`));
    writeFileSync(join(root, 'zipped.annotations.txt.gz'), gzipSync(annotations.join('\n')));
    for (const file of [path, `${path}.gz`]) expect(await collect(readFileDocuments(file))).toEqual(plain);
  });

  test('without annotations there are no mentions', async () => {
    const documents = await collect(readFileDocuments(pair('alone', abstracts, null)));
    expect(documents.map(({ entities }) => entities)).toEqual([[], [], []]);
    expect(await read('chemdner', `${abstracts[1]}\n`)).toHaveLength(1);
  });

  test.each([
    ['two fields', ['1\tno abstract'], [], /bad\d\.abstracts\.txt:1: expected identifier, title and abstract/],
    [
      'a wrong mention',
      abstracts,
      ['22080035\tT\t0\t6\tBenzene\tTRIVIAL'],
      /annotations\.txt:1: expected the mention "Benzene" at 0-6, found "Benzen"/,
    ],
    ['a mention beyond the title', abstracts, ['22080034\tT\t2\t99\ttitle\tTRIVIAL'], /found the end of the text at 7/],
    [
      'neither title nor abstract',
      abstracts,
      ['', '22080034\tX\t0\t1\tA\tTRIVIAL'],
      /annotations\.txt:2: expected identifier, T or A/,
    ],
    [
      'an unknown document',
      abstracts,
      ['7\tT\t0\t1\tA\tTRIVIAL'],
      /annotations\.txt:1: expected mentions of documents of .*, found "7"/,
    ],
  ])('%s is an error with its place', async (_what, texts, mentions, message) => {
    const path = pair(`bad${mentions.length}`, texts, mentions);
    await expect(collect(readFileDocuments(path))).rejects.toThrow(message);
  });

  test('a folder of pairs is a corpus with three splits', async () => {
    const folder = temporaryFolder();
    for (const [k, name] of ['training', 'development', 'evaluation'].entries()) {
      writeFileSync(join(folder, `${name}.abstracts.txt`), `${k}\tBenzene\tx\n`);
      writeFileSync(join(folder, `${name}.annotations.txt`), `${k}\tT\t0\t7\tBenzene\tTRIVIAL\n`);
    }
    writeFileSync(join(folder, 'evaluation.predictions.txt'), '2\tT:0:7\n');
    const corpus = await openCorpus(folder);
    expect(corpus.types).toEqual(['Chemical']);
    expect(Object.keys(corpus.splits).sort()).toEqual(['devel', 'test', 'train']);
    expect((await collect(readSplit(corpus, 'test'))).map(({ id, entities }) => [id, entities.length])).toEqual([
      ['2', 1],
    ]);
    const names = (await all(pathSources([folder]))).map(({ name }) => name.slice(folder.length + 1));
    expect(names).toEqual(['development.abstracts.txt', 'evaluation.abstracts.txt', 'training.abstracts.txt']);
  });
});

describe('BC4CHEMD in IOB form', () => {
  const lines = (tag: string): string =>
    ['DPP6\tO', 'binds\tO', `poly\tB${tag}`, `(\tI${tag}`, `vinyl\tI${tag}`, `)\tI${tag}`, '.\tO', '', ''].join('\n');

  test('typed tags are chemicals', async () => {
    const [document] = await read('iob', lines('-Chemical'), {}, 'train.tsv');
    expect(document?.entities.map(({ type, spans }) => [type, mentionText(document.text, spans)])).toEqual([
      ['Chemical', 'poly ( vinyl )'],
    ]);
  });

  test('bare B and I tags are chemicals by a mapping', async () => {
    const [document] = await read('iob', lines(''), { types: typeMap(['Entity=Chemical']) }, 'train.tsv');
    expect(document?.entities.map(({ type }) => type)).toEqual(['Chemical']);
  });
});
