import { at, ops, type Tensor } from '../graph/index.js';
import { linear } from './layers.js';
import { normal, type Scope } from './scope.js';

export interface AttentionConfig {
  readonly hidden: number;
  readonly heads: number;
  readonly dropout: number;
  /** Standard deviation of fresh weights. */
  readonly deviation: number;
  /** P free key and value vectors before those of the pieces; 0 is plain BERT. */
  readonly prefix: number;
}

export interface Attention {
  /** [B, L, H], the heads concatenated */
  readonly output: Tensor;
  /** softmax(Q [phi_k; K]^T / sqrt(d)) [B, heads, L, P + L], before dropout */
  readonly map: Tensor;
}

/** phi [P, H] as heads [B, heads, ...permuted (P, d)]. */
function prefixHeads(phi: Tensor, config: AttentionConfig, batch: Tensor, keys: boolean): Tensor {
  const { prefix, heads, hidden } = config;
  const split = ops.reshape(phi, [prefix, heads, hidden / heads]);
  const moved = ops.transpose(split, keys ? [1, 2, 0] : [1, 0, 2]);
  return ops.expand(ops.reshape(moved, [1, ...moved.shape]), [at(batch.shape, 0), ...moved.shape]);
}

/**
 * Multi-head self-attention with a prefix of free keys and values in front (Guan and Zhou 2023, eq. 3 and 4):
 * A = softmax(Q [phi_k; K]^T / sqrt(d)), output A [phi_v; V]. Prefix positions are never masked.
 *
 * @param name of the projections: `name.query`, `name.key`, `name.value`
 * @param prefixName of the prefix: `prefixName.key`, `prefixName.value`
 * @param x [B, L, H]
 * @param bias [B, 1, 1, P + L], added to the scores: 0, or a large negative number at padding
 */
export function selfAttention(
  scope: Scope,
  name: string,
  prefixName: string,
  x: Tensor,
  bias: Tensor,
  config: AttentionConfig,
): Attention {
  const { hidden, heads, prefix } = config;
  const width = hidden / heads;
  const [batch, length] = [at(x.shape, 0), at(x.shape, 1)];
  const project = (kind: string): Tensor => {
    const projected = linear(scope, `${name}.${kind}`, x, hidden, {
      group: 'encoder',
      initialiser: normal(config.deviation),
    });
    return ops.reshape(projected, [batch, length, heads, width]);
  };
  const queries = ops.transpose(ops.mul(project('query'), 1 / Math.sqrt(width)), [0, 2, 1, 3]);
  let keys = ops.transpose(project('key'), [0, 2, 3, 1]);
  let values = ops.transpose(project('value'), [0, 2, 1, 3]);
  if (prefix > 0) {
    const phi = (kind: string): Tensor =>
      scope.parameter(`${prefixName}.${kind}`, [prefix, hidden], normal(config.deviation), { decay: false });
    keys = ops.concat([prefixHeads(phi('key'), config, x, true), keys], 3);
    values = ops.concat([prefixHeads(phi('value'), config, x, false), values], 2);
  }
  const map = ops.softmax(ops.add(ops.matmul(queries, keys), bias));
  const mixed = ops.matmul(scope.dropout(map, config.dropout), values);
  return { output: ops.reshape(ops.transpose(mixed, [0, 2, 1, 3]), [batch, length, hidden]), map };
}
