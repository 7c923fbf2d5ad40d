import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { collect, readFileDocuments } from '../../src/corpus/corpora.js';
import type { Document } from '../../src/corpus/document.js';
import type { Loss } from '../../src/corpus/format.js';
import { mentionText } from '../../src/corpus/mentions.js';
import { formats, guessFormat, readDocuments } from '../../src/corpus/registry.js';
import { InputError } from '../../src/errors.js';
import type { Span } from '../../src/text/index.js';
import {
  all,
  chunksOf,
  documentArbitrary,
  read,
  roundTrip,
  temporaryFolder,
  textArbitrary,
  visible,
  write,
} from './support.js';

const named = [...formats.values()];
const writable = named.filter(({ write }) => write !== undefined).map(({ name }) => name);
const readable = named.filter(({ read }) => read !== undefined).map(({ name }) => name);
/** Formats that keep the text to the character. */
const exactText = ['jsonl', 'brat', 'bioc-json', 'csv', 'tsv'];
/** Formats that have no place for mentions, and report every one. */
const noMentions = ['pubmed-xml'];
/** An input of each format, with characters of several bytes and CRLF. */
const samples: Readonly<Record<string, string>> = {
  jsonl: '{"id":"é😀","text":"lithium 😀 β"}\n\n{"id":"2","text":""}\n',
  iob: 'Lithium\tB-Chemical\r\nβ😀\tO\r\n\r\nx\tO\n',
  'bioc-xml':
    '<?xml version="1.0"?>\n<collection><source/><date/><key/>\n<document><id>1</id><passage><offset>0</offset><text>lithium 😀 β&amp;</text><annotation><infon key="type">Gene</infon><location offset="8" length="3"/><text>😀 β</text></annotation></passage></document>\r\n</collection>\n',
  'bioc-json':
    '\n{"source":"β","documents":[\n{"id":"1","passages":[{"offset":0,"text":"lithium 😀 \\ud83d\\ude00 β\\\\","annotations":[{"infons":{"type":"Gene"},"text":"😀 😀","locations":[{"offset":8,"length":3}]}]}]},\r\n{"passages":[]}]}\n',
  hf: '\n{"id":"é😀","tokens":["lithium","😀"],"ner_tags":["B-Chemical","O"]}\n\n{"tokens":[],"ner_tags":[]}\n',
  csv: '\ufeffid,text,"n ""o"""\r\n1,"lithium\n 😀 ""β""",x\r\n\r\n2,plain,',
  tsv: 'PMID\ttitle\tabstract\r\n1\t"lithium" 😀\t"a\t""β"""\r\n2\t\tplain\n',
  'pubmed-xml':
    '<?xml version="1.0"?>\r\n<PubmedArticleSet><PubmedArticle>\r\n<PMID>1</PMID><ArticleTitle>β<i>😀</i> &amp; &#x1f600;</ArticleTitle></PubmedArticle>\r\n<PubmedArticle/></PubmedArticleSet>\r\n',
  chemdner: '1\tβ😀 title\tabstract\r\n\n2\t\tx\n',
  pubtator: '1|t|β😀 title.\r\n1|a|abstract\r\n1\t0\t2\tβ😀\tGene\t7\r\n\r\n2|t|x\n2|a|\n',
};
const sampleOf = (name: string) => samples[name] ?? 'first β😀\r\n\r\nthird';
const runs = { numRuns: 150 };

/** What is left of a text whose blanks and control characters a format writes otherwise. */
const ink = (text: string) => text.replace(/[\s\p{Cc}\p{Cf}\ufffd]/gu, '');

function expectAscending(spans: readonly Span[], length: number): void {
  let last = 0;
  for (const { start, end } of spans) {
    expect(start).toBeGreaterThanOrEqual(last);
    expect(end).toBeGreaterThan(start);
    last = end;
  }
  expect(last).toBeLessThanOrEqual(length);
}

const distinctIds = fc.uniqueArray(documentArbitrary, { selector: ({ id }) => id, maxLength: 4 });

describe('every format', () => {
  test.each(named)('$name is found by its name and says what it is', (format) => {
    expect(formats.get(format.name)).toBe(format);
    expect(format.description).not.toBe('');
    expect(format.extensions.every((extension) => extension.startsWith('.'))).toBe(true);
  });

  test.each(readable)('%s reads an empty input', async (name) => {
    const documents = await read(name, '');
    expect(documents.every(({ text, entities }) => text === '' && entities.length === 0)).toBe(true);
  });

  test.each(readable.filter((name) => name !== 'brat'))('%s reads the same from pieces of any size', async (name) => {
    const content = sampleOf(name);
    const bytes = new TextEncoder().encode(content);
    const whole = await read(name, content);
    expect(whole.length).toBeGreaterThan(0);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 9 }), fc.boolean(), async (size, binary) => {
        const data = binary ? bytes : content;
        const chunks = Array.from({ length: Math.ceil(data.length / size) }, (_, k) =>
          data.slice(k * size, (k + 1) * size),
        );
        const pieces = { name: 'file.txt', chunks: chunksOf<Uint8Array | string>(chunks) };
        expect(await all(readDocuments(pieces, { from: name }))).toEqual(whole);
      }),
      { numRuns: 20 },
    );
  });
});

describe.each(readable.filter((name) => name !== 'brat'))('%s, read from hostile input', (name) => {
  const bytes = Buffer.from(sampleOf(name).replace(/^\ufeff/, ''));
  const documents = (content: Uint8Array, options = {}) => read(name, content, options, 'x.y');
  const folder = temporaryFolder();
  const file = (content: Uint8Array): string => {
    const path = join(folder, 'x.y.gz');
    writeFileSync(path, content);
    return path;
  };

  test('a byte order mark is no part of it', async () => {
    expect(await documents(Buffer.concat([Buffer.from('\ufeff'), bytes]))).toEqual(await documents(bytes));
  });

  test('gzip is read through; cut off or damaged it is refused', async () => {
    const zipped = gzipSync(Buffer.concat([bytes, Buffer.from('\n'.repeat(100_000))]));
    const found = await collect(readFileDocuments(file(zipped), { from: name }));
    expect(found.length).toBeGreaterThan(0);
    for (const cut of [zipped.length - 9, 20]) {
      const reading = collect(readFileDocuments(file(zipped.subarray(0, cut)), { from: name }));
      await expect(reading).rejects.toThrow(/x\.y\.gz: expected whole gzip data/);
    }
  });

  test('other encodings are refused, wherever they begin', async () => {
    const late = Buffer.concat([bytes, Buffer.from('\n\xe9t\xe9\n', 'latin1')]);
    await expect(documents(late)).rejects.toThrow(/x\.y:\d+: expected UTF-8, found bytes that are not/);
    await expect(documents(Buffer.from(sampleOf(name), 'utf16le'))).rejects.toThrow(/x\.y: expected UTF-8 text/);
    await expect(documents(Buffer.concat([bytes, Buffer.from([0, 1, 2])]))).rejects.toThrow(/binary|JSON|XML|brackets/);
  });

  test('a line without end stops, before memory does', async () => {
    const endless = (start: string) =>
      (async function* () {
        yield Buffer.from(start);
        for (;;) yield await Promise.resolve(Buffer.alloc(100_000, 65));
      })();
    for (const start of [sampleOf(name), '{"text":"', '{"tokens":["', '1|t|', '"']) {
      const source = { name: 'x.y', chunks: endless(start) };
      await expect(all(readDocuments(source, { from: name, maxBytes: 3_000_000 }))).rejects.toThrow(InputError);
    }
  });

  test('brackets and elements 10,000 deep are refused, or are text', async () => {
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
      ['<a>', '</a>'],
    ] as const) {
      const deep = `${open.repeat(10_000)}${open === '{"a":' ? '1' : ''}${close.repeat(10_000)}`;
      for (const content of [
        deep,
        `{"text":"a","tokens":[],"tags":[],"x":${deep}}`,
        `<collection>${deep}</collection>`,
      ]) {
        const outcome = await read(name, `${content}\n`).catch((error: unknown) => error);
        if (!(outcome instanceof InputError)) {
          const text = JSON.stringify(outcome);
          expect(text.length).toBeGreaterThan(0);
        }
      }
    }
  });
});

describe.each(writable)('%s, written and read back', (name) => {
  test('has every mention, or reports it', async () => {
    await fc.assert(
      fc.asyncProperty(distinctIds, async (documents) => {
        const losses: Loss[] = [];
        const back = await roundTrip(name, documents, { onLoss: (loss) => losses.push(loss) });
        expect(back.map(({ id }) => id)).toEqual(documents.map(({ id }) => id));
        documents.forEach((document, k) => {
          const again = back[k] ?? document;
          const found = again.entities.map((entity) => visible(again, entity));
          const missing = document.entities.filter((entity) => {
            const at = found.indexOf(visible(document, entity));
            if (at >= 0) found.splice(at, 1);
            return at < 0;
          });
          const reported = losses.filter((loss) => loss.document === document.id && loss.kind === 'entity');
          expect(missing.length).toBeLessThanOrEqual(reported.length);
        });
      }),
      runs,
    );
  });

  test('holds, for each mention, the text at its place', async () => {
    const kept = (text: string) => (exactText.includes(name) ? text : ink(text));
    const mentions = ({ text, entities }: Document) =>
      entities.map(({ type, spans }) => `${type} ${kept(mentionText(text, spans))}`).sort();
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(distinctIds, async (documents) => {
        const losses: Loss[] = [];
        const back = await roundTrip(name, documents, { onLoss: (loss) => losses.push(loss) });
        for (const [k, again] of back.entries()) {
          for (const { spans } of again.entities) expectAscending(spans, again.text.length);
          const [has, had] = [mentions(again), documents.slice(k, k + 1).flatMap(mentions)];
          compared += has.length;
          if (exactText.includes(name)) {
            expect(has).toEqual(had);
          } else {
            // Only what was reported may have another text: hulls of discontinuous mentions, and those widened to words.
            const other = has.filter((mention) => {
              const at = had.indexOf(mention);
              if (at >= 0) had.splice(at, 1);
              return at < 0;
            });
            const reported = losses.filter((loss) => loss.document === again.id && loss.kind === 'entity');
            expect(other.length).toBeLessThanOrEqual(reported.length);
          }
        }
      }),
      runs,
    );
    expect(compared > 100).toBe(!noMentions.includes(name));
  });

  test('has the same visible text', async () => {
    await fc.assert(
      fc.asyncProperty(distinctIds, async (documents) => {
        const back = await roundTrip(name, documents, { onLoss: () => undefined });
        const texts = (exactText.includes(name) ? back : back.map(({ text }) => ({ text: ink(text) }))).map(
          (d) => d.text,
        );
        expect(texts).toEqual(documents.map(({ text }) => (exactText.includes(name) ? text : ink(text))));
      }),
      runs,
    );
  });

  test('is the same when written a second time', async () => {
    await fc.assert(
      fc.asyncProperty(distinctIds, async (documents) => {
        const once = await roundTrip(name, documents, { onLoss: () => undefined });
        const losses: Loss[] = [];
        const twice = await roundTrip(name, once, { onLoss: (loss) => losses.push(loss) });
        expect(twice).toEqual(once);
        expect(losses.filter(({ kind }) => kind === 'entity')).toEqual([]);
      }),
      runs,
    );
  });

  test('is recognised by its content', async () => {
    const documents = [
      {
        id: '7',
        text: 'Lithium helps.\nIt does.',
        entities: noMentions.includes(name) ? [] : [{ type: 'Chemical', spans: [{ start: 0, end: 7 }] as const }],
      },
    ];
    for (const [file, content] of await write(name, documents)) {
      if (!file.endsWith('.txt')) expect(guessFormat(content, file).name).toBe(name);
    }
  });
});

test('what every format writes is recognised after JSONL', async () => {
  for (const name of writable.filter((format) => !noMentions.includes(format) && format !== 'brat')) {
    const documents = await read(name, sampleOf(name), {}, 'file.x');
    const lines = (await write('jsonl', documents)).get('') ?? '';
    expect(guessFormat(lines).name).toBe('jsonl');
    expect(await all(readDocuments({ name: 'file.x', chunks: chunksOf([lines]) }))).toHaveLength(documents.length);
  }
});

test('plain text is not taken for anything else', () => {
  fc.assert(
    fc.property(textArbitrary, (units) => {
      expect(guessFormat(units.join(''), 'x.txt').name).toBe('text');
    }),
  );
});
