import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { iobText, settings, writeCorpus, writeEncoder } from '../cli/support/tiny.js';

/** A folder with experiments, a corpus with three splits and an encoder, all tiny. */
export interface Workplace {
  readonly root: string;
  readonly experiments: string;
  readonly corpora: string;
  readonly encoders: string;
  readonly work: string;
  readonly results: string;
}

export const protocol = {
  title: 'tiny',
  encoder: 'tiny-bert',
  model: { ...settings['word-pair'], noneBias: 2 },
  training: { epochs: 3, batchSentences: 6, encoderRate: 0.01, headRate: 0.03, weightDecay: 0 },
};

const systems = {
  plain: { title: 'plain', model: { prefix: 0, guidance: null } },
  guided: { title: 'guided', model: { guidance: { layers: [-1], alpha: 0.01 } } },
};

/** Definitions of all three kinds, of which `scores` and `sweep` share runs. */
export const definitions = {
  scores: {
    title: 'Two systems',
    paper: 'Table 4',
    question: 'Is one better?',
    kind: 'scores',
    protocol: 'tiny',
    corpora: { tiny: { seeds: [1, 2] }, absent: { seeds: [1] } },
    baseline: 'plain',
    systems,
    published: [{ title: 'the paper', source: 'somewhere', values: { tiny: 90.5 } }],
  },
  sweep: {
    title: 'A sweep',
    paper: 'Fig. 5',
    question: 'Does it matter?',
    kind: 'sweep',
    axis: 'guidance',
    protocol: 'tiny',
    corpora: { tiny: { seeds: [1] } },
    baseline: 'plain',
    systems,
  },
  cost: {
    title: 'Cost',
    paper: 'Table 5',
    question: 'What does it cost?',
    kind: 'cost',
    protocol: 'tiny',
    corpora: { tiny: { seeds: [1] } },
    training: { headRate: 0.02 },
    baseline: 'plain',
    systems,
  },
} as const;

export async function writeWorkplace(root: string): Promise<Workplace> {
  const folder = (name: string): string => join(root, name);
  const experiments = folder('experiments');
  mkdirSync(join(experiments, 'protocols'), { recursive: true });
  writeFileSync(join(experiments, 'protocols', 'tiny.json'), JSON.stringify(protocol));
  writeFileSync(join(experiments, 'a-train-config.json'), '{"model": {}, "training": {}}');
  for (const [name, definition] of Object.entries(definitions)) {
    writeFileSync(join(experiments, `${name}.json`), JSON.stringify(definition));
  }
  await writeCorpus(join(folder('corpora'), 'tiny'), true);
  writeFileSync(join(folder('corpora'), 'tiny', 'test.tsv'), testSplit);
  await writeEncoder(join(folder('encoders'), 'tiny-bert'));
  return {
    root,
    experiments,
    corpora: folder('corpora'),
    encoders: folder('encoders'),
    work: folder('work'),
    results: join(experiments, 'results'),
  };
}

/** Words that training has, in sentences that it has not. */
const testSplit = iobText(0, 9).replaceAll('.\tO', 'today\tO\n.\tO').replaceAll('causes\tO', 'always\tO\ncauses\tO');
