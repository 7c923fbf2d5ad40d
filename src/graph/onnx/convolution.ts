import { addDims, at } from '../dim.js';
import { operand } from '../operand.js';
import type { OpOf } from '../tensor.js';
import type { OnnxBuilder } from './builder.js';

/**
 * dW[c, m, n] = sum_bij dy[b, c, i, j] x[b, c, i + m d - p, j + n d - p]. For each row offset m one batched product
 * G = dy^T x_m [B, C, W, W + 2p] sums over i; the filters are then sums along diagonals of G. No standard operator
 * gives this gradient, and the nine shifted copies of x that a direct form needs cost three times the memory traffic.
 */
export function lowerDepthwiseConvWeights(
  op: OpOf<'depthwiseConvWeights'>,
  [x = '', dy = '']: readonly string[],
  builder: OnnxBuilder,
): string {
  const { kernel, dilation } = op.attributes;
  const shape = operand(op.inputs, 0).shape;
  const [channels, height, width] = [at(shape, 1), at(shape, 2), at(shape, 3)];
  const padding = ((kernel - 1) / 2) * dilation;
  const pads = builder.ints(padding, padding, padding, padding);
  const padded = builder.emit('Pad', [x, pads, builder.float(0), builder.ints(2, 3)]);
  const columnsOfDy = builder.emit('Transpose', [dy], { perm: [0, 1, 3, 2] });
  const diagonals = Array.from({ length: kernel }, (_, n) => {
    const range = (size: string): string =>
      builder.emit('Range', [builder.intScalar(0), builder.emit('Squeeze', [size]), builder.intScalar(1)]);
    const row = builder.emit('Unsqueeze', [
      builder.emit('Add', [range(builder.dim(width)), builder.ints(n * dilation)]),
      builder.ints(1),
    ]);
    const equal = builder.emit('Equal', [row, range(builder.dim(addDims(width, 2 * padding)))]);
    return builder.emit('Cast', [equal], { to: 1 });
  });
  const filters: string[] = [];
  for (let m = 0; m < kernel; m++) {
    const rows = builder.slice(padded, 2, m * dilation, height);
    const product = builder.emit('MatMul', [columnsOfDy, rows]);
    const sum = builder.emit('ReduceSum', [product, builder.ints(0)], { keepdims: 0 });
    for (const diagonal of diagonals) {
      const kept = builder.emit('Mul', [sum, diagonal]);
      filters.push(builder.emit('ReduceSum', [kept, builder.ints(1, 2)], { keepdims: 1 }));
    }
  }
  const stacked = builder.emit('Concat', filters, { axis: 1 });
  return builder.emit('Reshape', [stacked, builder.shape([channels, 1, kernel, kernel])]);
}
