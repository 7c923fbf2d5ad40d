import { at, ops, type Tensor } from '../graph/index.js';
import { fixed } from '../nn/index.js';

/**
 * Cross-entropy of logits [..., K] against int32 labels [...], weighted by `weight` (broadcast to [...]; 0 leaves an
 * element out, and so does the label -1) and divided by `count`.
 */
export function crossEntropy(logits: Tensor, labels: Tensor, weight: Tensor, count: Tensor): Tensor {
  const classes = fixed(at(logits.shape, -1));
  const numbers = ops.constant(
    Int32Array.from({ length: classes }, (_, k) => k),
    [classes],
  );
  const chosen = ops.cast(ops.equal(ops.reshape(labels, [...labels.shape, 1]), numbers), 'float32');
  return expectedCrossEntropy(logits, chosen, weight, count);
}

/** Cross-entropy of logits [..., K] against a share of each class [..., K], weighted and divided as `crossEntropy` is. */
export function expectedCrossEntropy(logits: Tensor, shares: Tensor, weight: Tensor, count: Tensor): Tensor {
  const picked = ops.mul(ops.mul(ops.logSoftmax(logits), shares), ops.reshape(weight, [...weight.shape, 1]));
  return ops.neg(ops.div(ops.total(picked), count));
}
