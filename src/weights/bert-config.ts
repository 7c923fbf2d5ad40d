import { InputError } from '../errors.js';
import { bertConfigSchema, type BertConfig } from '../model/index.js';

/** What older checkpoints leave out of `config.json`, as BERT was published. */
const DEFAULTS = {
  type_vocab_size: 2,
  layer_norm_eps: 1e-12,
  hidden_dropout_prob: 0.1,
  attention_probs_dropout_prob: 0.1,
  initializer_range: 0.02,
};

/** Settings that would change what the model computes: only these values are built. */
const REQUIRED: Readonly<Record<string, readonly unknown[]>> = {
  model_type: ['bert', undefined],
  hidden_act: ['gelu', undefined],
  position_embedding_type: ['absolute', undefined],
  is_decoder: [false, undefined],
  add_cross_attention: [false, undefined],
};

/**
 * The encoder's shape from a checkpoint's `config.json`; keys that do not shape it are passed over.
 *
 * @param raw the JSON object
 * @param file for error messages
 * @throws InputError when it is not a BERT that this library builds, or a value is missing or impossible
 */
export function readBertConfig(raw: Readonly<Record<string, unknown>>, file: string): BertConfig {
  for (const [key, allowed] of Object.entries(REQUIRED)) {
    if (!allowed.includes(raw[key])) {
      const found = JSON.stringify(raw[key]);
      throw new InputError(`${key}: expected ${JSON.stringify(allowed[0])}, found ${found}`, { file });
    }
  }
  const known = Object.keys(bertConfigSchema.shape).filter((key) => raw[key] !== undefined);
  const result = bertConfigSchema.safeParse({
    ...DEFAULTS,
    ...Object.fromEntries(known.map((key) => [key, raw[key]])),
  });
  if (!result.success) {
    const [issue] = result.error.issues;
    const key = issue?.path.join('.') ?? '';
    const expected = issue?.code === 'invalid_type' ? `expected ${issue.expected}` : issue?.message;
    const found = raw[key] === undefined ? 'nothing' : JSON.stringify(raw[key]);
    throw new InputError(`${key}: ${expected}, found ${found}`, { file });
  }
  const { hidden_size: hidden, num_attention_heads: heads } = result.data;
  if (hidden % heads !== 0) {
    throw new InputError(`hidden_size: expected a multiple of ${heads} attention heads, found ${hidden}`, { file });
  }
  return result.data;
}
