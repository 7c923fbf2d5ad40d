/** A tiny encoder, corpus and trained models, for tests that need real files quickly. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildModel, modelConfigSchema } from '../../../src/model/index.js';
import { nodeRuntime } from '../../../src/runtime/node.js';
import { runTraining } from '../../../src/train/index.js';
import { normal } from '../../../src/train/random.js';
import { writeSafetensors } from '../../../src/weights/index.js';

const genes = ['BRCA1', 'TP53', 'p53'];
const chemicals = ['lithium', 'aspirin', 'sodium chloride'];
const diseases = ['breast cancer', 'asthma', 'renal failure'];

/** Sentences with marked entities, `[words](Type)`, that a tiny model learns in seconds. */
const sentences = genes.flatMap((gene, g) =>
  chemicals.flatMap((chemical, c) => {
    const disease = diseases[(g + c) % diseases.length] ?? '';
    return [
      `[${gene}](Gene) causes [${disease}](Disease) .`,
      `Patients with [${disease}](Disease) were given [${chemical}](Chemical) .`,
      `[${chemical}](Chemical) inhibits [${gene}](Gene) in mice .`,
    ];
  }),
);

/** A text in which the tiny models find Gene BRCA1, Disease breast cancer, Chemical sodium chloride and Disease asthma. */
export const SAMPLE = 'BRCA1 causes breast cancer . Patients with asthma were given sodium chloride .';

/** What the tiny models find in `SAMPLE`. */
export const FOUND = ['Gene BRCA1', 'Disease breast cancer', 'Disease asthma', 'Chemical sodium chloride'];

const words = [...new Set(sentences.flatMap((sentence) => sentence.replace(/\[|\]\(\w+\)/g, '').split(' ')))];

function iobLines(sentence: string): string {
  const lines = [...sentence.matchAll(/\[([^\]]+)\]\((\w+)\)|(\S+)/g)].flatMap(([, mention, type, plain]) =>
    mention === undefined
      ? [`${plain}\tO`]
      : mention.split(' ').map((word, k) => `${word}\t${k === 0 ? 'B' : 'I'}-${type}`),
  );
  return `${lines.join('\n')}\n\n`;
}

/** The sentences in the columns of the corpora. */
export const iobText = (from = 0, to = sentences.length): string => sentences.slice(from, to).map(iobLines).join('');

/** Writes a corpus folder: train.tsv, and devel.tsv where asked for. */
export async function writeCorpus(folder: string, devel: boolean): Promise<string> {
  await mkdir(folder, { recursive: true });
  const held = devel ? 6 : 0;
  await writeFile(join(folder, 'train.tsv'), iobText(held).repeat(6));
  if (devel) await writeFile(join(folder, 'devel.tsv'), iobText(0, held));
  return folder;
}

/** Writes a random BERT of two layers, as transformers would. */
export async function writeEncoder(folder: string): Promise<string> {
  const vocabulary = [
    '[PAD]',
    '[UNK]',
    '[CLS]',
    '[SEP]',
    '[MASK]',
    ...new Set(words.map((word) => word.toLowerCase())),
  ];
  const config = {
    vocab_size: vocabulary.length,
    hidden_size: 16,
    num_hidden_layers: 2,
    num_attention_heads: 2,
    intermediate_size: 24,
    max_position_embeddings: 64,
    type_vocab_size: 2,
    layer_norm_eps: 1e-12,
    hidden_dropout_prob: 0,
    attention_probs_dropout_prob: 0,
    initializer_range: 0.02,
  };
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'config.json'), JSON.stringify({ model_type: 'bert', hidden_act: 'gelu', ...config }));
  await writeFile(join(folder, 'vocab.txt'), `${vocabulary.join('\n')}\n`);
  await writeFile(join(folder, 'tokenizer_config.json'), '{"do_lower_case": true}');
  const model = modelConfigSchema.parse({ kind: 'sequence', types: ['Gene'], prefix: 0, encoder: config });
  const tensors = buildModel(model, false).scope.parameters.filter(({ name }) => name.startsWith('bert.'));
  await writeSafetensors(
    join(folder, 'model.safetensors'),
    tensors.map(({ name, shape }, k) => {
      const values = normal(
        7,
        k,
        shape.reduce((a, b) => a * b, 1),
      );
      const data = Float32Array.from(values, (x) => (name.endsWith('LayerNorm.weight') ? 1 : 0) + 0.1 * x);
      return { name, shape: [...shape], dtype: 'F32' as const, data };
    }),
  );
  return folder;
}

const head = { lstm: 16, distance: 4, region: 4, channels: 16, mlp: 16 };

/** Settings that a tiny model trains with in no time. */
export const settings = {
  'word-pair': { ...head, prefix: 2, featureDropout: 0, gridDropout: 0, mlpDropout: 0 },
  sequence: { kind: 'sequence', lstm: 16, prefix: 2, featureDropout: 0 },
} as const;

/** Trains a tiny model that finds `FOUND` in `SAMPLE`, and writes its folder. */
export async function writeModel(kind: keyof typeof settings, folder: string): Promise<string> {
  const inputs = `${folder}.inputs`;
  const corpus = await writeCorpus(join(inputs, 'tiny'), false);
  const encoder = await writeEncoder(join(inputs, 'encoder'));
  const training = { epochs: 12, batchSentences: 6, encoderRate: 0.01, headRate: 0.02, weightDecay: 0 };
  await runTraining(
    { corpora: [corpus], encoder, output: folder, threads: 1, config: { model: settings[kind], training } },
    nodeRuntime,
  );
  return folder;
}
