import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Tagger } from '../../src/index.js';

const folder = new URL('../../examples', import.meta.url).pathname;
const texts = readdirSync(folder)
  .filter((name) => name.endsWith('.txt'))
  .map((name) => readFileSync(join(folder, name), 'utf8'));
/** Sums of other lengths round otherwise; a level of an activation that this moves is a hundredth at most. */
const ROUNDING = 0.01;

let tagger: Tagger;
beforeAll(async () => {
  tagger = await Tagger.load(undefined, { threads: 1 });
}, 60_000);
afterAll(() => tagger.dispose());

describe('the bundled model', () => {
  test('finds the same in a text alone and among others', async () => {
    const together = await tagger.tagBatch(texts);
    for (const [k, text] of texts.entries()) {
      const alone = await tagger.tag(text);
      const found = together[k] ?? [];
      expect(found.map(({ type, spans }) => ({ type, spans }))).toEqual(
        alone.map(({ type, spans }) => ({ type, spans })),
      );
      for (const [i, { score = NaN }] of found.entries()) {
        expect(Math.abs(score - (alone[i]?.score ?? NaN))).toBeLessThan(ROUNDING);
      }
    }
    expect(together.flat().length).toBeGreaterThan(50);
  });
});
