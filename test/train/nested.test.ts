import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { Tagger } from '../../src/index.js';
import { nodeRuntime } from '../../src/runtime/node.js';
import type { WordEntity } from '../../src/scheme/index.js';
import { runTraining, type EpochRecord } from '../../src/train/index.js';
import { temporaryFolder } from '../cli/support/run.js';
import { settings, writeCorpus, writeEncoder } from '../cli/support/tiny.js';

const folder = temporaryFolder();
const encoder = join(folder, 'encoder');

/** A sentence, and the parts of each of its mentions. */
interface Example {
  readonly text: string;
  readonly mentions: readonly (readonly [type: string, ...parts: string[]])[];
}

/** Sentences about one gene: mentions in one another, mentions that share a word and have a gap, or the gene alone. */
const examples = (gene: string): Example[] => [
  {
    text: `${gene} causes breast cancer .`,
    mentions: [
      ['Disease', 'breast cancer'],
      ['Disease', 'cancer'],
    ],
  },
  {
    text: `Patients with ${gene} were given sodium chloride .`,
    mentions: [
      ['Chemical', 'sodium chloride'],
      ['Chemical', 'chloride'],
    ],
  },
  {
    text: `Mice with renal asthma failure inhibits ${gene} .`,
    mentions: [
      ['Disease', 'renal', 'failure'],
      ['Disease', 'asthma failure'],
    ],
  },
];

const genes = ['BRCA1', 'TP53', 'p53', 'lithium', 'aspirin'];
/** One sentence of each form, each about a gene of its own, is held out. */
const isHeld = (gene: number, form: number): boolean => gene === form;
const [training, held] = [false, true].map((inDevel) =>
  genes.flatMap((gene, g) => examples(gene).filter((_, form) => isHeld(g, form) === inDevel)),
) as [Example[], Example[]];

const lines = (list: readonly Example[]): string =>
  list
    .map(({ text, mentions }) => {
      const entities = mentions.map(([type, ...parts]) => {
        const spans = parts.map((words) => [text.indexOf(words), text.indexOf(words) + words.length]);
        return { type, start: spans[0]?.[0], end: spans.at(-1)?.[1], spans };
      });
      return `${JSON.stringify({ text, entities })}\n`;
    })
    .join('');

/** Entities in words, in an order of their own: what can be compared. */
const sorted = (entities: readonly WordEntity[]): string[] =>
  entities.map(({ type, words }) => `${type} ${words.join(' ')}`).sort();

let records: EpochRecord[] = [];
let found: WordEntity[][] = [];
let types: readonly string[] = [];

async function train(name: string, corpus: string, epochs: number): Promise<string> {
  records = [];
  const settingsOfRun = { epochs, batchSentences: 6, encoderRate: 0.01, headRate: 0.02, weightDecay: 0 };
  const { output } = await runTraining(
    {
      corpora: [corpus],
      encoder,
      output: join(folder, name),
      threads: 1,
      config: { model: settings['word-pair'], training: settingsOfRun },
    },
    nodeRuntime,
    {
      onStart: ({ model }) => void ({ types } = model),
      onEpoch: (record) => void records.push(record),
      onEvaluate: async ({ predictor }) => {
        found = await predictor.predict(held.map(({ text }) => ({ words: text.split(' ') })));
      },
    },
  );
  return output;
}

const flatOf = (model: string): unknown =>
  (JSON.parse(readFileSync(join(model, 'config.json'), 'utf8')) as { flat: unknown }).flat;

beforeAll(async () => {
  await writeEncoder(encoder);
});

describe('a corpus with nested and discontinuous entities', () => {
  const corpus = join(folder, 'nested');
  let model: string;

  beforeAll(async () => {
    mkdirSync(corpus);
    writeFileSync(join(corpus, 'train.jsonl'), lines(training).repeat(6));
    writeFileSync(join(corpus, 'devel.jsonl'), lines(held));
    model = await train('model', corpus, 14);
  });

  test('makes a model that keeps what overlaps', () => {
    expect(flatOf(model)).toBe(false);
  });

  test('is scored as it is annotated: flat, half of it could not be found', () => {
    const overall = records.map(({ devel }) => devel['nested']?.overall);
    expect(overall.at(-1)).toMatchObject({ gold: 6, correct: 6, predicted: 6, f1: 1 });
  });

  test('so are other sets, by the predictor of an epoch', () => {
    const disease = types.indexOf('Disease');
    const chemical = types.indexOf('Chemical');
    expect(found.map(sorted)).toEqual([
      [`${disease} 2 3`, `${disease} 3`],
      [`${chemical} 5 6`, `${chemical} 6`],
      [`${disease} 2 4`, `${disease} 3 4`],
    ]);
  });

  test('comes out of `tag` nested and discontinuous', async () => {
    const tagger = await Tagger.load(model, { threads: 1 });
    for (const { text, mentions } of held) {
      const entities = await tagger.tag(text);
      const tagged = entities.map(({ type, spans }) => [
        type,
        ...spans.map(({ start, end }) => text.slice(start, end)),
      ]);
      expect(tagged.sort()).toEqual(mentions.map((mention) => [...mention]).sort());
    }
    await tagger.dispose();
  });
});

test('only the sentences that are trained on decide: an overlap in devel does not', async () => {
  const corpus = await writeCorpus(join(folder, 'flat'), false);
  writeFileSync(join(corpus, 'devel.jsonl'), lines(held));
  expect(flatOf(await train('flat-model', corpus, 1))).toBe(true);
  for (const entities of found) {
    const words = entities.flatMap((entity) => entity.words);
    expect(new Set(words).size).toBe(words.length);
  }
});
