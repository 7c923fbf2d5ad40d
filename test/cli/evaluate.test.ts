import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { ebiobert, temporaryFolder } from './support/run.js';
import { iobText, SAMPLE, writeModel } from './support/tiny.js';

const folder = temporaryFolder();
const model = join(folder, 'model');
beforeAll(() => writeModel('word-pair', model), 60_000);

const file = (name: string, content: string): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

type Mention = readonly [type: string, start: number, end: number];
const document = (id: string, text: string, mentions: readonly Mention[]): string =>
  `${JSON.stringify({ id, text, entities: mentions.map(([type, start, end]) => ({ type, start, end })) })}\n`;

const gold =
  document('1', 'p53 and lithium in asthma', [
    ['Gene', 0, 3],
    ['Chemical', 8, 15],
    ['Disease', 19, 25],
  ]) + document('2', 'renal failure', [['Disease', 0, 13]]);

/** One right, one with the wrong type, one with wrong edges, one too many; nothing for document 3, which is not gold. */
const predicted =
  document('2', 'renal failure', [
    ['Disease', 6, 13],
    ['Gene', 0, 5],
  ]) +
  document('1', 'p53 and lithium in asthma', [
    ['Gene', 0, 3],
    ['Disease', 8, 15],
  ]) +
  document('3', 'other', []);

interface Score {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  readonly gold: number;
  readonly predicted: number;
  readonly correct: number;
}
interface Report {
  readonly overall: Score;
  readonly types: Readonly<Record<string, Score>>;
  readonly intervals?: { readonly overall: Interval; readonly types: Readonly<Record<string, Interval>> };
}
interface Interval {
  readonly f1: { readonly low: number; readonly high: number };
}

async function report(...args: string[]): Promise<Report> {
  const { status, stdout } = await ebiobert(['evaluate', '--json', ...args]);
  expect(status).toBe(0);
  return JSON.parse(stdout) as Report;
}

describe('ebiobert evaluate --predictions', () => {
  const [goldFile, predictions] = [file('gold.jsonl', gold), file('predictions.jsonl', predicted)];
  const scores = (counts: Pick<Score, 'gold' | 'predicted' | 'correct'>): Score => {
    const precision = counts.predicted === 0 ? 0 : counts.correct / counts.predicted;
    const recall = counts.correct / counts.gold;
    const f1 = precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall);
    return { precision, recall, f1, ...counts };
  };

  test('scores strictly, by type and over all, as fractions', async () => {
    const { overall, types } = await report(goldFile, '--predictions', predictions);
    expect(overall).toEqual(scores({ gold: 4, predicted: 4, correct: 1 }));
    expect(types).toEqual({
      Chemical: scores({ gold: 1, predicted: 0, correct: 0 }),
      Disease: scores({ gold: 2, predicted: 2, correct: 0 }),
      Gene: scores({ gold: 1, predicted: 2, correct: 1 }),
    });
  });

  test('scores only the types asked for', async () => {
    const { overall, types } = await report(goldFile, '--predictions', predictions, '--types', 'Gene');
    expect(overall).toEqual(types['Gene']);
    expect(Object.keys(types)).toEqual(['Gene']);
  });

  test('prints a table of percentages, and what it left out as a diagnostic', async () => {
    const { status, stdout, stderr } = await ebiobert(['evaluate', goldFile, '--predictions', predictions]);
    expect(status).toBe(0);
    const rows = stdout.trimEnd().split('\n').map((line) => line.trim().split(/\s+/)); // prettier-ignore
    expect(rows[0]).toEqual(['type', 'precision', 'recall', 'F1', 'gold', 'predicted', 'correct']);
    expect(rows).toContainEqual(['Gene', '50.00', '100.00', '66.67', '1', '2', '1']);
    expect(rows.at(-1)).toEqual(['overall', '25.00', '25.00', '25.00', '4', '4', '1']);
    expect(stderr).toMatch(/^1 document of .*predictions\.jsonl is not among the annotated ones\n$/);
  });

  test('the predictions may be in another format, gold on standard input', async () => {
    const pubtator = '1|t|p53 and lithium in asthma\n1|a|\n1\t0\t3\tp53\tGENE\n\n';
    const other = file('other.txt', pubtator);
    const input = document('1', 'p53 and lithium in asthma\n', [['Gene', 0, 3]]);
    const { status, stdout } = await ebiobert(['evaluate', '--json', '--predictions', other], { input });
    expect(status).toBe(0);
    expect((JSON.parse(stdout) as Report).overall).toEqual(scores({ gold: 1, predicted: 1, correct: 1 }));
  });

  test('intervals hold the score and are the same every time', async () => {
    const args = [goldFile, '--predictions', predictions, '--intervals'];
    const [one, two] = await Promise.all([report(...args), report(...args)]);
    expect(one).toEqual(two);
    const { low, high } = one.intervals?.overall.f1 ?? { low: 1, high: 0 };
    expect(low).toBeLessThanOrEqual(one.overall.f1);
    expect(high).toBeGreaterThanOrEqual(one.overall.f1);
  });

  test('the table has the interval of every row', async () => {
    const args = [goldFile, '--predictions', predictions, '--intervals'];
    const [{ intervals }, { status, stdout }] = await Promise.all([report(...args), ebiobert(['evaluate', ...args])]);
    expect(status).toBe(0);
    const [head, ...rows] = stdout.trimEnd().split('\n');
    expect(head).toMatch(/ correct +95 % of F1$/);
    const range = ({ low, high }: { low: number; high: number } = { low: NaN, high: NaN }): string =>
      `${(100 * low).toFixed(2)}-${(100 * high).toFixed(2)}`;
    const shown = rows.map((row) => row.trim().split(/\s+/)).map((cells) => [cells[0], cells.at(-1)]);
    expect(shown).toEqual([
      ...['Chemical', 'Disease', 'Gene'].map((type) => [type, range(intervals?.types[type]?.f1)]),
      ['overall', range(intervals?.overall.f1)],
    ]);
    expect(new Set(shown.map(([, shownRange]) => shownRange)).size).toBeGreaterThan(2);
  });

  test.each<[string, number, string, string[], RegExp]>([
    ['a type nobody has', 2, gold, ['--types', 'Gnee'], /expected a type .*\(Chemical, Disease, Gene\), found Gnee/],
    [
      'other documents',
      2,
      document('9', 'x', []),
      [],
      /expected predictions with the ids of the documents, found none/,
    ],
    ['another text', 1, document('1', 'p54', []), [], /expected the text of the annotated document 1, found another/],
    ['a document twice', 1, predicted + predicted, [], /expected each document once, found 2 twice/],
  ])('%s is refused in one line', async (name, expected, content, args, message) => {
    const path = file(`${name}.jsonl`, content);
    const { status, stdout, stderr } = await ebiobert(['evaluate', goldFile, '--predictions', path, ...args]);
    expect({ status, stdout }).toEqual({ status: expected, stdout: '' });
    expect(stderr).toMatch(/^ebiobert: [^\n]+\n$/);
    expect(stderr).toMatch(message);
  });
});

describe('ebiobert evaluate --conlleval', () => {
  const tagged = (name: string, ...sentences: string[]): string => {
    mkdirSync(join(folder, name));
    const lines = sentences.map((tags) => tags.split(' ').map((tag, k) => `w${k}\t${tag}\n`).join('')); // prettier-ignore
    return file(join(name, 'corpus.tsv'), lines.join('\n'));
  };
  /** Tags that begin with I- after O or another type, as conlleval accepts them. */
  const [goldTags, guessedTags] = [
    tagged(
      'gold',
      'B-Chemical I-Chemical O B-Disease O',
      'B-Chemical I-Chemical B-Disease I-Disease O B-Chemical',
      'O',
    ),
    tagged('guessed', 'B-Chemical I-Chemical O I-Disease B-Disease', 'B-Chemical O B-Chemical I-Disease O O', 'B-Gene'),
  ];
  const counts = ({ gold, predicted, correct }: Score = scoreless): number[] => [gold, predicted, correct];
  const scoreless: Score = { precision: 0, recall: 0, f1: 0, gold: 0, predicted: 0, correct: 0 };

  test('counts the chunks of a file as conlleval does', async () => {
    const args = ['evaluate', goldTags, '--predictions', guessedTags, '--conlleval'];
    const { status, stdout, stderr } = await ebiobert(args);
    expect(status).toBe(0);
    expect(stdout).toBe(
      [
        'processed 12 tokens with 5 phrases; found: 7 phrases; correct: 2.',
        'accuracy:  50.00%; precision:  28.57%; recall:  40.00%; FB1:  33.33',
        '         Chemical: precision:  33.33%; recall:  33.33%; FB1:  33.33  3',
        '          Disease: precision:  33.33%; recall:  50.00%; FB1:  40.00  3',
        '             Gene: precision:   0.00%; recall:   0.00%; FB1:   0.00  1',
        '',
      ].join('\n'),
    );
    expect(stderr.trimEnd().split('\n')).toEqual([
      `${guessedTags}:4: took I-Disease after no mention as B-Disease`,
      `${guessedTags}:10: took I-Disease after a mention of Chemical as B-Disease`,
    ]);
    const json = JSON.parse((await ebiobert([...args, '--json'])).stdout) as Report & { tokens: number };
    expect(json).toMatchObject({ tokens: 12, correctTokens: 6 });
    expect(counts(json.overall)).toEqual([5, 7, 2]);
    expect(Object.keys(json.types)).toEqual(['Chemical', 'Disease', 'Gene']);
  });

  test('counts only the types asked for', async () => {
    const args = [goldTags, '--predictions', guessedTags, '--conlleval', '--types', 'Chemical'];
    const { overall, types } = await report(...args);
    expect(counts(overall)).toEqual([3, 3, 1]);
    expect(Object.keys(types)).toEqual(['Chemical']);
  });

  test('counts the words of texts, and says which mentions tags cannot say', async () => {
    const text = 'p53 and lithium in asthma';
    const own = file('own.jsonl', document('1', text, [['Gene', 0, 3], ['Chemical', 8, 15], ['Chemical', 8, 11]])); // prettier-ignore
    const other = file('widened.jsonl', document('1', text, [['Gene', 0, 2], ['Disease', 19, 25]])); // prettier-ignore
    const { stdout, stderr } = await ebiobert(['evaluate', own, '--predictions', other, '--conlleval']);
    expect(stdout.split('\n')[0]).toBe('processed 5 tokens with 2 phrases; found: 2 phrases; correct: 1.');
    expect(stderr.trimEnd().split('\n')).toEqual([
      '1: nested or overlapping: Chemical "lit" at 8-11',
      '1: not at the edges of words, widened to them: Gene "p5" at 0-2',
    ]);
  });

  test('scores a model too: what it counts is what the strict scores count', async () => {
    const corpus = file('conll.tsv', iobText(0, 9));
    const strict = await report(corpus, '--model', model, '--threads', '1');
    const { overall, types } = await report(corpus, '--model', model, '--threads', '1', '--conlleval');
    expect({ overall, types }).toEqual({ overall: strict.overall, types: strict.types });
  });

  test('has no intervals', async () => {
    const outcome = await ebiobert(['evaluate', goldTags, '--conlleval', '--intervals']);
    expect(outcome).toEqual({
      status: 2,
      stdout: '',
      stderr: 'ebiobert: expected either --conlleval or --intervals, found both\n',
    });
  });
});

describe('ebiobert evaluate --model', () => {
  test('a model that learned its corpus scores high on it; the table and the JSON agree', async () => {
    const corpus = file('corpus.tsv', iobText());
    const { overall, types } = await report(corpus, '--model', model, '--threads', '1');
    expect(Object.keys(types)).toEqual(['Chemical', 'Disease', 'Gene']);
    expect(overall.gold).toBe(54);
    expect(overall.f1).toBeGreaterThan(0.9);
    const table = await ebiobert(['evaluate', corpus, '--model', model, '--threads', '1']);
    expect(table.stdout).toContain((100 * overall.f1).toFixed(2));
    const exact = await report(corpus, '--model', model, '--float32');
    expect(Math.abs(exact.overall.f1 - overall.f1)).toBeLessThan(0.1);
  });

  test('agrees with tagging first and scoring the predictions', async () => {
    const corpus = file('twice.tsv', iobText(0, 9));
    const gold = join(folder, 'twice.jsonl');
    const predictions = join(folder, 'tagged.jsonl');
    await ebiobert(['convert', '--to', 'jsonl', '--output', gold, corpus]);
    const tagged = await ebiobert(['tag', '--model', model, '--to', 'jsonl', '--output', predictions, corpus]);
    expect(tagged.status).toBe(0);
    expect(await report(gold, '--predictions', predictions)).toEqual(await report(corpus, '--model', model));
  });

  test('a type that is not annotated is not counted against the model', async () => {
    const start = SAMPLE.indexOf('sodium chloride');
    const only = document('1', SAMPLE, [['Chemical', start, start + 15]]);
    const { overall, types } = await report(file('only.jsonl', only), '--model', model);
    expect(overall).toEqual({ precision: 1, recall: 1, f1: 1, gold: 1, predicted: 1, correct: 1 });
    expect(Object.keys(types)).toEqual(['Chemical']);
  });

  test.each<[string, number, string, string[], RegExp]>([
    ['no annotations', 1, 'Lithium helps.', [], /expected annotated entities, found none/],
    [
      'a type that the model lacks',
      2,
      iobText(0, 1),
      ['--types', 'Species'],
      /expected a type of the model \(.*\), found Species/,
    ],
  ])('%s is refused in one line', async (_, expected, input, args, message) => {
    const outcome = await ebiobert(['evaluate', '--model', model, ...args], { input });
    expect(outcome).toMatchObject({ status: expected, stdout: '' });
    expect(outcome.stderr).toMatch(/^ebiobert: [^\n]+\n$/);
    expect(outcome.stderr).toMatch(message);
  });
});

const corpora = new URL('../../../shared/corpora/', import.meta.url);

describe.skipIf(!existsSync(corpora))('on a real corpus (skipped without ../shared/corpora)', () => {
  test('its own annotations score 1, and its names become Disease', async () => {
    const devel = readFileSync(new URL('ncbi-disease/devel.tsv', corpora), 'utf8');
    const gold = file('ncbi.tsv', devel);
    const { overall, types } = await report(gold, '--predictions', gold);
    expect(overall).toMatchObject({ precision: 1, recall: 1, f1: 1, correct: overall.gold });
    expect(Object.keys(types)).toEqual(['Disease']);
    expect(overall.gold).toBe(devel.split('\n').filter((line) => /\tB/.test(line)).length);
  });
});
