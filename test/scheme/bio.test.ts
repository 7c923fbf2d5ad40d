import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import {
  allowedTransitions,
  decodeSequence,
  entitiesOfTags,
  likeliestLabels,
  sequenceLabels,
  tagNames,
  tagsOf,
  type SequenceScheme,
  type SequenceView,
} from '../../src/scheme/index.js';
import { shown, span } from './support.js';

const types = ['Gene', 'Disease'];
const schemes: SequenceScheme[] = ['BIO', 'BIOES'];

/** Probabilities of one sentence with joint labels: each word's named tags, what is left goes to O. */
function view(scheme: SequenceScheme, words: readonly Readonly<Record<string, number>>[]): SequenceView {
  const names = tagNames(scheme, types);
  const probabilities = new Float32Array(words.length * names.length);
  for (const [word, tags] of words.entries()) {
    const start = word * names.length;
    for (const [name, probability] of Object.entries(tags)) probabilities[start + names.indexOf(name)] = probability;
    if (!('O' in tags)) probabilities[start] = 1 - Object.values(tags).reduce((a, b) => a + b, 0);
  }
  return { probabilities, offset: 0, words: words.length, heads: 1, classes: names.length };
}

describe('tags', () => {
  test('labels are numbered from O, type by type', () => {
    expect(tagNames('BIO', types)).toEqual(['O', 'B-Gene', 'I-Gene', 'B-Disease', 'I-Disease']);
    expect(tagNames('BIOES', ['Gene'])).toEqual(['O', 'B-Gene', 'I-Gene', 'E-Gene', 'S-Gene']);
  });

  test('the words of "new calcium antagonist , CD - 832 ,"', () => {
    const entities = [span(1, 2, 0), span(4, 7, 0), span(7, 8, 1)];
    expect(tagsOf(entities, 8, 'BIO', types).join(' ')).toBe('O B-Gene O O B-Gene I-Gene I-Gene B-Disease');
    expect(tagsOf(entities, 8, 'BIOES', types).join(' ')).toBe('O S-Gene O O B-Gene I-Gene E-Gene S-Disease');
  });

  test.each([
    ['O I-Gene I-Gene', ['0: 1 2']],
    ['B-Gene I-Disease I-Disease', ['0: 0', '1: 1 2']],
    ['I-Gene I-Disease I-Gene', ['0: 0', '0: 2', '1: 1']],
    ['B-Gene B-Gene I-Gene', ['0: 0', '0: 1 2']],
    ['B-Gene I-Gene E-Gene I-Gene', ['0: 0 1 2', '0: 3']],
    ['S-Gene I-Gene E-Gene E-Gene', ['0: 0', '0: 1 2', '0: 3']],
    ['B-Gene O E-Gene', ['0: 0', '0: 2']],
    ['B-Gene S-Gene I-Gene', ['0: 0', '0: 1', '0: 2']],
  ])('%s is read as conlleval reads it', (line, expected) => {
    expect(shown(entitiesOfTags(line.split(' '), types))).toEqual(expected);
  });

  test("the paper's example: labelled word by word, CD - 832 may come apart as B I B", () => {
    expect(shown(entitiesOfTags(['B-Gene', 'I-Gene', 'B-Gene'], types))).toEqual(['0: 0 1', '0: 2']);
  });

  test('what is no tag of the types is named', () => {
    expect(() => entitiesOfTags(['O', 'B-Chemical'], types)).toThrow(
      'expected O or B-, I-, E-, S- and Gene, Disease, found B-Chemical',
    );
  });
});

describe('labels of entities', () => {
  test('what the scheme cannot say is returned: the shorter of two that overlap, and discontinuous ones', () => {
    const inner = span(1, 3, 1);
    const apart = { type: 0, words: [5, 7] };
    const target = new Int32Array(8);
    expect(sequenceLabels([inner, span(0, 4), apart], 'BIO', 'joint', 1, target)).toEqual([inner, apart]);
    expect([...target]).toEqual([1, 2, 2, 2, 0, 1, 2, 2]);
  });

  test('a typed layout has room for one entity of each type on the same words', () => {
    const target = new Int32Array(3 * 2);
    expect(sequenceLabels([span(0, 2, 1), span(0, 3, 0)], 'BIO', 'typed', 2, target)).toEqual([]);
    expect([...target]).toEqual([1, 1, 2, 2, 2, 0]);
  });

  test('refuses words and types outside', () => {
    expect(() => sequenceLabels([span(0, 4)], 'BIO', 'joint', 1, new Int32Array(3))).toThrow('from 0 to 2');
    expect(() => sequenceLabels([span(0, 1, 2)], 'BIO', 'typed', 2, new Int32Array(6))).toThrow(
      'expected a type below 2',
    );
  });
});

describe('entities of probabilities', () => {
  test('the score is the geometric mean over the words', () => {
    const [found, ...rest] = decodeSequence(
      view('BIO', [{ 'B-Disease': 0.9 }, { 'I-Disease': 0.6 }, {}]),
      'BIO',
      'joint',
    );
    expect(rest).toEqual([]);
    expect(found).toMatchObject({ type: 1, words: [0, 1] });
    expect(found?.score).toBeCloseTo(Math.sqrt(0.9 * 0.6));
  });

  test('a sentence of a padded batch is read in place, and no further', () => {
    const one = view('BIO', [{ 'B-Gene': 0.9 }, { 'I-Gene': 0.8 }]);
    const batch = new Float32Array(3 * one.probabilities.length).fill(1);
    batch.set(one.probabilities, 20);
    expect(decodeSequence({ ...one, probabilities: batch, offset: 20 }, 'BIO', 'joint')).toEqual(
      decodeSequence(one, 'BIO', 'joint'),
    );
    expect(() => decodeSequence({ ...one, words: 3 }, 'BIO', 'joint')).toThrow('expected 15 probabilities, found 10');
  });

  test('typed: every type has its own column, read with the stride of all of them', () => {
    const [heads, classes] = [2, 3];
    const labels = [1, 0, 2, 1];
    const probabilities = new Float32Array(7 + labels.length * classes);
    for (const [k, label] of labels.entries()) probabilities[7 + k * classes + label] = 1;
    const found = decodeSequence({ probabilities, offset: 7, words: 2, heads, classes }, 'BIO', 'typed');
    expect(shown(found)).toEqual(['0: 0 1', '1: 1']);
  });

  test('constrained: an entity that has no beginning gets the likeliest one', () => {
    const words = [{ 'B-Gene': 0.4, O: 0.6 }, { 'I-Gene': 0.9 }, {}];
    expect(shown(decodeSequence(view('BIO', words), 'BIO', 'joint'))).toEqual(['0: 1']);
    const [found] = decodeSequence(view('BIO', words), 'BIO', 'joint', { constrained: true });
    expect(found?.words).toEqual([0, 1]);
    expect(found?.score).toBeCloseTo(Math.sqrt(0.4 * 0.9));
  });
});

describe('constrained labels', () => {
  test('BIO forbids I after anything but B and I of its type', () => {
    const { first, next, last } = allowedTransitions('BIO', 2);
    expect([...first]).toEqual([1, 1, 0, 1, 0]);
    expect([...last]).toEqual([1, 1, 1, 1, 1]);
    expect([0, 1, 2, 3, 4].map((k) => [...next.subarray(5 * k, 5 * k + 5)])).toEqual([
      [1, 1, 0, 1, 0],
      [1, 1, 1, 1, 0],
      [1, 1, 1, 1, 0],
      [1, 1, 0, 1, 1],
      [1, 1, 0, 1, 1],
    ]);
  });

  test('BIOES ends what it begins', () => {
    const { first, next, last } = allowedTransitions('BIOES', 1);
    expect([...first]).toEqual([1, 1, 0, 0, 1]);
    expect([...last]).toEqual([1, 0, 0, 1, 1]);
    expect([0, 1, 2, 3, 4].map((k) => [...next.subarray(5 * k, 5 * k + 5)])).toEqual([
      [1, 1, 0, 0, 1],
      [0, 0, 1, 1, 0],
      [0, 0, 1, 1, 0],
      [1, 1, 0, 0, 1],
      [1, 1, 0, 0, 1],
    ]);
  });

  test.each(schemes)('%s: Viterbi finds the likeliest of all allowed sequences', (scheme) => {
    const transitions = allowedTransitions(scheme, 1);
    const labels = transitions.first.length;
    const words = 4;
    const allowed: number[][] = [];
    for (let code = 0; code < labels ** words; code++) {
      const path = Array.from({ length: words }, (_, k) => Math.floor(code / labels ** k) % labels);
      const inner = path.slice(1).every((label, k) => transitions.next[(path[k] ?? 0) * labels + label] === 1);
      if (inner && transitions.first[path[0] ?? 0] === 1 && transitions.last[path.at(-1) ?? 0] === 1)
        allowed.push(path);
    }
    const row = fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: labels, maxLength: labels });
    fc.assert(
      fc.property(fc.array(row, { minLength: words, maxLength: words }), (grid) => {
        const probability = (word: number, label: number) => (grid[word]?.[label] ?? 0) / 1000;
        const product = (path: readonly number[]) => path.reduce((p, label, word) => p * probability(word, label), 1);
        const found = [...likeliestLabels(probability, words, transitions)];
        expect(allowed).toContainEqual(found);
        expect(product(found)).toBeCloseTo(Math.max(...allowed.map(product)), 12);
      }),
    );
  });

  test('every label sequence that encodes entities is allowed', () => {
    const entities = fc.array(fc.tuple(fc.nat(7), fc.nat(3), fc.nat(1)), { maxLength: 5 });
    fc.assert(
      fc.property(entities, fc.constantFrom(...schemes), (drawn, scheme) => {
        const labels = new Int32Array(8);
        const all = drawn.map(([from, more, type]) => span(from, Math.min(8, from + more + 1), type));
        sequenceLabels(all, scheme, 'joint', 1, labels);
        const { first, next, last } = allowedTransitions(scheme, 2);
        expect(first[labels[0] ?? 0]).toBe(1);
        expect(last[labels[7] ?? 0]).toBe(1);
        for (let k = 1; k < 8; k++) expect(next[(labels[k - 1] ?? 0) * first.length + (labels[k] ?? 0)]).toBe(1);
      }),
    );
  });

  test('no words have no labels', () => {
    expect(likeliestLabels(() => 1, 0, allowedTransitions('BIO', 1))).toHaveLength(0);
  });
});
