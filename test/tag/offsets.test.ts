import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { documentSentences, documentToJson, type Document, type Entity } from '../../src/corpus/index.js';
import { labelSpace, type ModelConfig } from '../../src/model/index.js';
import type { Runtime, Values } from '../../src/runtime/index.js';
import { Lexicon, Tagger } from '../../src/tag/index.js';
import { isBlank, WordPieceTokenizer } from '../../src/text/index.js';
import { tinyEncoder, tinySequence, tinyWordPair } from '../model/support/tiny.js';
import { anyText } from '../text/arbitrary.js';

const tokenizer = WordPieceTokenizer.fromVocabulary(
  `${['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'p53', '-', '.', '(', ')', 't', '##n', '##f', '😀', 'e', '##e'].join('\n')}\n`,
  { lowercase: true },
);

/** A number from 0 to 1 that some integers decide. */
function drawn(...numbers: readonly number[]): number {
  let state = 0x9e3779b9;
  for (const number of numbers) {
    state = Math.imul(state ^ number, 0x85ebca6b);
    state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
    state ^= state >>> 16;
  }
  return (state >>> 0) / 2 ** 32;
}

/** What the pieces of each sentence of a batch are, as one number. */
function seedsOf(feeds: Values, sentences: number, words: number): number[] {
  const numbers = (name: string) => [...(feeds[name]?.data ?? [])].map(Number);
  const [ids, rows, places] = [numbers('input_ids'), numbers('piece_rows'), numbers('piece_words')];
  const seeds = Array.from({ length: sentences }, () => 1);
  for (const [k, place] of places.entries()) {
    const sentence = Math.floor(place / words);
    seeds[sentence] = 2 ** 31 * drawn(seeds[sentence] ?? 0, ids[rows[k] ?? 0] ?? 0);
  }
  return seeds;
}

/** The label of a cell or word: entities of one word and of several, nested, overlapping and discontinuous ones. */
function labelAt(config: ModelConfig, classes: number, seed: number, row: number, column: number): number {
  const [chance, which] = [drawn(seed, row, column, 1), drawn(seed, row, column, 2)];
  if (config.kind === 'sequence') return chance < 0.5 ? 0 : 1 + Math.floor(which * (classes - 1));
  if (column > row) return chance < (column === row + 1 ? 0.6 : 0.1) ? 1 : 0;
  return chance < 0.2 ? 2 + Math.floor(which * (classes - 2)) : 0;
}

/** A runtime without weights that marks words as the pieces of their sentence decide. */
function stub(config: ModelConfig): Runtime {
  const { heads, classes } = labelSpace(config);
  return {
    load: () =>
      Promise.resolve({
        inputNames: ['input_ids', 'piece_counts', 'word_mask', 'piece_rows', 'piece_words', 'characters'],
        outputNames: ['probabilities'],
        run: (feeds: Values) => {
          const [sentences = 0, words = 0] = feeds['word_mask']?.dims ?? [];
          const columns = config.kind === 'word-pair' ? words : 1;
          const data: number[] = [];
          for (const seed of seedsOf(feeds, sentences, words)) {
            for (let row = 0; row < words; row++) {
              for (let column = 0; column < columns; column++) {
                const label = labelAt(config, classes, seed, row, column);
                const sure = 0.5 + drawn(seed, row, column, 3) / 2;
                const rest = (1 - sure) / (classes - 1);
                for (let k = 0; k < classes; k++) data.push(k === label ? sure : rest);
              }
            }
          }
          const dims = [sentences, words, ...(config.kind === 'word-pair' ? [words] : []), heads, classes];
          return Promise.resolve({
            probabilities: { type: 'float32' as const, dims, data: Float32Array.from(data) },
          });
        },
        runInto: () => Promise.reject(new Error('not called')),
        release: () => Promise.resolve(),
      }),
  };
}

/** A text, or a title and an abstract. */
const document = fc.tuple(anyText, fc.option(anyText)).map(([title, abstract]): Document => {
  if (abstract === null) return { id: '', text: title, entities: [] };
  const text = `${title}\n${abstract}`;
  const passages = [
    { kind: 'title', start: 0, end: title.length },
    { kind: 'abstract', start: title.length + 1, end: text.length },
  ];
  return { id: '', text, entities: [], passages };
});

const documents = fc.array(document, { minLength: 1, maxLength: 4 });

/** Pieces that the encoder reads: windows cover a sentence of more words. */
const LIMIT = 10;
const encoder = { ...tinyEncoder, max_position_embeddings: LIMIT };

const withoutBlanks = (text: string): string =>
  Array.from({ length: text.length }, (_, k) => text.charAt(k))
    .filter((unit) => !isBlank(unit.charCodeAt(0)))
    .join('');

/** Whether a place in a text is between the halves of a character. */
const isInside = (text: string, place: number): boolean =>
  place > 0 && /^[\ud800-\udbff][\udc00-\udfff]$/.test(text.slice(place - 1, place + 1));

function expectSpans(text: string, { spans }: Entity): void {
  let last = -1;
  for (const { start, end } of spans) {
    expect(start).toBeGreaterThan(last);
    expect(end).toBeGreaterThan(start);
    expect([start, end].filter((place) => isInside(text, place))).toEqual([]);
    last = end;
  }
  expect(last).toBeLessThanOrEqual(text.length);
}

interface Written {
  readonly text: string;
  readonly entities: readonly {
    readonly start: number;
    readonly end: number;
    readonly text: string;
    readonly spans?: readonly (readonly [number, number])[];
  }[];
}

/** What a reader of the JSON lines finds at the places that they name. */
function expectWritten(document: Document): void {
  for (const unit of ['utf16', 'codepoint'] as const) {
    const { text, entities } = JSON.parse(documentToJson(document, unit)) as Written;
    expect(text).toBe(document.text);
    const characters = unit === 'utf16' ? text.split('') : [...text];
    for (const { start, end, spans = [[start, end]], text: mention } of entities) {
      expect(spans.map(([from, to]) => characters.slice(from, to).join('')).join(' ')).toBe(mention);
    }
  }
}

const systems: readonly (readonly [string, ModelConfig, boolean])[] = [
  ['a flat grid', tinyWordPair({ encoder }), true],
  ['a grid with nested and discontinuous entities', tinyWordPair({ encoder }), false],
  ['a sequence labeller', tinySequence({ encoder, scheme: 'BIOES' }), true],
];

describe.each(systems)('what %s finds in any text', (_, config, flat) => {
  const lexicon = new Lexicon([
    { type: 'A', name: 'TNF-α', score: 0.9 },
    { type: 'B', name: '😀', score: 0.8 },
  ]);
  const created = Tagger.create({ config, tokenizer, graph: new Uint8Array(0), flat, lexicon }, stub(config));

  test('lies in the text, in order, at whole characters; the text there is the mention', async () => {
    const tagger = await created;
    const seen = { entities: 0, gaps: 0, shared: 0, wide: 0, long: 0 };
    await fc.assert(
      fc.asyncProperty(documents, async (given) => {
        const tagged: Document[] = [];
        for await (const document of tagger.tagDocuments(given)) tagged.push(document);
        expect(tagged.map(({ text }) => text)).toEqual(given.map(({ text }) => text));
        for (const document of tagged) {
          const { text, entities } = document;
          for (const entity of entities) expectSpans(text, entity);
          const starts = entities.map(({ spans: [{ start }] }) => start);
          expect(starts).toEqual(starts.toSorted((a, b) => a - b));
          expectWritten(document);

          const sentences = documentSentences(document).map(({ words }) =>
            words.map(({ start, end }) => text.slice(start, end)),
          );
          const words = (await tagger.tagWords(sentences)).flatMap((found, k) =>
            found.map(({ words: places }) => places.map((place) => sentences[k]?.[place] ?? '')),
          );
          const mentions = entities.map(({ spans }) => spans.map(({ start, end }) => text.slice(start, end)).join(''));
          expect(mentions.map(withoutBlanks)).toEqual(words.map((marked) => withoutBlanks(marked.join(''))));

          seen.entities += entities.length;
          seen.long += sentences.filter((words) => words.length > LIMIT).length;
          seen.gaps += entities.filter(({ spans }) => spans.length > 1).length;
          seen.wide += mentions.filter((mention) => /[\ud800-\udfff]/.test(mention)).length;
          const places = entities.flatMap(({ spans }) => spans.flatMap(({ start, end }) => range(start, end)));
          seen.shared += Number(new Set(places).size < places.length);
        }
      }),
      { numRuns: 200 },
    );
    expect(seen.entities).toBeGreaterThan(1000);
    expect(seen.wide).toBeGreaterThan(100);
    expect(seen.long).toBeGreaterThan(50);
    expect([seen.gaps, seen.shared].map((count) => count > 50)).toEqual(
      config.kind === 'sequence' ? [false, false] : [true, !flat],
    );
  });
});

const range = (start: number, end: number): number[] => Array.from({ length: end - start }, (_, k) => start + k);
