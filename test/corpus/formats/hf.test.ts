import { describe, expect, test } from 'vitest';
import type { Loss } from '../../../src/corpus/format.js';
import { guessFormat } from '../../../src/corpus/registry.js';
import { typeMap } from '../../../src/corpus/types.js';
import { read, write } from '../support.js';

const lines = [
  '{"id": "0", "tokens": ["Lithium", "treats", "manic", "episodes", "."], "ner_tags": ["B-CHEMICAL", "O", "B-Disease", "I-Disease", "O"], "pmid": 7}',
  '{"tokens":["p53"],"ner_tags":["S-GENE"]}',
  '',
  '{"tokens":["", "TP53", "\\ud800"],"ner_tags":["O","O","O"]}',
];
const content = lines.join('\n');

describe('hf', () => {
  test('tokens, tags, identifiers', async () => {
    const documents = await read('hf', content, {}, 'set.jsonl');
    expect(documents.map(({ id, text }) => [id, text])).toEqual([
      ['0', 'Lithium treats manic episodes .'],
      ['set:2', 'p53'],
      ['set:4', ' TP53 \ud800'],
    ]);
    expect(documents[0]?.entities).toEqual([
      { type: 'Chemical', spans: [{ start: 0, end: 7 }], attributes: { sourceType: 'CHEMICAL' } },
      { type: 'Disease', spans: [{ start: 15, end: 29 }] },
    ]);
    expect(documents[2]?.sentences?.[0]?.words).toEqual([
      { start: 1, end: 5 },
      { start: 6, end: 7 },
    ]);
    expect(guessFormat(content).name).toBe('hf');
  });

  test.each(['', '\n', '\n\n'])('files come back byte for byte, ending in %j', async (end) => {
    expect((await write('hf', await read('hf', `\n${content}${end}`))).get('')).toBe(`\n${content}${end}`);
  });

  test('only the tags of changed mentions change', async () => {
    const [first, second, third] = await read('hf', content);
    if (first === undefined || second === undefined || third === undefined) throw new Error('expected three records');
    const changed = [
      { ...first, entities: first.entities.slice(1) },
      { ...third, entities: [{ type: 'Gene', spans: [{ start: 1, end: 5 }] as const }] },
    ];
    const expected = [
      lines[0]?.replace('B-CHEMICAL', 'O'),
      '{"tokens":["", "TP53", "\\ud800"],"ner_tags":["O","B-Gene","O"]}',
    ];
    expect((await write('hf', changed)).get('')).toBe(`${expected.join('\n')}`);
  });

  test('numbers have names, and go back to numbers', async () => {
    const numbered = '{"id":"1","tokens":["Lithium","salts"],"tags":[1,2]}\n';
    const tagNames = ['O', 'B-Chemical', 'I-Chemical'];
    const documents = await read('hf', numbered, { tagNames });
    expect(documents[0]?.entities).toEqual([{ type: 'Chemical', spans: [{ start: 0, end: 13 }] }]);
    expect((await write('hf', documents)).get('')).toBe(numbered);
    const through = await read('jsonl', (await write('jsonl', documents)).get('') ?? '');
    expect((await write('hf', through)).get('')).toBe(numbered);
    const losses: Loss[] = [];
    const entities = [{ type: 'Gene', spans: [{ start: 0, end: 7 }] as const }];
    const other = documents.map((document) => ({ ...document, entities }));
    const written = await write('hf', other, { onLoss: (loss) => losses.push(loss) });
    expect(written.get('')).toBe(numbered.replace('[1,2]', '[0,0]'));
    expect(losses.map(({ kind }) => kind)).toEqual(['entity']);
  });

  test('tokens without tags get them', async () => {
    const untagged = '{"tokens":["p53"],"x":1}\n';
    const documents = await read('hf', untagged, {}, 'a.jsonl');
    expect((await write('hf', documents)).get('')).toBe(untagged);
    const entities = [{ type: 'Gene', spans: [{ start: 0, end: 3 }] as const }];
    const tagged = documents.map((document) => ({ ...document, entities }));
    expect((await write('hf', tagged)).get('')).toBe('{"id":"a:1","tokens":["p53"],"ner_tags":["B-Gene"],"x":1}\n');
    expect(guessFormat(untagged).name).toBe('hf');
    expect(guessFormat('{"text":"a","tokens":["a"],"tags":["O"]}\n').name).toBe('hf');
    expect(guessFormat('{"text":"a","tokens":["a"]}\n').name).toBe('jsonl');
  });

  test('a type renamed by the caller is written under its new name', async () => {
    const documents = await read('hf', content, { types: typeMap(['CHEMICAL=Drug']) });
    expect((await write('hf', documents)).get('')).toBe(content.replace('B-CHEMICAL', 'B-Drug'));
  });

  test.each([
    ['{"tokens":[1],"ner_tags":["O"]}', 'expected an array "tokens" of strings'],
    ['{"tokens":["a"],"ner_tags":"O"}', 'expected an array "ner_tags", found "\\"O\\""'],
    ['{"tokens":["a"],"ner_tags":[]}', 'expected a tag for each of 1 tokens, found 0'],
    ['{"tokens":["a"],"ner_tags":[1]}', 'expected tags as strings, or --tag-names for their numbers, found "1"'],
    ['{"tokens":["a"],"ner_tags":["X-Gene"]}', 'expected a tag like O, B-Gene or I-Gene'],
    ['{"tokens":["a"],"ner_tags":["I-Gene"]}', 'expected B-Gene or O, found I-Gene after no mention'],
    [`{"tokens":["a"],"ner_tags":["O"],"x":${'['.repeat(9999)}${']'.repeat(9999)}}`, 'expected at most 256 levels'],
  ])('%s is refused by file and line', async (line, message) => {
    const first = '{"tokens":[],"ner_tags":[]}';
    await expect(read('hf', `${first}\n${line}\n`, {}, 'x.jsonl')).rejects.toThrow(`x.jsonl:2: ${message}`);
  });
});
