import { at, ops, type Tensor } from '../graph/index.js';
import { count, fixed } from '../nn/index.js';

export interface GuidanceLosses {
  /** Loss_p: over the columns of prefix and pieces. */
  readonly withPrefix: Tensor;
  /** Loss_o: over the columns of the pieces alone. */
  readonly withoutPrefix: Tensor;
}

/**
 * Instance discrimination of attention vectors v [B, M, K]: with unit vectors, the cross-entropy of
 * softmax_j(v_j . v_i / tau) against i, averaged over maps and sentences.
 */
function discriminate(vectors: Tensor, temperature: number): Tensor {
  const maps = fixed(at(vectors.shape, 1));
  const norm = ops.sqrt(ops.reduceSum(ops.mul(vectors, vectors), 2));
  const unit = ops.div(vectors, ops.maximum(norm, 1e-12));
  const similarities = ops.mul(ops.matmul(unit, unit, { transposeB: true }), 1 / temperature);
  const identity = new Float32Array(maps * maps);
  for (let i = 0; i < maps; i++) identity[i * maps + i] = 1;
  const own = ops.mul(ops.logSoftmax(similarities), ops.constant(identity, [maps, maps]));
  return ops.neg(ops.div(ops.total(own), ops.mul(count(vectors, 0), maps)));
}

/**
 * PAMDFGA, prefix and attention map discrimination fusion guided attention (Guan and Zhou 2023, eq. 6 to 10): each map
 * becomes the vector of attention that every column received from the real pieces; vectors of different maps are
 * pushed apart. Adds no parameters.
 *
 * @param maps attention maps [W, heads, L, P + L] of the guided layers
 * @param mask 1 at pieces, 0 at padding, [W, L]
 */
export function pamdfga(maps: readonly Tensor[], mask: Tensor, prefix: number, temperature: number): GuidanceLosses {
  const [windows, length] = [at(mask.shape, 0), at(mask.shape, 1)];
  const queries = ops.reshape(mask, [windows, 1, 1, length]);
  const received = maps.map((map) => {
    const sums = ops.matmul(queries, map);
    return ops.reshape(sums, [windows, at(map.shape, 1), at(map.shape, 3)]);
  });
  const vectors = ops.concat(received, 1);
  const withPrefix = discriminate(vectors, temperature);
  return {
    withPrefix,
    withoutPrefix: prefix === 0 ? withPrefix : discriminate(ops.slice(vectors, 2, prefix, length), temperature),
  };
}
