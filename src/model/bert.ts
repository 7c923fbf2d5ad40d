import { at, ops, type Tensor } from '../graph/index.js';
import { fixed, layerNorm, linear, normal, selfAttention, type Scope } from '../nn/index.js';
import type { BertConfig } from './config.js';

export interface BertOutput {
  /** The embeddings and the output of every layer, each [W, L, H]. */
  readonly hidden: readonly Tensor[];
  /** The attention map of every layer [W, heads, L, P + L], before dropout. */
  readonly maps: readonly Tensor[];
  /** 1 at pieces, 0 at padding, [W, L] */
  readonly mask: Tensor;
}

/** What goes into the encoder. */
export interface BertInputs {
  /** int32 [W, L] */
  readonly ids: Tensor;
  /** int32 [W], pieces of each window */
  readonly counts: Tensor;
  /** float32 [W, L, features] */
  readonly gazetteer?: Tensor;
}

/** Added to attention scores at padding: its exponential is exactly 0 in float32. */
const MASKED = -1e9;

/**
 * BERT (Devlin et al. 2019) with a prefix of free keys and values in every layer. Positions start at 0 with or without
 * a prefix; all pieces are of segment 0. Parameters have Hugging Face's names under `bert.`, the prefix is
 * `prefix.layer.i.key` and `.value`.
 * Where a gazetteer marks the pieces, what `gazetteer.weight` makes of the marks is a fourth embedding.
 */
export function bert(
  scope: Scope,
  config: BertConfig,
  prefix: number,
  { ids, counts, gazetteer }: BertInputs,
): BertOutput {
  const { hidden_size: hidden, layer_norm_eps: epsilon, initializer_range: deviation } = config;
  const [windows, length] = [at(ids.shape, 0), at(ids.shape, 1)];
  const encoder = { group: 'encoder', initialiser: normal(deviation) } as const;
  const table = (name: string, rows: number): Tensor =>
    scope.parameter(`bert.embeddings.${name}.weight`, [rows, hidden], normal(deviation), { group: 'encoder' });

  const positions = ops.slice(table('position_embeddings', config.max_position_embeddings), 0, 0, length);
  const segment = ops.slice(table('token_type_embeddings', config.type_vocab_size), 0, 0, 1);
  const words = scope.lookup(table('word_embeddings', config.vocab_size), ids);
  let sum = ops.add(words, ops.add(positions, segment));
  if (gazetteer !== undefined) {
    const weight = scope.parameter('gazetteer.weight', [fixed(at(gazetteer.shape, 2)), hidden], normal(deviation));
    sum = ops.add(sum, ops.matmul(gazetteer, weight));
  }
  let x = layerNorm(scope, 'bert.embeddings.LayerNorm', sum, epsilon, 'encoder');
  x = scope.dropout(x, config.hidden_dropout_prob);

  const present = ops.less(ops.reshape(ops.range(ids, 1), [1, length]), ops.reshape(counts, [windows, 1]));
  const mask = ops.cast(present, 'float32');
  const bias = ops.pad(ops.reshape(ops.where(present, 0, MASKED), [windows, 1, 1, length]), 3, prefix, 0);

  const hiddenStates = [x];
  const maps: Tensor[] = [];
  for (let i = 0; i < config.num_hidden_layers; i++) {
    const name = `bert.encoder.layer.${i}`;
    const attention = selfAttention(scope, `${name}.attention.self`, `prefix.layer.${i}`, x, bias, {
      hidden,
      heads: config.num_attention_heads,
      dropout: config.attention_probs_dropout_prob,
      deviation,
      prefix,
    });
    const projected = linear(scope, `${name}.attention.output.dense`, attention.output, hidden, encoder);
    const attended = layerNorm(
      scope,
      `${name}.attention.output.LayerNorm`,
      ops.add(scope.dropout(projected, config.hidden_dropout_prob), x),
      epsilon,
      'encoder',
    );
    const inner = ops.gelu(linear(scope, `${name}.intermediate.dense`, attended, config.intermediate_size, encoder));
    const outer = linear(scope, `${name}.output.dense`, inner, hidden, encoder);
    x = layerNorm(
      scope,
      `${name}.output.LayerNorm`,
      ops.add(scope.dropout(outer, config.hidden_dropout_prob), attended),
      epsilon,
      'encoder',
    );
    hiddenStates.push(x);
    maps.push(attention.map);
  }
  return { hidden: hiddenStates, maps, mask };
}
