import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import type { GridView, LabelLayout, WordEntity } from '../../src/scheme/index.js';
import { gridLabels, THW } from '../../src/scheme/index.js';

/** The folder of real corpora beside the repository; tests that need it are skipped where it is absent. */
export const corpora = fileURLToPath(new URL('../../../shared/corpora/', import.meta.url));
export const haveCorpora = existsSync(corpora);

/** Every split of every corpus in two-column form. */
export function corpusFiles(): string[] {
  if (!haveCorpora) return [];
  return readdirSync(corpora).flatMap((folder) =>
    ['train', 'devel', 'test']
      .map((split) => join(folder, `${split}.tsv`))
      .filter((file) => existsSync(join(corpora, file))),
  );
}

/** The tags of each sentence of a two-column file. */
export function sentenceTags(file: string): string[][] {
  return readFileSync(join(corpora, file), 'utf8')
    .split(/\r?\n\r?\n/)
    .map((block) =>
      block
        .split(/\r?\n/)
        .filter((line) => line !== '')
        .map((line) => line.split('\t').at(-1) ?? ''),
    )
    .filter((tags) => tags.length > 0);
}

export function layoutSize(layout: LabelLayout, types: number): { heads: number; classes: number } {
  return layout === 'joint' ? { heads: 1, classes: THW + types } : { heads: types, classes: THW + 1 };
}

/** The grid that a model which is sure of the labels of these entities would give. */
export function certainGrid(
  entities: readonly WordEntity[],
  words: number,
  layout: LabelLayout,
  types: number,
): GridView {
  const { heads, classes } = layoutSize(layout, types);
  const labels = new Int32Array(words * words * heads);
  gridLabels(entities, words, layout, heads, labels);
  const probabilities = new Float32Array(labels.length * classes);
  for (let cell = 0; cell < labels.length; cell++) probabilities[cell * classes + (labels[cell] ?? 0)] = 1;
  return { probabilities, offset: 0, words, rowStride: words, heads, classes };
}

/** Entities without scores, as sorted strings that are equal when the sets are. */
export function shown(entities: Iterable<WordEntity>): string[] {
  return [...new Set(Array.from(entities, ({ type, words }) => `${type}: ${words.join(' ')}`))].sort();
}

export const span = (from: number, to: number, type = 0): WordEntity => ({
  type,
  words: Array.from({ length: to - from }, (_, k) => from + k),
});

/** Sets of continuous entities, which may nest and overlap. */
export function continuousEntities(words: number, types: number): fc.Arbitrary<WordEntity[]> {
  return fc.array(
    fc
      .tuple(fc.nat(words - 1), fc.integer({ min: 1, max: words }), fc.nat(types - 1))
      .map(([from, length, type]) => span(from, Math.min(words, from + length), type)),
    { maxLength: 8 },
  );
}

/** Sets of entities of any words. */
export function anyEntities(words: number, types: number): fc.Arbitrary<WordEntity[]> {
  return fc.array(
    fc.record({
      type: fc.nat(types - 1),
      words: fc.subarray(
        Array.from({ length: words }, (_, k) => k),
        { minLength: 1 },
      ),
    }),
    { maxLength: 6 },
  );
}

/** Sets of entities, discontinuous ones too, of which no two share a word: every word belongs to one or to none. */
export function disjointEntities(words: number, types: number): fc.Arbitrary<WordEntity[]> {
  const owners = 4;
  return fc
    .tuple(
      fc.array(fc.integer({ min: -1, max: owners - 1 }), { minLength: words, maxLength: words }),
      fc.array(fc.nat(types - 1), { minLength: owners, maxLength: owners }),
    )
    .map(([owner, typeOf]) =>
      typeOf
        .map((type, k) => ({ type, words: [...owner.keys()].filter((word) => owner[word] === k) }))
        .filter((entity) => entity.words.length > 0),
    );
}
