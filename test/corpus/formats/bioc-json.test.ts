import { describe, expect, test } from 'vitest';
import type { Document, Entity } from '../../../src/corpus/document.js';
import type { Loss, Repair } from '../../../src/corpus/format.js';
import { guessFormat, readDocuments } from '../../../src/corpus/registry.js';
import { all, chunksOf, read, write } from '../support.js';

/** The shape that PubTator 3 exports. */
const pubtator3 = {
  _id: '29355051|None',
  id: '29355051',
  infons: {},
  passages: [
    {
      infons: { journal: 'J;2018', year: '2018', type: 'title', authors: 'A, B', 'article-id_pmc': null },
      offset: 0,
      text: 'Effect of \u{1d6fc}-tocopherol on BRCA1.',
      sentences: [],
      annotations: [
        {
          id: '2',
          infons: { identifier: 'MESH:D024502', type: 'Chemical', valid: true, normalized: [24502], database: 'mesh' },
          text: '\u{1d6fc}-tocopherol',
          locations: [{ offset: 10, length: 12 }],
          accession: '@CHEMICAL_Tocopherol',
        },
        {
          id: '3',
          infons: { identifier: '672', type: 'GENE', ncbi_homologene: null },
          text: 'BRCA1',
          locations: [{ offset: 26, length: 5 }],
        },
      ],
      relations: [],
    },
    {
      infons: { type: 'abstract' },
      offset: 33,
      text: 'Tocopherol, a vitamin "E".',
      sentences: [],
      annotations: [
        {
          id: '9',
          infons: { identifier: 'x', type: 'Chemical', score: '0.5' },
          text: 'Tocopherol',
          locations: [{ offset: 33, length: 10 }],
        },
        { id: 'm', infons: { type: 'MeSH' }, text: 'Adult', locations: [] },
      ],
      relations: [],
    },
  ],
  relations: [
    {
      id: 'R1',
      infons: { score: '0.99', role1: { type: 'Gene' } },
      nodes: [
        { refid: '3', role: 'gene' },
        { refid: '9', role: 'drug' },
      ],
    },
  ],
  pmid: 29355051,
  pmcid: null,
  meta: {},
  authors: ['A', 'B'],
};
const simple = (id: string, text: string) => ({
  id,
  infons: {},
  passages: [{ offset: 0, infons: {}, text, annotations: [] }],
});
const python = (value: unknown) =>
  JSON.stringify(value, null, 1)
    .replace(/\n\s*/g, ' ')
    .replace(/([[{]) | ([\]}])/g, '$1$2')
    .replace(/[\u0080-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
const layouts: [string, (value: unknown) => string][] = [
  ['compact', (value) => JSON.stringify(value)],
  ['pretty', (value) => JSON.stringify(value, null, 2)],
  ["Python's", python],
];
const files: [string, (json: (value: unknown) => string) => string][] = [
  ['the export of PubTator 3', (json) => json({ PubTator3: [pubtator3, simple('2', 'x')] })],
  [
    'a collection',
    (json) => `${json({ source: 'S', date: 'D', key: 'K', infons: { a: 'b' }, documents: [pubtator3], more: 1 })}\n`,
  ],
  [
    'collections in an array',
    (json) =>
      json([
        { bioctype: 'BioCCollection', source: 'PMC', documents: [pubtator3] },
        { source: '', documents: [simple('2', 'x')] },
      ]),
  ],
  [
    'collections one after the other',
    (json) => [pubtator3, simple('2', 'x')].map((d) => `${json({ source: 'a', documents: [d] })}\n`).join(''),
  ],
  ['a document', (json) => json(pubtator3)],
  ['documents in an array', (json) => json([pubtator3, simple('2', 'x')])],
  ['documents one a line', (json) => `${json(pubtator3)}\n\n${json(simple('2', 'x'))}`],
];

const change = (document: Document | undefined, entities: (before: readonly Entity[]) => Entity[]): Document => {
  if (document === undefined) throw new Error('expected a document');
  return { ...document, entities: entities(document.entities) };
};
const gene = (start: number, end: number, more: Partial<Entity> = {}): Entity => ({
  type: 'Gene',
  spans: [{ start, end }],
  ...more,
});

describe('bioc-json', () => {
  test('text, mentions, concepts', async () => {
    const [document] = await read('bioc-json', JSON.stringify({ PubTator3: [pubtator3] }));
    expect(document?.text).toBe('Effect of \u{1d6fc}-tocopherol on BRCA1.\nTocopherol, a vitamin "E".');
    expect(document?.id).toBe('29355051');
    expect(document?.passages).toEqual([
      { kind: 'title', start: 0, end: 33 },
      { kind: 'abstract', start: 34, end: 60 },
    ]);
    expect(document?.entities).toEqual([
      {
        id: '2',
        type: 'Chemical',
        spans: [{ start: 10, end: 23 }],
        attributes: {
          concept: 'MESH:D024502',
          database: 'mesh',
          infons: '{"valid":true,"normalized":[24502]}',
          fields: '{"accession":"@CHEMICAL_Tocopherol"}',
        },
      },
      {
        id: '3',
        type: 'Gene',
        spans: [{ start: 27, end: 32 }],
        attributes: { concept: '672', infons: '{"ncbi_homologene":null}', sourceType: 'GENE' },
      },
      { id: '9', type: 'Chemical', spans: [{ start: 34, end: 44 }], score: 0.5, attributes: { concept: 'x' } },
    ]);
  });

  test.each(files.flatMap(([what, file]) => layouts.map(([how, json]) => [what, how, file(json)] as const)))(
    '%s in %s layout comes back byte for byte',
    async (_what, _how, content) => {
      expect(guessFormat(content).name).toBe('bioc-json');
      const documents = await all(
        readDocuments({ name: 'x.json', chunks: chunksOf(content.match(/[^]{1,7}/gu) ?? []) }),
      );
      expect(documents[0]?.entities).toHaveLength(3);
      expect((await write('bioc-json', documents)).get('')).toBe(content);
    },
  );

  test.each(files.flatMap(([what, file]) => layouts.map(([how, json]) => [what, how, json, file] as const)))(
    '%s in %s layout keeps all but the mentions that changed',
    async (_what, _how, json, file) => {
      const [first, ...others] = await read('bioc-json', file(json));
      const tagged = change(first, ([alpha, brca]) => [
        ...(alpha ? [alpha] : []),
        ...(brca ? [{ ...brca, type: 'Protein', attributes: {} }] : []),
        gene(48, 57, { score: 0.25 }),
        gene(0, 6),
      ]);
      const written = (await write('bioc-json', [tagged, ...others])).get('') ?? '';
      const [title, abstract] = pubtator3.passages;
      const expected = {
        ...pubtator3,
        passages: [
          {
            ...title,
            annotations: [
              title?.annotations[0],
              { id: '3', infons: { type: 'Protein' }, text: 'BRCA1', locations: [{ offset: 26, length: 5 }] },
              { id: 'T2', infons: { type: 'Gene' }, text: 'Effect', locations: [{ offset: 0, length: 6 }] },
            ],
          },
          {
            ...abstract,
            annotations: [
              abstract?.annotations[1],
              {
                id: 'T1',
                infons: { type: 'Gene', score: '0.25' },
                text: 'vitamin "',
                locations: [{ offset: 47, length: 9 }],
              },
            ],
          },
        ],
        relations: [],
      };
      const plain = (text: string) =>
        JSON.parse(`[${text.trim().replace(/\}\s*\n\s*\{(?=\s*"(?:id|source)")/g, '},{')}]`) as unknown;
      expect(plain(written)).toEqual(
        JSON.parse(JSON.stringify(plain(file(json))).replace(JSON.stringify(pubtator3), JSON.stringify(expected))),
      );
      expect((await read('bioc-json', written))[0]?.entities).toHaveLength(4);
    },
  );

  test('through JSONL everything comes back that JSON says', async () => {
    const content = JSON.stringify({ source: 'S', date: 'D', key: 'K', infons: {}, documents: [pubtator3] });
    const lines = (await write('jsonl', await read('bioc-json', content))).get('') ?? '';
    expect(lines).not.toContain('"source":{');
    expect(guessFormat(lines).name).toBe('jsonl');
    const written = (await write('bioc-json', await read('jsonl', lines))).get('') ?? '';
    const relabelled = JSON.parse(content) as {
      documents: { passages: { annotations: unknown[] }[] }[];
    };
    relabelled.documents[0]?.passages[1]?.annotations.reverse();
    expect(JSON.parse(written)).toMatchObject(relabelled);
  });

  test('a document may be dropped, moved, or come from another file', async () => {
    const a = await read(
      'bioc-json',
      JSON.stringify({ PubTator3: ['1', '2', '3'].map((id) => simple(id, id)) }),
      {},
      'a.json',
    );
    const b = await read('bioc-json', `${JSON.stringify(simple('4', '4'))}\n`, {}, 'b.json');
    for (const list of [[a[0], a[2]], [a[2], a[1]], [a[0], b[0]], [b[0], a[1], a[2]], [a[1]]]) {
      const documents = list.flatMap((document) => document ?? []);
      const written = (await write('bioc-json', documents)).get('') ?? '';
      expect((await read('bioc-json', written)).map(({ id }) => id)).toEqual(documents.map(({ id }) => id));
    }
  });

  test('sentences make the text of a passage without one, and come back', async () => {
    const sentence = (offset: number, text: string, start: number) => ({
      offset,
      infons: {},
      text,
      annotations: [
        { id: `s${offset}`, infons: { type: 'Gene' }, text: 'p53', locations: [{ offset: start, length: 3 }] },
      ],
      relations: [],
    });
    const passage = {
      offset: 5,
      infons: { type: 'abstract' },
      sentences: [sentence(5, '𝛼 p53.', 7), sentence(13, 'No p53.', 16)],
      annotations: [],
      relations: [],
    };
    const bioc = { id: '1', infons: {}, passages: [passage], annotations: [], relations: [] };
    const [document] = await read('bioc-json', JSON.stringify(bioc));
    expect(document?.text).toBe('𝛼 p53.  No p53.');
    expect(document?.entities.map(({ spans }) => document.text.slice(spans[0].start, spans[0].end))).toEqual([
      'p53',
      'p53',
    ]);
    const through = await read('jsonl', (await write('jsonl', document === undefined ? [] : [document])).get('') ?? '');
    expect(JSON.parse((await write('bioc-json', through)).get('') ?? '')).toMatchObject({ documents: [bioc] });
  });

  test('a mention across passages belongs to the document', async () => {
    const [document] = await read('bioc-json', JSON.stringify(pubtator3));
    const across = gene(27, 44);
    const written = (await write('bioc-json', [change(document, () => [across])])).get('') ?? '';
    expect(JSON.parse(written)).toMatchObject({ annotations: [{ locations: [{ offset: 26, length: 17 }] }] });
    expect((await read('bioc-json', written))[0]?.entities).toMatchObject([across]);
  });

  test('relations about mentions that are gone are left out, and reported', async () => {
    const losses: Loss[] = [];
    const [document] = await read('bioc-json', JSON.stringify(pubtator3));
    await write('bioc-json', [change(document, (before) => before.slice(1))], { onLoss: (loss) => losses.push(loss) });
    expect(losses).toEqual([]);
    await write('bioc-json', [change(document, (before) => before.slice(0, 1))], {
      onLoss: (loss) => losses.push(loss),
    });
    expect(losses).toMatchObject([{ kind: 'detail', message: '1 relations about mentions that are no longer there' }]);
  });

  test('discontinuous mentions, however their text is joined', async () => {
    for (const text of ['ovarian cancer', 'ovarian ... cancer', 'ovarian and breast cancer', 'ovariancancer']) {
      const annotation = {
        id: '1',
        infons: { type: 'Disease' },
        text,
        locations: [
          { offset: 19, length: 6 },
          { offset: 0, length: 7 },
        ],
      };
      const content = JSON.stringify({
        id: '1',
        passages: [{ offset: 0, text: 'ovarian and breast cancer', annotations: [annotation] }],
      });
      const documents = await read('bioc-json', content);
      expect(documents[0]?.entities[0]?.spans).toEqual([
        { start: 0, end: 7 },
        { start: 19, end: 25 },
      ]);
      expect((await write('bioc-json', documents)).get('')).toBe(content);
    }
  });

  test('offsets in another unit are an error, or repaired and written in code points', async () => {
    const wrong = JSON.stringify(pubtator3).replace('"offset":26', '"offset":27');
    await expect(read('bioc-json', wrong, {}, 'x.json')).rejects.toThrow(
      'x.json:1: expected the mention "BRCA1" at 27-32, found "RCA1." (the offsets fit as UTF-16 code units) in document 29355051',
    );
    const repairs: Repair[] = [];
    const documents = await read('bioc-json', wrong, {
      repairOffsets: true,
      onRepair: (repair) => repairs.push(repair),
    });
    expect(repairs.map(({ message }) => message)).toEqual(['took 27-32 as UTF-16 code units in document 29355051']);
    const written = (await write('bioc-json', documents)).get('') ?? '';
    expect((await read('bioc-json', written))[0]?.entities).toEqual(documents[0]?.entities);
    const inBytes = JSON.stringify({
      id: '1',
      passages: [
        { offset: 0, text: 'β' },
        { offset: 3, text: 'αp53', annotations: [{ infons: {}, text: 'p53', locations: [{ offset: 5, length: 3 }] }] },
      ],
    });
    expect((await read('bioc-json', inBytes, { offsets: 'byte' }))[0]).toMatchObject({
      text: 'β\nαp53',
      entities: [{ type: 'Entity', spans: [{ start: 3, end: 6 }] }],
    });
  });
});

describe('hostile bioc-json', () => {
  const document = (fields: string) => `{"documents":[\n{"id":"1","passages":[{"offset":0,"text":"p53",${fields}}]}]}`;
  test.each([
    [
      'cut off',
      '{"documents":[{"id":"1","passages":[',
      'x.json:1: expected the end of all JSON brackets, found the end of the input',
    ],
    ['cut off in a string', '{"documents":[{"id":"1', 'x.json:1: expected the end of all JSON brackets'],
    [
      'brackets that do not match',
      '{"documents":[{]}',
      'x.json:1: expected brackets of JSON that match, found ] out of place',
    ],
    ['no JSON', '[{"passages":[x]}]', 'x.json:1: expected a JSON object, found'],
    ['text at the top', '{"passages":[]} and', 'x.json:1: expected a JSON object or array, found'],
    ['deep nesting', `{"documents":[{"x":${'['.repeat(10_000)}`, 'expected at most 256 levels of nesting, found more'],
    ['no passages', '{"documents":[{"id":"1"}]}', 'expected an array "passages", found none'],
    ['a passage that is none', '{"documents":[{"passages":[1]}]}', 'expected objects in "passages", found "1"'],
    [
      'an offset that is none',
      '{"documents":[{"passages":[{"offset":"0","text":""}]}]}',
      'expected a whole number "offset"',
    ],
    [
      'a location that is none',
      document('"annotations":[{"locations":[{"offset":0}]}]'),
      'x.json:2: expected "offset" and "length" of a location',
    ],
    [
      'a place outside',
      document('"annotations":[{"locations":[{"offset":1,"length":9}]}]'),
      'x.json:2: expected a mention at 1-10, found the end of the text at 3 in document 1',
    ],
    [
      'another text',
      document('"annotations":[{"text":"p52","locations":[{"offset":0,"length":3}]}]'),
      'expected the mention "p52" at 0-3, found "p53" in document 1',
    ],
  ])('%s is refused', async (_, content, message) => {
    await expect(read('bioc-json', content, {}, 'x.json')).rejects.toThrow(message);
  });

  test('a document without end stops at the limit, not at the end of memory', async () => {
    const endless = async function* () {
      yield '{"documents":[{"passages":[{"text":"';
      for (;;) yield await Promise.resolve('a'.repeat(100_000));
    };
    const found = all(readDocuments({ name: 'x.json', chunks: endless() }, { from: 'bioc-json', maxBytes: 5_000_000 }));
    await expect(found).rejects.toThrow('expected a document of at most 5000000 bytes, found a longer one');
  });

  test('lone surrogates survive', async () => {
    const content = '{"id":"1","passages":[{"offset":0,"text":"a\\ud800b","annotations":[]}]}\n';
    const documents = await read('bioc-json', content);
    expect(documents[0]?.text).toBe('a\ud800b');
    expect((await write('bioc-json', documents)).get('')).toBe(content);
  });

  test('a long single line of many documents passes through in little memory', async () => {
    const one = JSON.stringify({ ...simple('1', 'Lithium helps. '.repeat(200)), infons: { x: 'y' } });
    let documents = 0;
    let peak = 0;
    const before = process.memoryUsage().rss;
    const endless = async function* () {
      yield '{"documents":[';
      for (let k = 0; k < 30_000; k += 1) yield await Promise.resolve(k === 0 ? one : `,${one}`);
      yield ']}';
    };
    for await (const { text } of readDocuments({ name: 'x.json', chunks: endless() }, { from: 'bioc-json' })) {
      documents += text.length > 0 ? 1 : 0;
      if (documents % 1000 === 0) peak = Math.max(peak, process.memoryUsage().rss);
    }
    expect(documents).toBe(30_000);
    expect(peak - before).toBeLessThan(150e6);
  });
});
