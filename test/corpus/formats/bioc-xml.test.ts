import { describe, expect, test } from 'vitest';
import type { Document, Entity } from '../../../src/corpus/document.js';
import type { Loss, Repair } from '../../../src/corpus/format.js';
import { guessFormat, readDocuments } from '../../../src/corpus/registry.js';
import { typeMap } from '../../../src/corpus/types.js';
import { all, chunksOf, read, write } from '../support.js';

const indented = `<?xml version='1.0' encoding='UTF-8'?><!DOCTYPE collection SYSTEM 'BioC.dtd'>
<collection>
  <source>PubTator</source><date>2015</date><key>k.key</key>
  <infon key="license">CC &amp; BY</infon>
  <!-- first -->
  <document>
    <id>1</id>
    <infon key='year'>1999</infon>
    <passage>
      <infon key="type">title</infon>
      <offset>0</offset>
      <text>&#x1d6fc; &lt;ovarian&gt; and breast cancer</text>
      <annotation id='0'>
        <infon key="type">DISEASE</infon>
        <infon key="MESH">D010051</infon>
        <location offset='3' length='7' />
        <location offset='23' length="6"/>
        <text>ovarian cancer</text>
      </annotation>
      <annotation id='1'><infon key="type">Disease</infon><location offset="16" length="13"/><text>breast cancer</text></annotation>
      <annotation id="c"><infon key="type">MeSH</infon><text>Adult</text></annotation>
    </passage>
    <passage>
      <infon key="type">abstract</infon>
      <offset>30</offset>
      <text/>
    </passage>
    <relation id='R0'><infon key="relation">CID</infon><node refid='0' role='a'/><node refid="1" role="b"/></relation>
    <relation id='R1'><infon key="relation">CID</infon><infon key="Chemical">D1</infon></relation>
  </document>
  <document><id>2</id></document>
</collection>
<!-- end -->
`;
const compact = indented.replace(/>\s+</g, '><').trimEnd();
const layouts = { indented, compact, CRLF: indented.replace(/\n/g, '\r\n') };
const text = '\u{1d6fc} <ovarian> and breast cancer\n';

const first = async (content: string): Promise<Document> => {
  const [document] = await read('bioc-xml', content);
  if (document === undefined) throw new Error('expected a document');
  return document;
};
const gene = (start: number, end: number, more: Partial<Entity> = {}): Entity => ({
  type: 'Gene',
  spans: [{ start, end }],
  ...more,
});

describe('bioc-xml', () => {
  test.each(Object.entries(layouts))('%s: text, mentions, and the file byte for byte', async (_, content) => {
    expect(guessFormat(content).name).toBe('bioc-xml');
    const documents = await all(readDocuments({ name: 'x', chunks: chunksOf(content.match(/[^]{1,7}/gu) ?? []) }));
    expect(documents.map(({ id, passages }) => [id, passages?.map(({ kind }) => kind)])).toEqual([
      ['1', ['title', 'abstract']],
      ['2', []],
    ]);
    expect(documents[0]?.text).toBe(text);
    expect(documents[0]?.entities).toEqual([
      {
        id: '0',
        type: 'Disease',
        spans: [
          { start: 4, end: 11 },
          { start: 24, end: 30 },
        ],
        attributes: { MESH: 'D010051', concept: 'D010051', sourceType: 'DISEASE' },
      },
      { id: '1', type: 'Disease', spans: [{ start: 17, end: 30 }] },
    ]);
    expect((await write('bioc-xml', documents)).get('')).toBe(content);
  });

  test('changes of mentions change nothing else', async () => {
    const document = await first(indented);
    const [a, b] = document.entities;
    if (a === undefined || b === undefined) throw new Error('expected two mentions');
    const kept = (await write('bioc-xml', [{ ...document, entities: [b, a] }])).get('') ?? '';
    expect(indented.startsWith(kept.replace(/\n<\/collection>\n$/, ''))).toBe(true);

    const added = (await write('bioc-xml', [{ ...document, entities: [a, gene(0, 2, { score: 0.5 }), b] }])).get('');
    const line = '      <annotation id="c"><infon key="type">MeSH</infon><text>Adult</text></annotation>\n';
    const annotation = [
      '      <annotation id="T1">',
      '        <infon key="type">Gene</infon>',
      '        <infon key="score">0.5</infon>',
      '        <location offset="0" length="1"/>',
      '        <text>\u{1d6fc}</text>',
      '      </annotation>\n',
    ].join('\n');
    expect(added?.startsWith(indented.replace(line, line + annotation).split('\n  <document><id>2')[0] ?? '?')).toBe(
      true,
    );

    const losses: Loss[] = [];
    const renamed = { ...b, type: 'Cancer' };
    const changed = await write('bioc-xml', [{ ...document, entities: [renamed] }], { onLoss: (l) => losses.push(l) });
    const back = await read('bioc-xml', changed.get('') ?? '');
    expect(back[0]?.entities).toEqual([renamed]);
    expect(changed.get('')).toContain('<annotation id="1">\n');
    expect(changed.get('')).not.toContain("id='0'");
    expect(changed.get('')).not.toContain('R0');
    expect(changed.get('')).toContain("<relation id='R1'>");
    expect(losses.map(({ message }) => message)).toEqual(['1 relations about mentions that are no longer there']);
  });

  test('mentions are added where there were none', async () => {
    const bare =
      '<collection><source/><date/><key/><document><id>7</id><passage><offset>9</offset><text>p53</text></passage></document></collection>';
    const document = await first(bare);
    const written = (await write('bioc-xml', [{ ...document, entities: [gene(0, 3)] }])).get('');
    expect(written).toBe(
      bare.replace(
        '</passage>',
        '<annotation id="T1"><infon key="type">Gene</infon><location offset="9" length="3"/><text>p53</text></annotation></passage>',
      ),
    );
  });

  test('a type that the caller renames is renamed in the file', async () => {
    const documents = await read('bioc-xml', compact, { types: typeMap(['Disease=Illness']) });
    expect((await write('bioc-xml', documents)).get('')).toBe(
      compact
        .replace('<infon key="type">Disease', '<infon key="type">Illness')
        .replace("<annotation id='1'>", '<annotation id="1">'),
    );
  });

  test('through JSON and JSONL everything comes back that the file says', async () => {
    const documents = await read('bioc-xml', indented);
    for (const format of ['jsonl', 'bioc-json']) {
      const through = await read(format, (await write(format, documents)).get('') ?? '');
      const written = (await write('bioc-xml', through)).get('') ?? '';
      for (const piece of compact
        .replace(/'/g, '"')
        .replace(/ \/>/g, '/>')
        .match(/<(?:source|infon|node|offset)[^]*?>[^<]*/g) ?? []) {
        expect(written.replace(/'/g, '"')).toContain(piece);
      }
      expect(await read('bioc-xml', written)).toMatchObject(
        documents.map(({ id, entities }) => ({ id, text: id === '1' ? text : '', entities })),
      );
    }
  });

  test('what only JSON can say is reported', async () => {
    const json = { id: '1', pmid: 7, passages: [{ offset: 0, infons: { x: [1] }, text: 'a\u0001', annotations: [] }] };
    const losses: Loss[] = [];
    const written = await write('bioc-xml', await read('bioc-json', JSON.stringify(json)), {
      onLoss: (l) => losses.push(l),
    });
    expect(losses.map(({ message }) => message)).toEqual([
      'infons that are no text, written as JSON',
      'the field pmid',
      'characters that XML has not, written as spaces or U+FFFD',
    ]);
    expect(written.get('')).toContain('<infon key="x">[1]</infon>');
  });

  test('offsets in bytes are told by line, or repaired', async () => {
    const wrong = indented.replace('offset="16" length="13"', 'offset="19" length="13"');
    await expect(read('bioc-xml', wrong, {}, 'x.xml')).rejects.toThrow(
      'x.xml:20: expected the mention "breast cancer" at 19-32, found the end of the text at 29 (the offsets fit as UTF-8 bytes) in document 1',
    );
    const repairs: Repair[] = [];
    const documents = await read('bioc-xml', wrong, { repairOffsets: true, onRepair: (r) => repairs.push(r) }, 'x.xml');
    expect(repairs).toMatchObject([{ file: 'x.xml', line: 20 }]);
    const [again] = await read('bioc-xml', (await write('bioc-xml', documents)).get('') ?? '');
    expect(again?.entities).toEqual(documents[0]?.entities);
  });

  test.each([
    [
      '<collection><document><passage><offset>x</offset></passage></document></collection>',
      'expected a whole number "offset", found "\\"x\\""',
    ],
    [
      '<collection>\n<document><passage><offset>0</offset><text>a</text>\n<annotation><location offset="0"/></annotation></passage></document></collection>',
      'x.xml:3: expected "offset" and "length" of a location',
    ],
    ['<html/>', 'x.xml:1: expected <collection>, found <html>'],
    ['<collection><document>', 'x.xml:1: expected well-formed XML, found unclosed tag: document'],
  ])('%s is refused', async (content, message) => {
    await expect(read('bioc-xml', content, {}, 'x.xml')).rejects.toThrow(message);
  });
});
