import type { Format } from '../format.js';
import { stem, wholeText } from '../lines.js';

/** Plain text: the whole input is one document, kept to the character (line breaks and final newline included). */
export const text: Format = {
  name: 'text',
  description: 'plain text, the whole input is one document',
  loses: 'cannot be written: it has no entities',
  extensions: ['.txt', '.text', '.md'],

  async *read(source, { maxBytes }) {
    yield { id: stem(source.name), text: await wholeText(source, maxBytes), entities: [] };
  },
};
