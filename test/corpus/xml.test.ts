import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { childElements, escapeAttribute, escapeText, parseXml, textContent, xmlRecords } from '../../src/corpus/xml.js';
import { all, chunksOf, source } from './support.js';

const options = { format: 'x', roots: new Set(['set']), records: new Set(['record']) };
const records = (content: string | Uint8Array) => all(xmlRecords(source('x.xml', content), options));

const content =
  '\ufeff<?xml version="1.0"?>\r\n<!-- <record> --><set\r\na="<!-- b"><record\r\n\tk = "a>b&amp;&#10;" >\r\né<i/>😀<![CDATA[</record>]]></record ><a><record/></a>\n' +
  '<record><record>inner</record\n></record><?p record?></set>\n<!-- end -->';

describe('records of XML', () => {
  test('are the exact text, whatever pieces it comes in', async () => {
    const bare = content.slice(1);
    const bytes = new TextEncoder().encode(content);
    const unescaped = content.replace('"<!-- b"', '"b"');
    await expect(records(content)).rejects.toThrow('x.xml:3: expected well-formed XML');
    expect(bare.length).toBe(content.length - 1);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 12 }), fc.boolean(), async (size, binary) => {
        const data = binary ? new TextEncoder().encode(unescaped) : unescaped;
        const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, k) =>
          data.slice(k * size, (k + 1) * size),
        );
        const found = await all(xmlRecords({ name: 'x.xml', chunks: chunksOf<Uint8Array | string>(chunks) }, options));
        const rebuilt = found.map(({ source: { index, head, before, text, tail = '' } }) =>
          [index === 0 ? head : '', before, text, tail].join(''),
        );
        expect(rebuilt.join('')).toBe(unescaped.slice(1));
        expect(found.map(({ source: { text } }) => text.startsWith('<record') && text.endsWith('>'))).toEqual([
          true,
          true,
          true,
        ]);
        const [first] = found;
        if (first === undefined) throw new Error('expected a record');
        expect(first.element.attributes['k']).toBe('a>b&\n');
        expect(textContent(first.element)).toBe('\né😀</record>');
        expect(first.source.text.slice(first.element.contentStart)).toMatch(/^\r\né/);
        const [inner] = childElements(first.element);
        expect(first.source.text.slice(inner?.start, inner?.end)).toBe('<i/>');
        expect(first.element.line).toBe(3);
      }),
      { numRuns: 40 },
    );
  });

  test('escaped text and attributes come back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const shown = text
          .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, ' ')
          .replace(/[\ufffe\uffff]/g, '\ufffd');
        const element = parseXml(`<a b="${escapeAttribute(text)}">${escapeText(text)}</a>`, 'x');
        expect(textContent(element)).toBe(shown);
        expect(element.attributes['b']).toBe(shown);
      }),
    );
    expect(escapeText('a\ud800\u0001')).toBe('a\ufffd ');
  });
});

describe('hostile XML', () => {
  const laughs = Array.from({ length: 9 }, (_, k) => `<!ENTITY l${k + 1} "${`&l${k};`.repeat(10)}">`).join('');
  test.each([
    ['a bomb', `<!DOCTYPE set [<!ENTITY l0 "ha">${laughs}]><set><record>&l9;</record></set>`, 'no entity declarations'],
    [
      'an external entity',
      '<!DOCTYPE set [<!ENTITY x SYSTEM "file:///etc/passwd">]><set><record>&x;</record></set>',
      'no entity declarations, found <!ENTITY',
    ],
    [
      'a parameter entity',
      '<!DOCTYPE set [<!ENTITY % x SYSTEM "http://localhost/x.dtd">%x;]><set/>',
      'no entity declarations, found <!ENTITY',
    ],
    [
      'an entity of an external DTD',
      '<!DOCTYPE set SYSTEM "x.dtd"><set><record>&nbsp;</record></set>',
      'undefined entity',
    ],
    ['deep nesting', `<set><record>${'<a>'.repeat(10_000)}`, 'at most 256 levels of elements'],
    ['deep nesting outside of records', `<set>${'<a>'.repeat(10_000)}`, 'at most 256 levels of elements'],
    ['a long name', `<set><record><${'a'.repeat(100_000)}/></record></set>`, 'names of at most 1000 characters'],
    ['the end too early', '<set><record>text', 'unclosed tag: record'],
    ['two roots', '<set></set><set></set>', 'expected well-formed XML'],
    ['a NUL by number', '<set><record>&#0;</record></set>', 'expected well-formed XML'],
    ['another encoding, by declaration', '<?xml version="1.0" encoding="ISO-8859-1"?><set/>', 'expected UTF-8, found'],
    [
      'another encoding, by content',
      Buffer.from('<set>\n<record>\xe9</record></set>', 'latin1'),
      'x.xml:2: expected UTF-8',
    ],
    ['UTF-16', Buffer.from('\ufeff<set/>', 'utf16le'), 'expected UTF-8 text, found UTF-16'],
  ])('%s is refused', async (_, hostile, message) => {
    await expect(records(hostile)).rejects.toThrow(message);
  });

  test.each([
    ['text', 'a'],
    ['CDATA', '<![CDATA[aa'],
    ['attribute', '<a x="aaa'],
    ['comment', '<!-- aa'],
    ['between records', '</record>aaa'],
  ])('%s without end stops at the limit, not at the end of memory', async (_, start) => {
    const endless = async function* () {
      yield `<set><record>${start}`;
      for (;;) yield await Promise.resolve('a'.repeat(100_000));
    };
    const found = all(xmlRecords({ name: 'x.xml', chunks: endless() }, { ...options, maxBytes: 5_000_000 }));
    await expect(found).rejects.toThrow('expected a document of at most 5000000 bytes, found a longer one');
  });

  test('what is in a prototype is no entity and no attribute', async () => {
    await expect(records('<set><record>&constructor;</record></set>')).rejects.toThrow('undefined entity');
    const [record] = await records('<set><record __proto__="x">a</record></set>');
    expect(record?.element.attributes['toString']).toBeUndefined();
  });
});
