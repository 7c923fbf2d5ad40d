import { describe, expect, test } from 'vitest';
import { gradient, ops, symbol } from '../../src/graph/index.js';
import { evaluate } from '../../src/graph/reference.js';
import { crf, crfExpectedLoss, crfLoss, logPartition, Scope } from '../../src/nn/index.js';
import { Executable, item, sizeMap } from '../graph/support/check.js';
import { array, expectAgree, noise, pick } from '../model/support/arrays.js';
import { allPaths, logSum, scoreOf, type ChainScores } from './support/chains.js';

const [HEADS, LABELS, WORDS] = [2, 3, 4];
/** The third sentence has padding only in front of nothing: one word. */
const lengths = [4, 3, 1];
const sizes = { sentences: lengths.length, words: WORDS };

const emissions = ops.input('emissions', 'float32', [symbol('sentences'), symbol('words'), HEADS, LABELS]);
const labels = ops.input('labels', 'int32', [symbol('sentences'), symbol('words'), HEADS]);
const mask = ops.input('mask', 'float32', [symbol('sentences'), symbol('words')]);
const scope = new Scope(true);
const field = crf(scope, HEADS, LABELS);

const count = lengths.length * WORDS * HEADS;
const drawn = new Map([
  ['emissions', noise(count * LABELS, 1, 2)],
  ['mask', Float64Array.from({ length: lengths.length * WORDS }, (_, k) => Number(k % WORDS < (lengths[Math.floor(k / WORDS)] ?? 0)))], // prettier-ignore
  ['crf.start_transitions', noise(HEADS * LABELS, 2)],
  ['crf.transitions', noise(HEADS * LABELS * LABELS, 3)],
  ['crf.end_transitions', noise(HEADS * LABELS, 4)],
]);
const value = (name: string, ...shape: number[]) => array(shape, drawn.get(name) ?? []);
const all = {
  emissions: value('emissions', lengths.length, WORDS, HEADS, LABELS),
  start: value('crf.start_transitions', HEADS, LABELS),
  transitions: value('crf.transitions', HEADS, LABELS, LABELS),
  end: value('crf.end_transitions', HEADS, LABELS),
};
const ofLabels = (f: (label: number) => number): number[] => Array.from({ length: LABELS }, (_, label) => f(label));

/** The chain of one sentence and head. */
function chain(sentence: number, head: number): ChainScores {
  return {
    emissions: Array.from({ length: lengths[sentence] ?? 0 }, (_, word) =>
      ofLabels((label) => pick(all.emissions, sentence, word, head, label)),
    ),
    start: ofLabels((label) => pick(all.start, head, label)),
    transitions: Array.from({ length: LABELS }, (_, before) =>
      ofLabels((label) => pick(all.transitions, head, before, label)),
    ),
    end: ofLabels((label) => pick(all.end, head, label)),
  };
}

const chains = lengths.flatMap(
  (length, sentence) =>
  Array.from({ length: HEADS }, (_, head) => ({ sentence, head, paths: allPaths(length, LABELS), scores: chain(sentence, head) })), // prettier-ignore
);
const paths = chains.map(({ paths, scores }) => paths.map((path) => ({ path, score: scoreOf(scores, path) })));
const partitions = paths.map((list) => logSum(list.map(({ score }) => score)));

describe('log Z', () => {
  const logZ = logPartition(field, emissions, mask);
  const tensors = [emissions, ...scope.parameters.map(({ tensor }) => tensor)];
  const outputs = [logZ, ...gradient(ops.total(logZ), tensors)];
  const expected = evaluate(outputs, drawn, sizeMap(sizes));
  /** Expected number of something in the label sequences of a chain. */
  const mean = (k: number, counted: (path: readonly number[]) => number): number =>
    (paths[k] ?? []).reduce((sum, { path, score }) => sum + Math.exp(score - (partitions[k] ?? 0)) * counted(path), 0);

  test('is that of all label sequences, counted one by one', () => {
    expectAgree(item(expected, 0), array([lengths.length, HEADS], partitions), 1e-13, 'log Z');
  });

  test('has the marginals as its gradient, nothing at padding', () => {
    const marginals = item(expected, 1);
    for (const [k, { sentence, head }] of chains.entries()) {
      for (let word = 0; word < WORDS; word++) {
        for (let label = 0; label < LABELS; label++) {
          const share = mean(k, (path) => Number(path[word] === label));
          expect(pick(marginals, sentence, word, head, label)).toBeCloseTo(share, 12);
        }
      }
    }
  });

  test('has the expected numbers of transitions as its gradient', () => {
    const [starts, steps, ends] = [2, 3, 4].map((k) => item(expected, k));
    for (let head = 0; head < HEADS; head++) {
      const sum = (counted: (path: readonly number[]) => number): number =>
        chains.reduce((total, one, k) => (one.head === head ? total + mean(k, counted) : total), 0);
      for (let label = 0; label < LABELS; label++) {
        expect(pick(starts ?? all.start, head, label)).toBeCloseTo(
          sum((path) => Number(path[0] === label)),
          12,
        );
        expect(pick(ends ?? all.end, head, label)).toBeCloseTo(
          sum((path) => Number(path.at(-1) === label)),
          12,
        );
        for (let before = 0; before < LABELS; before++) {
          const times = sum((path) => path.filter((x, t) => t > 0 && x === label && path[t - 1] === before).length);
          expect(pick(steps ?? all.transitions, head, before, label)).toBeCloseTo(times, 12);
        }
      }
    }
  });

  test('ONNX Runtime computes the same', async () => {
    const executable = await Executable.of(outputs);
    const found = await executable.run(drawn, sizes);
    await executable.release();
    for (const [k, value] of expected.entries()) expectAgree(item(found, k), value, 2e-6, `output ${k}`);
  });

  test('does not overflow over a long sentence with large scores', async () => {
    const words = 300;
    const large = new Map([
      ...drawn,
      ['emissions', noise(words * HEADS * LABELS, 5, 40)],
      ['mask', new Float64Array(words).fill(1)],
    ]);
    const long = { sentences: 1, words };
    const executable = await Executable.of(outputs);
    const found = await executable.run(large, long);
    await executable.release();
    for (const [k, value] of evaluate(outputs, large, sizeMap(long)).entries()) {
      expectAgree(item(found, k), value, 1e-4, `output ${k}`);
    }
  });
});

describe('the loss', () => {
  const loss = crfLoss(field, emissions, labels, mask);
  /** Labels with some unknown words; head 1 of the second sentence and both of the last are unknown altogether. */
  const given = [
    [0, -1, 2, 1, -1, 2, 1, 0],
    [1, -1, 1, -1, 0, -1, 2, 2],
    [-1, -1, 0, 0, 1, 1, 2, 2],
  ];
  const bindings = new Map([...drawn, ['labels', Float64Array.from(given.flat())]]);
  const known = (sentence: number, head: number, word: number): number => given[sentence]?.[word * HEADS + head] ?? -1;

  test('is -log of the share of the label sequences that agree with what is known', () => {
    const [found] = evaluate([loss], bindings, sizeMap(sizes));
    for (const [k, { sentence, head }] of chains.entries()) {
      const matching = (paths[k] ?? []).filter(({ path }) =>
        path.every((label, word) => [-1, label].includes(known(sentence, head, word))),
      );
      const expected = (partitions[k] ?? NaN) - logSum(matching.map(({ score }) => score));
      expect(pick(found ?? all.start, sentence, head)).toBeCloseTo(expected, 12);
    }
  });

  test('a head without any known label has no loss and no gradient, whatever stands at padding', () => {
    const [losses, dx] = evaluate([loss, ...gradient(ops.total(loss), [emissions])], bindings, sizeMap(sizes));
    for (const [sentence, head] of [
      [1, 1],
      [2, 0],
      [2, 1],
    ] as const) {
      // prettier-ignore
      expect(pick(losses ?? all.start, sentence, head)).toBe(0);
      for (let word = 0; word < WORDS; word++) {
        for (let label = 0; label < LABELS; label++) {
          expect(Math.abs(pick(dx ?? all.emissions, sentence, word, head, label))).toBe(0);
        }
      }
    }
  });

  test('ONNX Runtime computes the same loss and gradients', async () => {
    const tensors = [emissions, ...scope.parameters.map(({ tensor }) => tensor)];
    const outputs = [loss, ...gradient(ops.total(loss), tensors)];
    const executable = await Executable.of(outputs);
    const found = await executable.run(bindings, sizes);
    await executable.release();
    for (const [k, value] of evaluate(outputs, bindings, sizeMap(sizes)).entries()) {
      expectAgree(item(found, k), value, 5e-6, `output ${k}`);
    }
  });
});

describe('the expected loss', () => {
  const teacher = ops.input('teacher', 'float32', emissions.shape);
  const shares = noise(count * LABELS, 6).map(Math.exp);
  const bindings = new Map([...drawn, ['teacher', shares.map((share, k) => share / sumOf(shares, k - (k % LABELS)))]]);
  const given = array([lengths.length, WORDS, HEADS, LABELS], bindings.get('teacher') ?? []);

  function sumOf(values: Float64Array, from: number): number {
    return values.subarray(from, from + LABELS).reduce((a, b) => a + b, 0);
  }

  test('is the mean of -log p over sequences that the teacher draws word by word', () => {
    const [found] = evaluate([crfExpectedLoss(field, emissions, teacher, mask)], bindings, sizeMap(sizes));
    for (const [k, { sentence, head }] of chains.entries()) {
      const expected = (paths[k] ?? []).reduce((sum, { path, score }) => {
        const drawing = path.reduce((p, label, word) => p * pick(given, sentence, word, head, label), 1);
        return sum + drawing * ((partitions[k] ?? NaN) - score);
      }, 0);
      expect(pick(found ?? all.start, sentence, head)).toBeCloseTo(expected, 12);
    }
  });
});
