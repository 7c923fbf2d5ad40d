import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import {
  allowedTransitions,
  decodeCrf,
  entitiesOfLabels,
  type CrfTransitions,
  type SequenceScheme,
} from '../../src/scheme/index.js';
import { allPaths, logSum, scoreOf, type ChainScores } from '../nn/support/chains.js';
import { shown } from './support.js';

const schemes: SequenceScheme[] = ['BIO', 'BIOES'];
const quarter = fc.integer({ min: -16, max: 16 }).map((x) => x / 4);
const row = (n: number) => fc.array(quarter, { minLength: n, maxLength: n });
const rows = (n: number, m: number) => fc.array(row(m), { minLength: n, maxLength: n });

/** Scores of chains over K labels for sentences of 1 to 4 words. */
const chains = (labels: number): fc.Arbitrary<ChainScores> =>
  fc.integer({ min: 1, max: 4 }).chain((words) =>
    fc.record({
      emissions: rows(words, labels),
      start: row(labels),
      transitions: rows(labels, labels),
      end: row(labels),
    }),
  );

/** The chains as heads of one model. */
function decode(heads: readonly ChainScores[], scheme: SequenceScheme, layout: 'joint' | 'typed') {
  const words = heads[0]?.emissions.length ?? 0;
  const classes = heads[0]?.start.length ?? 0;
  const flat = (part: (chain: ChainScores) => readonly number[]) => Float32Array.from(heads.flatMap(part));
  const transitions: CrfTransitions = {
    start: flat(({ start }) => start),
    transitions: flat((chain) => chain.transitions.flat()),
    end: flat(({ end }) => end),
  };
  const scores = Array.from({ length: words }, (_, word) => heads.map(({ emissions }) => emissions[word] ?? []));
  const padding = [99, 99];
  const emissions = Float32Array.from([...padding, ...scores.flat(2)]);
  const view = { emissions, offset: padding.length, words, heads: heads.length, classes };
  return decodeCrf(view, transitions, scheme, layout);
}

/** The label sequences that the scheme allows. */
function allowedPaths(words: number, scheme: SequenceScheme, types: number): number[][] {
  const { first, next, last } = allowedTransitions(scheme, types);
  return allPaths(words, first.length).filter(
    (path) =>
      first[path[0] ?? 0] === 1 &&
      last[path.at(-1) ?? 0] === 1 &&
      path.every((label, k) => k === 0 || next[(path[k - 1] ?? 0) * first.length + label] === 1),
  );
}

describe.each(schemes)('%s', (scheme) => {
  const types = scheme === 'BIO' ? 2 : 1;

  test('the entities are those of the best of all allowed label sequences, with their probability as score', () => {
    fc.assert(
      fc.property(chains(1 + types * (scheme === 'BIO' ? 2 : 4)), (chain) => {
        const paths = allowedPaths(chain.emissions.length, scheme, types);
        const scored = paths.map((path) => ({ path, score: scoreOf(chain, path) }));
        const best = Math.max(...scored.map(({ score }) => score));
        const winners = scored.filter(({ score }) => score === best).map(({ path }) => entitiesOfLabels(path, scheme));
        const found = decode([chain], scheme, 'joint');
        expect(winners.map(shown)).toContainEqual(shown(found));

        const total = logSum(scored.map(({ score }) => score));
        for (const entity of found) {
          const having = scored.filter(({ path }) =>
            shown(entitiesOfLabels(path, scheme)).includes(shown([entity])[0] ?? ''),
          );
          const probability = having.reduce((sum, { score }) => sum + Math.exp(score - total), 0);
          expect(entity.score).toBeCloseTo(probability, 9);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('heads of typed labels are decoded apart', () => {
    const labels = scheme === 'BIO' ? 3 : 5;
    const two = fc.tuple(chains(labels), chains(labels)).filter(([a, b]) => a.emissions.length === b.emissions.length);
    fc.assert(
      fc.property(two, ([a, b]) => {
        const alone = [a, b].flatMap((chain, type) =>
          decode([chain], scheme, 'typed').map((entity) => ({ ...entity, type })),
        );
        const together = decode([a, b], scheme, 'typed');
        expect(shown(together)).toEqual(shown(alone));
        const sum = (list: typeof alone) => list.reduce((total, { score = NaN }) => total + score, 0);
        expect(sum(together)).toBeCloseTo(sum(alone), 9);
      }),
      { numRuns: 30 },
    );
  });
});

test('a view that reaches beyond its scores is an error', () => {
  const transitions = { start: new Float32Array(3), transitions: new Float32Array(9), end: new Float32Array(3) };
  const view = { emissions: new Float32Array(8), offset: 0, words: 3, heads: 1, classes: 3 };
  expect(() => decodeCrf(view, transitions, 'BIO', 'joint')).toThrow('expected 9 scores of labels, found 8');
});
