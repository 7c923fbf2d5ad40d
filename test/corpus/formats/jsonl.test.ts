import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Document, Entity } from '../../../src/corpus/document.js';
import { documentToJson, parseDocument } from '../../../src/corpus/formats/jsonl.js';
import { documentArbitrary, read, roundTrip } from '../support.js';

const entity = (type: string, start: number, end: number, more: Partial<Entity> = {}): Entity => ({
  type,
  spans: [{ start, end }],
  ...more,
});
describe('jsonl', () => {
  test('documents come back exactly, in either unit', async () => {
    await fc.assert(
      fc.asyncProperty(
        documentArbitrary,
        fc.constantFrom('codepoint' as const, 'utf16' as const),
        async (document, offsets) => {
          const [back] = await roundTrip('jsonl', [document], { offsets });
          expect(back).toEqual({
            ...document,
            entities: back?.entities.map(({ id }, k) => ({ ...document.entities[k], id })),
          });
        },
      ),
    );
  });

  test('offsets are code points, and the unit is named', () => {
    const document: Document = {
      id: '1',
      text: '😀 p53 of 😀 mouse',
      entities: [
        {
          type: 'Gene',
          spans: [
            { start: 3, end: 6 },
            { start: 13, end: 18 },
          ],
          score: 0.5,
        },
      ],
    };
    const spans = [
      [2, 5],
      [11, 16],
    ];
    const mention = { id: 'T1', type: 'Gene', start: 2, end: 16, text: 'p53 mouse', score: 0.5, spans };
    expect(JSON.parse(documentToJson(document))).toEqual({
      id: '1',
      text: document.text,
      entities: [mention],
      offsets: 'codepoint',
    });
    expect(JSON.parse(documentToJson(document, 'utf16'))).toMatchObject({
      entities: [{ start: 3, end: 18 }],
      offsets: 'utf16',
    });
  });

  test('what it does not know is kept', () => {
    const line =
      '{"id":"1","text":"p53","entities":[{"id":"x","type":"Gene","start":0,"end":3,"text":"p53","attributes":{"a":"b"}}],"offsets":"codepoint","pmid":7,"meta":{"x":[1]}}';
    expect(documentToJson(parseDocument(line))).toBe(line);
    const [own] = parseDocument('{"text":"p53","entities":[{"type":"Gene","start":0,"end":3,"db":{"id":7}}]}').entities;
    expect(own?.attributes).toEqual({ db: '{"id":7}' });
  });

  test('lone surrogates survive', async () => {
    const text = 'a\ud800b\udc00';
    const [back] = await roundTrip('jsonl', [{ id: '1', text, entities: [entity('Gene', 2, 3)] }]);
    expect(back?.text).toBe(text);
  });

  test.each([
    ['{"text":1}', 'expected a string "text", found "1"'],
    ['{"id":"1"}', 'expected a string "text", found none'],
    ['[1]', 'expected a JSON object, found "[1]"'],
    ['{"text":"a"', 'expected a JSON object, found "{\\"text\\":\\"a\\""'],
    ['{"text":"a","entities":{}}', 'expected an array "entities"'],
    ['{"text":"a","entities":[1]}', 'expected an object in "entities"'],
    ['{"text":"a","entities":[{"start":0,"end":1}]}', 'expected a string "type" of an entity, found none'],
    ['{"text":"a","entities":[{"type":"Gene","start":"0","end":1}]}', 'expected numbers "start" and "end"'],
    [
      '{"text":"a","entities":[{"type":"Gene","start":0,"end":2}]}',
      'expected a mention at 0-2, found the end of the text at 1',
    ],
    ['{"text":"a","entities":[{"type":"Gene","start":0.5,"end":1}]}', 'expected a mention at 0.5-1'],
    ['{"text":"a","entities":[{"type":"Gene","start":1,"end":1}]}', 'expected a mention at 1-1, found an empty range'],
    [
      '{"text":"ab","entities":[{"type":"Gene","start":0,"end":1,"text":"b"}]}',
      'expected the mention "b" at 0-1, found "a"',
    ],
    [
      '{"text":"abc","entities":[{"type":"Gene","spans":[[0,2],[1,3]]}]}',
      'expected a mention at 0-2, 1-3, found fragments that overlap',
    ],
    ['{"text":"a","entities":[{"type":"Gene","start":0,"end":1,"score":2}]}', 'expected a "score" between 0 and 1'],
    ['{"text":"a","offsets":"words"}', 'expected "offsets" to be "codepoint" or "utf16"'],
    [
      '{"text":"😀","offsets":"utf16","entities":[{"type":"Gene","start":0,"end":1}]}',
      'expected a mention at 0-1, found the middle of a character',
    ],
  ])('%s is refused by file and line', async (line, message) => {
    await expect(read('jsonl', `{"text":"fine"}\n${line}\n`, {}, 'x.jsonl')).rejects.toThrow(`x.jsonl:2: ${message}`);
  });
});
