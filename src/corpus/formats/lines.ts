import type { Format } from '../format.js';
import { lineBatches, stem, withoutReturn } from '../lines.js';

/**
 * Plain text, every line a document without its line break, empty lines included. Its identifier is `stem:n`, with
 * the 1-based number of the line.
 */
export const lines: Format = {
  name: 'lines',
  description: 'plain text, every line is a document',
  loses: 'cannot be written: it has no entities',
  extensions: ['.lines'],

  async *read(source, { maxBytes }) {
    const prefix = stem(source.name);
    for await (const batch of lineBatches(source, maxBytes)) {
      let number = batch.first;
      for (const line of batch.lines) {
        yield { id: `${prefix}:${number}`, text: withoutReturn(line), entities: [] };
        number += 1;
      }
    }
  },
};
