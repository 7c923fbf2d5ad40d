import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import {
  decodeGrid,
  decodeSequence,
  entitiesOfTags,
  sequenceLabels,
  tagNames,
  tagsOf,
  type LabelLayout,
  type WordEntity,
} from '../../src/scheme/index.js';
import {
  anyEntities,
  certainGrid,
  continuousEntities,
  corpusFiles,
  disjointEntities,
  haveCorpora,
  sentenceTags,
  shown,
} from './support.js';

const layouts: LabelLayout[] = ['joint', 'typed'];
const [WORDS, TYPES] = [9, 3];

function throughGrid(entities: readonly WordEntity[], words: number, layout: LabelLayout, types: number): string[] {
  return shown(decodeGrid(certainGrid(entities, words, layout, types), layout));
}

/** Of entities of one head and tail, those of the first type: what a joint layout can hold. */
function withoutCollisions(entities: readonly WordEntity[]): WordEntity[] {
  const ends = (a: WordEntity, b: WordEntity) => a.words[0] === b.words[0] && a.words.at(-1) === b.words.at(-1);
  return entities.filter((entity) => !entities.some((other) => ends(entity, other) && other.type < entity.type));
}

/** The scheme said in sets: word sequences whose neighbours are neighbours in `entities`, with the ends of one `bounded`. */
function sayable(entities: readonly WordEntity[], bounded: readonly WordEntity[], words: number): WordEntity[] {
  const links = new Set(entities.flatMap((e) => e.words.slice(1).map((word, k) => `${e.words[k]} ${word}`)));
  const found: WordEntity[] = [];
  for (let subset = 1; subset < 2 ** words; subset++) {
    const chosen = Array.from({ length: words }, (_, k) => k).filter((k) => (subset >> k) % 2 === 1);
    if (!chosen.slice(1).every((word, k) => links.has(`${chosen[k]} ${word}`))) continue;
    for (const { type, words: own } of bounded) {
      if (own[0] === chosen[0] && own.at(-1) === chosen.at(-1)) found.push({ type, words: chosen });
    }
  }
  return found;
}

describe.each(layouts)('entities to a %s grid and back', (layout) => {
  test('continuous entities that nest and overlap come back exactly', () => {
    fc.assert(
      fc.property(continuousEntities(WORDS, TYPES), (entities) => {
        const kept = layout === 'joint' ? withoutCollisions(entities) : entities;
        expect(throughGrid(entities, WORDS, layout, TYPES)).toEqual(shown(kept));
      }),
      { numRuns: 300 },
    );
  });

  test('discontinuous entities that share no word come back exactly', () => {
    fc.assert(
      fc.property(disjointEntities(WORDS, TYPES), (entities) => {
        expect(throughGrid(entities, WORDS, layout, TYPES)).toEqual(shown(entities));
      }),
      { numRuns: 300 },
    );
  });

  test('any entities come back with every path that their links allow, and no other', () => {
    const words = 7;
    fc.assert(
      fc.property(anyEntities(words, TYPES), (entities) => {
        const kept = layout === 'joint' ? withoutCollisions(entities) : entities;
        const sharing = layout === 'joint' ? [[0, 1, 2]] : [[0], [1], [2]];
        const expected = sharing.flatMap((types) => {
          const own = (of: readonly WordEntity[]) => of.filter(({ type }) => types.includes(type));
          return sayable(own(entities), own(kept), words);
        });
        const found = throughGrid(entities, words, layout, TYPES);
        expect(found).toEqual(shown(expected));
        expect(found).toEqual(expect.arrayContaining(shown(kept)));
      }),
      { numRuns: 100 },
    );
  });
});

describe('what the scheme cannot say', () => {
  test('discontinuous entities that share words may make further paths', () => {
    const entities = [
      { type: 0, words: [0, 1, 2, 3] },
      { type: 0, words: [0, 2] },
    ];
    expect(throughGrid(entities, 4, 'joint', 1)).toEqual(['0: 0 1 2', '0: 0 1 2 3', '0: 0 2', '0: 0 2 3']);
  });

  test('sharing words need not: two paths of one head and tail that meet nowhere between', () => {
    const entities = [
      { type: 0, words: [0, 1, 3] },
      { type: 0, words: [0, 2, 3] },
    ];
    expect(throughGrid(entities, 4, 'joint', 1)).toEqual(shown(entities));
  });

  test('entities of two types share links in a joint grid, not in typed ones', () => {
    const entities = [
      { type: 0, words: [0, 1, 2] },
      { type: 1, words: [0, 2] },
    ];
    expect(throughGrid(entities, 3, 'typed', 2)).toEqual(shown(entities));
    expect(throughGrid(entities, 3, 'joint', 2)).toEqual(['0: 0 1 2', '0: 0 2']);
  });
});

describe.skipIf(!haveCorpora)('corpora (skipped without ../shared/corpora)', () => {
  test.each(corpusFiles())('every sentence of %s comes back from grids and tags', (file) => {
    const sentences = sentenceTags(file);
    const types = [...new Set(sentences.flat().filter((tag) => tag !== 'O'))].map((tag) => tag.slice(2)).sort();
    const names = [...new Set(types)];
    const different: number[] = [];
    let mentions = 0;
    for (const [k, tags] of sentences.entries()) {
      const gold = entitiesOfTags(tags, names);
      const goldShown = shown(gold).join();
      mentions += gold.length;
      const same =
        tagsOf(gold, tags.length, 'BIO', names).join() === tags.join() &&
        shown(entitiesOfTags(tagsOf(gold, tags.length, 'BIOES', names), names)).join() === goldShown &&
        layouts.every((layout) => {
          const view = certainGrid(gold, tags.length, layout, names.length);
          const found = decodeGrid(view, layout);
          return found.length === gold.length && shown(found).join() === goldShown;
        });
      if (!same) different.push(k);
    }
    expect(different).toEqual([]);
    expect(mentions).toBe(sentences.flat().filter((tag) => tag.startsWith('B-')).length);
  });
});

describe('entities to sequence labels and back', () => {
  test.each(['BIO', 'BIOES'] as const)(
    '%s holds continuous entities without overlaps, for each type apart',
    (scheme) => {
      fc.assert(
        fc.property(continuousEntities(WORDS, TYPES), fc.constantFrom(...layouts), (entities, layout) => {
          const heads = layout === 'joint' ? 1 : TYPES;
          const classes = tagNames(scheme, layout === 'joint' ? ['a', 'b', 'c'] : ['a']).length;
          const labels = new Int32Array(WORDS * heads);
          const lost = new Set(sequenceLabels(entities, scheme, layout, heads, labels));
          const probabilities = new Float32Array(labels.length * classes);
          for (const [k, label] of labels.entries()) probabilities[k * classes + label] = 1;
          const view = { probabilities, offset: 0, words: WORDS, heads, classes };
          for (const constrained of [false, true]) {
            const found = decodeSequence(view, scheme, layout, { constrained });
            expect(shown(found)).toEqual(shown(entities.filter((entity) => !lost.has(entity))));
          }
        }),
        { numRuns: 300 },
      );
    },
  );
});
