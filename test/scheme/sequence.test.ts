import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  allowedTransitions,
  decodeSequence,
  entitiesOfTags,
  likeliestLabels,
  sequenceLabels,
  tagNames,
  tagsOf,
  type LabelLayout,
  type SequenceScheme,
  type SequenceView,
  type WordEntity,
} from '../../src/scheme/index.js';
import { shown, span } from './support.js';

function labels(
  entities: readonly WordEntity[],
  words: number,
  scheme: SequenceScheme,
  layout: LabelLayout,
  heads: number,
) {
  const target = new Int32Array(words * heads);
  const lost = sequenceLabels(entities, scheme, layout, heads, target);
  return { labels: [...target], lost };
}

/** A view of one sentence whose words have the given labels with the given probabilities, O taking the rest. */
function viewOf(classes: number, words: readonly (readonly [label: number, probability: number])[]): SequenceView {
  const probabilities = new Float32Array(words.length * classes);
  for (const [word, [label, probability]] of words.entries()) {
    probabilities[word * classes] = 1 - probability;
    probabilities[word * classes + label] = probability;
  }
  return { probabilities, offset: 0, words: words.length, heads: 1, classes };
}

describe('labels of words', () => {
  test('joint BIO: O 0, B 1 + 2t, I 2 + 2t', () => {
    expect(labels([span(0, 2, 0), span(3, 6, 1)], 7, 'BIO', 'joint', 1).labels).toEqual([1, 2, 0, 3, 4, 4, 0]);
    expect(tagNames('BIO', ['Gene', 'Disease'])).toEqual(['O', 'B-Gene', 'I-Gene', 'B-Disease', 'I-Disease']);
  });

  test('joint BIOES: B, I, E, S from 1 + 4t', () => {
    expect(labels([span(0, 1, 0), span(2, 5, 1)], 6, 'BIOES', 'joint', 1).labels).toEqual([4, 0, 5, 6, 7, 0]);
    expect(tagNames('BIOES', ['Gene'])).toEqual(['O', 'B-Gene', 'I-Gene', 'E-Gene', 'S-Gene']);
  });

  test('typed: every type has its own column, so types may overlap', () => {
    const found = labels([span(0, 2, 0), span(1, 3, 1)], 3, 'BIO', 'typed', 2);
    expect(found).toEqual({ labels: [1, 0, 2, 1, 0, 2], lost: [] });
  });

  test('of entities that overlap the longer is kept, a discontinuous one is filled; both are told', () => {
    const [inner, outer, gap] = [span(1, 2), span(0, 3), { type: 0, words: [4, 6] }];
    for (const order of [
      [inner, outer, gap],
      [gap, outer, inner],
    ]) {
      expect(labels(order, 7, 'BIO', 'joint', 1)).toEqual({ labels: [1, 2, 2, 0, 1, 2, 2], lost: [inner, gap] });
    }
  });

  test.each([
    [span(2, 4), 'a word outside'],
    [span(0, 1, 2), 'a type outside'],
  ])('refuses %j: %s', (entity) => {
    expect(() => labels([entity], 3, 'BIO', 'typed', 2)).toThrow(/^expected .*, found/);
  });
});

describe('tags', () => {
  const types = ['Gene', 'Disease'];

  test.each<[string, string[]]>([
    ['O I-Gene I-Gene O', ['0: 1 2']],
    ['I-Gene I-Disease', ['0: 0', '1: 1']],
    ['B-Gene I-Disease I-Disease', ['0: 0', '1: 1 2']],
    ['B-Gene B-Gene I-Gene', ['0: 0', '0: 1 2']],
    ['S-Gene I-Gene E-Gene', ['0: 0', '0: 1 2']],
    ['E-Gene E-Gene', ['0: 0', '0: 1']],
    ['B-Gene O E-Gene', ['0: 0', '0: 2']],
    ['', []],
  ])('%j is read as conlleval does where it breaks the scheme', (tags, expected) => {
    expect(shown(entitiesOfTags(tags === '' ? [] : tags.split(' '), types))).toEqual(expected);
  });

  test("the paper's example: labelled one by one, CD - 832 may come apart as B I B", () => {
    const whole = { type: 0, words: [4, 5, 6] };
    expect(tagsOf([whole], 7, 'BIO', ['Chemical']).slice(4)).toEqual(['B-Chemical', 'I-Chemical', 'I-Chemical']);
    expect(shown(entitiesOfTags(['B-Chemical', 'I-Chemical', 'B-Chemical'], ['Chemical']))).toEqual(['0: 0 1', '0: 2']);
  });

  test('what is no tag of the types is refused', () => {
    expect(() => entitiesOfTags(['O', 'B-Protein'], types)).toThrow('found B-Protein');
    expect(() => entitiesOfTags(['X'], types)).toThrow('found X');
  });
});

describe('entities of label probabilities', () => {
  test("the score is the geometric mean of the words' probabilities", () => {
    const [first, second] = decodeSequence(
      viewOf(3, [[1, 0.9], [2, 0.8], [0, 1], [1, 0.6]]), 'BIO', 'joint'); // prettier-ignore
    expect(first).toMatchObject({ type: 0, words: [0, 1] });
    expect(first?.score).toBeCloseTo(Math.sqrt(0.9 * 0.8));
    expect(second?.score).toBeCloseTo(0.6);
  });

  test('a sentence of a padded batch with a column for each type is read in place', () => {
    const [longest, heads, classes] = [3, 2, 3];
    const probabilities = new Float32Array(2 * longest * heads * classes).fill(1 / 3);
    const offset = longest * heads * classes;
    const certain = [[1, 0], [2, 1]]; // prettier-ignore
    for (const [word, heading] of certain.entries()) {
      for (const [head, label] of heading.entries()) {
        const start = offset + (word * heads + head) * classes;
        probabilities.fill(0, start, start + classes);
        probabilities[start + label] = 1;
      }
    }
    const view = { probabilities, offset, words: 2, heads, classes };
    expect(shown(decodeSequence(view, 'BIO', 'typed'))).toEqual(['0: 0 1', '1: 1']);
    expect(() => decodeSequence({ ...view, words: 4 }, 'BIO', 'typed')).toThrow(/^expected .* probabilities/);
  });

  test('constrained, an I without a beginning gives way to what the scheme allows', () => {
    const view = viewOf(3, [[0, 1], [2, 0.6], [0, 1]]); // prettier-ignore
    expect(shown(decodeSequence(view, 'BIO', 'joint'))).toEqual(['0: 1']);
    expect(decodeSequence(view, 'BIO', 'joint', { constrained: true })).toEqual([]);
  });

  test.each(['BIO', 'BIOES'] as const)('the likeliest allowed %s labels are those found by trying all', (scheme) => {
    const transitions = allowedTransitions(scheme, 1);
    const count = transitions.first.length;
    const words = 4;
    const table = fc.array(fc.double({ min: 0.01, max: 1, noNaN: true }), {
      minLength: words * count,
      maxLength: words * count,
    });
    const allowed = (path: readonly number[]) =>
      transitions.first[path[0] ?? 0] === 1 &&
      transitions.last[path.at(-1) ?? 0] === 1 &&
      path.slice(1).every((label, k) => transitions.next[(path[k] ?? 0) * count + label] === 1);
    const paths = Array.from({ length: count ** words }, (_, code) =>
      Array.from({ length: words }, (__, k) => Math.floor(code / count ** k) % count),
    ).filter(allowed);
    fc.assert(
      fc.property(table, (p) => {
        const product = (path: readonly number[]) =>
          path.reduce((all, label, k) => all * (p[k * count + label] ?? 0), 1);
        const found = [...likeliestLabels((word, label) => p[word * count + label] ?? 0, words, transitions)];
        expect(allowed(found)).toBe(true);
        const best = Math.max(...paths.map(product));
        expect(product(found) / best).toBeCloseTo(1, 9);
      }),
      { numRuns: 60 },
    );
  });
});
