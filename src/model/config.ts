import { z } from 'zod';

/** What Hugging Face's `config.json` of a BERT says, as far as it shapes the graph. */
export const bertConfigSchema = z.strictObject({
  vocab_size: z.int().positive(),
  hidden_size: z.int().positive(),
  num_hidden_layers: z.int().positive(),
  num_attention_heads: z.int().positive(),
  intermediate_size: z.int().positive(),
  max_position_embeddings: z.int().positive(),
  type_vocab_size: z.int().positive(),
  layer_norm_eps: z.number().positive(),
  hidden_dropout_prob: z.number().min(0).lt(1),
  attention_probs_dropout_prob: z.number().min(0).lt(1),
  initializer_range: z.number().positive(),
});

/**
 * What Hugging Face's `config.json` of a BERT says, as far as it shapes the graph.
 * @interface
 */
export type BertConfig = z.infer<typeof bertConfigSchema>;

const DEFAULT_FEATURE_LAYERS = 4;

const rate = z.number().min(0).lt(1);

/** PAMDFGA: which layers' maps are told apart (negative ones count from the last), temperature tau, weight alpha. */
const guidanceSchema = z
  .strictObject({
    layers: z.array(z.int()).min(1),
    temperature: z.number().positive().default(2),
    alpha: z.number().positive(),
    /** Loss_p, over the columns of prefix and pieces; false leaves it out of the sum (Table 4 of the paper). */
    withPrefix: z.boolean().default(true),
    /** Loss_o, over the columns of the pieces alone; false leaves it out of the sum. */
    withoutPrefix: z.boolean().default(true),
  })
  .refine(({ withPrefix, withoutPrefix }) => withPrefix || withoutPrefix, {
    error: 'expected withPrefix or withoutPrefix, found neither: null switches the guidance off',
  });

const charactersSchema = z
  .strictObject({
    /** How a word's characters are read: a convolution of width 3 and maxima, or the last states of a BiLSTM. */
    reader: z.enum(['convolution', 'lstm']).default('convolution'),
    embedding: z.int().positive().default(32),
    /** Width of the features; of a BiLSTM both directions together, an even number. */
    filters: z.int().positive().default(96),
    /** Characters of a word that are read; longer words keep their first and last halves. */
    limit: z.int().min(4).default(20),
  })
  .refine(({ reader, filters }) => reader === 'convolution' || filters % 2 === 0, {
    error: 'expected an even number for two directions, found an odd one',
    path: ['filters'],
  });

/** What a user says of word embeddings; their vocabulary is that of the training sentences. */
export const wordsSettingsSchema = z.strictObject({
  /** A multiple of 8, as the optimiser takes rows of tables. */
  embedding: z.int().positive().multipleOf(8).default(200),
  /** Words that the training sentences have less often share the embedding of unknown words. */
  minCount: z.int().positive().default(2),
  /** Whether words are looked up in lower case and without accents; spelling features see them as they are. */
  lowercase: z.boolean().default(true),
});

const wordsSchema = wordsSettingsSchema.extend({
  /** Rows of the table, special ones among them. */
  vocabulary: z.int().positive(),
});

const commonSchema = {
  /** Entity types in label order. */
  types: z.array(z.string().min(1)).min(1),
  /**
   * `joint`: one softmax over all labels (the paper's). `typed`: one softmax for each type, so that corpora that
   * annotate different types train together; `unannotated` of the training settings says what becomes of types that a
   * sentence's corpus does not annotate.
   */
  labels: z.enum(['joint', 'typed']).default('joint'),
  /** null: no pretrained encoder, but word embeddings that are learned with the rest. */
  encoder: bertConfigSchema.nullable(),
  /** Word embeddings in place of an encoder; null beside one. */
  words: wordsSchema.nullable().default(null),
  /** P, the prefix length of every layer; 0 is plain BERT. */
  prefix: z.int().min(0).default(11),
  guidance: guidanceSchema.nullable().default(null),
  /**
   * Pieces of an encoder window that neighbouring sentences of a document share, special ones included, so that each is
   * read in its context; 0 reads every sentence alone, as the paper does.
   */
  context: z.int().min(0).default(0),
  /** How many of the last hidden layers are averaged to piece features. */
  featureLayers: z.int().positive().default(DEFAULT_FEATURE_LAYERS),
  featureDropout: rate.default(0.5),
  characters: charactersSchema.nullable().default(null),
  /** Classes of the gazetteer whose names are marked in the encoder's input, in the order of their bits; null without one. */
  gazetteer: z.array(z.string().min(1)).min(1).nullable().default(null),
  /**
   * First bias of the class None (or O): starting near the odds of an empty cell saves the first hundreds of updates,
   * which would only learn that most cells are empty. 0 is the paper's.
   */
  noneBias: z.number().default(0),
};

export const wordPairConfigSchema = z.strictObject({
  kind: z.literal('word-pair'),
  ...commonSchema,
  /** Width of the BiLSTM's output, both directions together. */
  lstm: z.int().positive().multipleOf(2).default(512),
  distance: z.int().positive().default(20),
  region: z.int().positive().default(20),
  channels: z.int().positive().default(128),
  gridDropout: rate.default(0.5),
  dilation: z.int().positive().default(1),
  mlp: z.int().positive().default(384),
  mlpDropout: rate.default(0.33),
});

export const sequenceConfigSchema = z.strictObject({
  kind: z.literal('sequence'),
  ...commonSchema,
  scheme: z.enum(['BIO', 'BIOES']).default('BIO'),
  /** A BiLSTM of this width between features and classifier; null is BERT + linear. */
  lstm: z.int().positive().multipleOf(2).nullable().default(null),
  /** A conditional random field over the labels of a sentence, one for each head, instead of a softmax for each word. */
  crf: z.boolean().default(false),
  /** Take the likeliest labels that the scheme allows. Those of a CRF always are. */
  constrained: z.boolean().default(false),
});

/** Everything that shapes a model's graph and parameters, checked against its encoder. */
export const modelConfigSchema = z.preprocess(
  withEncoderDefaults,
  z.discriminatedUnion('kind', [wordPairConfigSchema, sequenceConfigSchema]).superRefine((config, context) => {
    for (const { path, message } of encoderProblems(config)) context.addIssue({ code: 'custom', path, message });
  }),
);

/**
 * The word-pair model of Guan and Zhou (2023). `docs/training.md` says what each setting does.
 * @interface
 */
export type WordPairConfig = z.infer<typeof wordPairConfigSchema>;
/**
 * The sequence labeller: BIO or BIOES labels, by softmax or a conditional random field.
 * @interface
 */
export type SequenceConfig = z.infer<typeof sequenceConfigSchema>;
/**
 * Word embeddings in place of a pretrained encoder.
 * @interface
 */
export type WordsConfig = z.infer<typeof wordsSchema>;
/** The architecture of a model, its encoder's and its types: what shapes the graph. */
export type ModelConfig = WordPairConfig | SequenceConfig;

/**
 * Of an encoder with fewer layers than the default `featureLayers`, all are averaged; without an encoder there is no
 * prefix.
 */
function withEncoderDefaults(config: unknown): unknown {
  const parsed = z.looseObject({ encoder: bertConfigSchema.nullable() }).safeParse(config);
  if (!parsed.success) return config;
  const { encoder } = parsed.data;
  if (encoder === null) return { prefix: 0, ...parsed.data };
  return { featureLayers: Math.min(DEFAULT_FEATURE_LAYERS, encoder.num_hidden_layers), ...parsed.data };
}

interface Problem {
  readonly path: string[];
  readonly message: string;
}

function encoderProblems(config: ModelConfig): Problem[] {
  const { encoder, words, prefix, guidance, gazetteer, featureLayers } = config;
  const problem = (path: string, message: string): Problem => ({ path: path.split('.'), message });
  if (encoder === null) {
    return [
      ...(words === null ? [problem('words', 'expected word embeddings in place of an encoder, found null')] : []),
      ...(prefix === 0 ? [] : [problem('prefix', `expected 0 without an encoder, found ${prefix}`)]),
      ...(guidance === null ? [] : [problem('guidance', 'expected null without an encoder, found settings')]),
      ...(gazetteer === null
        ? []
        : [problem('gazetteer', 'expected no names (--gazetteer) without an encoder, found some')]),
    ];
  }
  const layers = encoder.num_hidden_layers;
  const guided = guidance?.layers ?? [];
  const beyond = guided.find((layer) => layer < -layers || layer >= layers);
  const counted = guided.map((layer) => (layer < 0 ? layers + layer : layer));
  const again = counted.findIndex((layer, k) => counted.indexOf(layer) < k);
  const twice = counted[again];
  return [
    ...(words === null ? [] : [problem('words', 'expected null beside an encoder, found settings')]),
    ...(beyond === undefined
      ? []
      : [problem('guidance.layers', `expected layers from -${layers} to ${layers - 1}, found ${beyond}`)]),
    ...(twice === undefined
      ? []
      : [
          problem(
            'guidance.layers',
            `expected each layer once, found layer ${twice} as ${guided[counted.indexOf(twice)]} and ${guided[again]}`,
          ),
        ]),
    ...(featureLayers <= layers
      ? []
      : [problem('featureLayers', `expected at most the encoder's ${layers} layers, found ${featureLayers}`)]),
  ];
}
