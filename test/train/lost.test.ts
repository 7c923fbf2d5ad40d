import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { nodeRuntime } from '../../src/runtime/node.js';
import { CheckpointFolder } from '../../src/train/checkpoint.js';
import { runTraining, type LostEntities, type RunHooks } from '../../src/train/index.js';
import { readSafetensors } from '../../src/weights/index.js';
import { ebiobert, jsonLines, temporaryFolder } from '../cli/support/run.js';
import { settings, writeEncoder } from '../cli/support/tiny.js';

const folder = temporaryFolder();
const encoder = join(folder, 'encoder');
const [plain, hard] = [join(folder, 'plain'), join(folder, 'hard')];

interface Mention {
  readonly type: string;
  readonly parts: readonly string[];
}

/** A line of JSON; the parts of each mention are found in the text. */
function line(id: string, text: string, ...mentions: readonly Mention[]): string {
  const entities = mentions.map(({ type, parts }) => {
    const spans = parts.map((part) => [text.indexOf(part), text.indexOf(part) + part.length]);
    return { type, start: spans[0]?.[0], end: spans.at(-1)?.[1], spans };
  });
  return `${JSON.stringify({ id, text, entities })}\n`;
}

const gene = (...parts: string[]): Mention => ({ type: 'Gene', parts });
const disease = (...parts: string[]): Mention => ({ type: 'Disease', parts });

/** Ten pieces of a sentence fit into a window, so that this mention of eleven words does not. */
const long = 'p53 causes renal failure in mice with asthma and breast cancer';

beforeAll(async () => {
  await writeEncoder(encoder);
  for (const corpus of [plain, hard]) mkdirSync(corpus);
  writeFileSync(
    join(plain, 'train.jsonl'),
    line('1', 'BRCA1 causes breast cancer.', gene('BRCA1'), disease('breast cancer')),
  );
  writeFileSync(
    join(hard, 'train.jsonl'),
    line('2', 'Patients had asthma. Mice had TP53.', disease('asthma. Mice'), gene('TP53')) +
      line('3', `Patients with ${long} were given aspirin.`, disease(long), disease('asthma')) +
      line('4', 'Renal and breast failure with asthma.', disease('Renal', 'failure'), disease('breast failure')) +
      line('5', 'Breast cancer causes p53.', disease('Breast cancer'), disease('cancer'), disease('cancer')) +
      line('6', 'Lithium inhibits p53.', gene('p53'), disease('p53')),
  );
}, 60_000);

const options = (kind: keyof typeof settings, name: string, labels: 'joint' | 'typed') => ({
  corpora: [plain, hard],
  encoder,
  output: join(folder, name),
  threads: 1,
  config: { model: { ...settings[kind], labels }, training: { epochs: 1, maxPieces: 12 } },
});

async function lostBy(kind: keyof typeof settings, labels: 'joint' | 'typed'): Promise<readonly LostEntities[]> {
  const found: LostEntities[] = [];
  const hooks: RunHooks = { onStart: ({ lost }) => void found.push(...lost) };
  await runTraining(options(kind, `${kind}-${labels}`, labels), nodeRuntime, hooks);
  return found;
}

const none = { corpus: 'plain', acrossSentences: 0, acrossWindows: 0, inexpressible: 0 };
const counts = { corpus: 'hard', acrossSentences: 1, acrossWindows: 1 };

describe('entities that training does not see as they are annotated', () => {
  test('a joint grid loses the second type of the same words', async () => {
    expect(await lostBy('word-pair', 'joint')).toEqual([none, { ...counts, inexpressible: 1 }]);
  });

  test('a typed grid loses none to its labels', async () => {
    expect(await lostBy('word-pair', 'typed')).toEqual([none, { ...counts, inexpressible: 0 }]);
  });

  test('BIO loses what is discontinuous, nested or of a second type, and an entity that is there twice once', async () => {
    expect(await lostBy('sequence', 'joint')).toEqual([none, { ...counts, inexpressible: 4 }]);
    expect(await lostBy('sequence', 'typed')).toEqual([none, { ...counts, inexpressible: 3 }]);
  });

  test('are in the first line of the log, and not in what a run is resumed by', async () => {
    const work = join(folder, 'sequence-joint.run');
    const [head] = jsonLines(readFileSync(join(work, 'log.jsonl'), 'utf8'));
    expect(head).toMatchObject({ lost: [none, { ...counts, inexpressible: 4 }] });
    const { metadata } = await readSafetensors(new CheckpointFolder(work).file('last'));
    const { config } = JSON.parse(metadata.get('state') ?? '{}') as { config: object };
    expect(Object.keys(config)).toEqual(['model', 'training', 'corpora']);
    expect(config).toEqual({ model: head?.['model'], training: head?.['training'], corpora: head?.['corpora'] });
  });

  test('are printed by `ebiobert train` in one line, and nothing where there are none', async () => {
    const { config } = options('sequence', '', 'joint');
    writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
    const said: (readonly string[])[] = [];
    for (const corpora of [[plain, hard], [plain]]) {
      const output = join(folder, `printed-${corpora.length}`);
      const files = ['--encoder', encoder, '--config', join(folder, 'config.json'), '--output', output];
      const { status, stderr } = await ebiobert(['train', '--corpus', ...corpora, ...files, '--threads', '1']);
      expect(status).toBe(0);
      said.push(stderr.split('\n').filter((printed) => printed.includes('annotated')));
    }
    expect(said).toEqual([
      [
        'not trained on as annotated: 6 entities, 1 across sentence ends, 1 cut by encoder windows, ' +
          '4 that the labels cannot say',
      ],
      [],
    ]);
  });
});
