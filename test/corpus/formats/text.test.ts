import { describe, expect, test } from 'vitest';
import { read } from '../support.js';

describe('lines and text', () => {
  test('every line is a document, without its line break', async () => {
    expect((await read('lines', 'a\r\n\n b')).map(({ id, text }) => [id, text])).toEqual([
      ['file:1', 'a'],
      ['file:2', ''],
      ['file:3', ' b'],
    ]);
    expect(await read('text', 'a\r\n\n b\n')).toEqual([{ id: 'file', text: 'a\r\n\n b\n', entities: [] }]);
  });
});
