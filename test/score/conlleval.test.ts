import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { entitiesOfTags } from '../../src/scheme/index.js';
import { ConllEvaluation, formatConll, StrictScorer, wordsKey } from '../../src/score/index.js';

const tags = (line: string): string[] => line.split(' ');

function evaluate(...sentences: [gold: string, guessed: string][]): ConllEvaluation {
  const evaluation = new ConllEvaluation();
  for (const [gold, guessed] of sentences) evaluation.add(tags(gold), tags(guessed));
  return evaluation;
}

describe('chunks of tags', () => {
  test.each([
    ['I after O begins a chunk', 'O I-X I-X O', 'O B-X I-X O'],
    ['I at the start begins a chunk', 'I-X I-X', 'B-X I-X'],
    ['I of another type ends a chunk and begins one', 'B-X I-Y I-Y', 'B-X B-Y I-Y'],
    ['I of another type after I too', 'I-X I-Y I-X', 'B-X B-Y B-X'],
    ['B after B begins a chunk', 'B-X B-X', 'B-X B-X'],
    ['B after I begins a chunk (IOB1)', 'I-X I-X B-X I-X', 'B-X I-X B-X I-X'],
    ['B of another type begins a chunk', 'B-X I-X B-Y', 'B-X I-X B-Y'],
    ['a type may hold hyphens', 'I-cell-line I-cell-type', 'B-cell-line B-cell-type'],
    ['tags may have no type', 'I I O B B', 'B I O B B'],
    ['E ends a chunk and may begin one', 'I-X E-X E-X I-X E-X O E-X', 'B-X I-X B-X B-X I-X O B-X'],
    ['brackets are chunks of one token', '[-X ]-X O [-X', 'B-X B-X O B-X'],
  ])('%s', (_, line, same) => {
    const { overall } = evaluate([line, same]).result();
    const chunks = tags(same).filter((tag) => tag.startsWith('B')).length;
    expect(overall).toMatchObject({ gold: chunks, predicted: chunks, correct: chunks });
  });

  test('brackets end their chunk: I after one continues nothing', () => {
    expect(evaluate(['[-X I-X', 'O O']).result().overall.gold).toBe(1);
    expect(evaluate(['[-X I-X', 'B-X I-X']).result().overall.correct).toBe(0);
  });
});

describe('correct chunks', () => {
  test.each([
    ['too short', 'B-X I-X I-X', 'B-X I-X O'],
    ['too long', 'B-X I-X O', 'B-X I-X I-X'],
    ['begun late', 'B-X I-X', 'O B-X'],
    ['begun early', 'O B-X', 'B-X I-X'],
    ['of another type', 'B-X I-X', 'B-Y I-Y'],
    ['cut in two', 'B-X I-X', 'B-X B-X'],
    ['joined', 'B-X B-X', 'B-X I-X'],
    ['changing its type', 'B-X I-X', 'B-X I-Y'],
  ])('a guess is wrong when %s', (_, gold, guessed) => {
    expect(evaluate([gold, guessed]).result().overall.correct).toBe(0);
  });

  test('a chunk is right although its tags differ; tokens are compared by tag', () => {
    const { overall, tokens, correctTokens, accuracy } = evaluate(['B-X I-X O', 'I-X I-X O']).result();
    expect(overall.correct).toBe(1);
    expect([tokens, correctTokens, accuracy]).toEqual([3, 2, 2 / 3]);
  });

  test('a chunk ends with its sentence', () => {
    const { overall } = evaluate(['O B-X', 'O B-X'], ['I-X O', 'I-X O']).result();
    expect(overall).toMatchObject({ gold: 2, predicted: 2, correct: 2 });
  });
});

describe('report', () => {
  test('is what conlleval prints for the same file', () => {
    const evaluation = evaluate(
      ['B-Chem I-Chem O B-Dis O', 'B-Chem I-Chem O I-Dis B-Dis'],
      ['B-Chem I-Chem B-Dis I-Dis O B-Chem', 'B-Chem O B-Chem I-Dis O O'],
      ['O', 'B-Gene'],
    );
    expect(formatConll(evaluation.result())).toBe(
      [
        'processed 12 tokens with 5 phrases; found: 7 phrases; correct: 2.',
        'accuracy:  50.00%; precision:  28.57%; recall:  40.00%; FB1:  33.33',
        '             Chem: precision:  33.33%; recall:  33.33%; FB1:  33.33  3',
        '              Dis: precision:  33.33%; recall:  50.00%; FB1:  40.00  3',
        '             Gene: precision:   0.00%; recall:   0.00%; FB1:   0.00  1',
        '',
      ].join('\n'),
    );
  });

  test('halves go to the even decimal, as in C', () => {
    const evaluation = new ConllEvaluation();
    evaluation.add(
      Array.from({ length: 32 }, () => 'O'),
      Array.from({ length: 32 }, (_, k) => (k < 25 ? 'O' : 'B-X')),
    );
    expect(formatConll(evaluation.result())).toContain('accuracy:  78.12%;');
  });

  test('nothing gives zeros', () => {
    const result = new ConllEvaluation().result();
    expect(result.accuracy).toBe(0);
    expect(formatConll(result)).toBe('processed 0 tokens with 0 phrases; found: 0 phrases; correct: 0.\n');
  });

  test('refuses sentences of different lengths', () => {
    expect(() => {
      new ConllEvaluation().add(['O'], ['O', 'O']);
    }).toThrow('expected 1 guessed tags for 1 gold ones, found 2');
  });
});

test('agrees with strict scores of the entities that the tags say', () => {
  const tag = fc.constantFrom('O', 'B-X', 'I-X', 'B-Y', 'I-Y');
  const sentence = fc.array(fc.tuple(tag, tag, fc.boolean()), { maxLength: 12 });
  fc.assert(
    fc.property(fc.array(sentence, { maxLength: 5 }), (sentences) => {
      const evaluation = new ConllEvaluation();
      const scorer = new StrictScorer();
      for (const words of sentences) {
        const gold = words.map(([own]) => own);
        const guessed = words.map(([own, other, right]) => (right ? own : other));
        evaluation.add(gold, guessed);
        const keys = (line: readonly string[]) =>
          entitiesOfTags(line, ['X', 'Y']).map(({ type, words: at }) => ({
            type: 'XY'.charAt(type),
            key: wordsKey(at),
          }));
        scorer.add(keys(gold), keys(guessed));
      }
      const { overall, types } = evaluation.result();
      expect({ overall, types }).toEqual(scorer.result());
    }),
    { numRuns: 500 },
  );
});
