import { describe, expect, test } from 'vitest';
import { ops, symbol, toOnnx, type Primitive, type Shape, type Tensor } from '../../src/graph/index.js';
import { applyAll } from '../../src/graph/tensor.js';
import { b, n } from './support/case.js';

const f = (...shape: Shape): Tensor => ops.input('x', 'float32', shape);
const i = (...shape: Shape): Tensor => ops.input('i', 'int32', shape);
const bool = (...shape: Shape): Tensor => ops.input('c', 'bool', shape);
const lstm = (x: Tensor, inputWeights: Tensor, recurrentWeights: Tensor, lengths: Tensor): Tensor =>
  ops.lstm(x, { inputWeights, recurrentWeights, inputBias: f(8), recurrentBias: f(8) }, lengths, false);

/** Applications that do not fit: the primitive, what is applied, and the shapes or types that the error must show. */
const misfits: readonly [Primitive, string, () => unknown, ...string[]][] = [
  ['constant', 'too few values', () => ops.constant(Float32Array.of(1), [2]), '[2]', '1 values'],
  ['range', 'an axis too many', () => ops.range(f(n, 3), 2), '[n, 3]', '2'],
  ['exp', 'whole numbers', () => ops.exp(i(n)), 'int32[n]', 'float32'],
  ['add', 'axes that differ', () => ops.add(f(n, 3), f(n, 4)), '[n, 3]', '[n, 4]'],
  ['mul', 'symbols that differ', () => ops.mul(f(n), f(b)), '[n]', '[b]'],
  ['sub', 'a symbol and a number', () => ops.sub(f(n), f(2)), '[n]', '[2]'],
  ['div', 'types that differ', () => ops.div(f(n), i(n)), '[n]', 'int32'],
  ['less', 'types that differ', () => ops.less(f(n), i(n)), 'float32', 'int32'],
  ['where', 'a condition of numbers', () => ops.where(f(n), f(n), f(n)), 'bool', 'float32'],
  ['where', 'branches of two types', () => ops.where(bool(n), f(n), i(n)), 'float32', 'int32'],
  ['where', 'branches that do not broadcast', () => ops.where(bool(n), f(n), f(3)), '[n]', '[3]'],
  ['reduceSum', 'an axis too many', () => ops.reduceSum(f(n, 3), 2), '[n, 3]', '2'],
  ['reduceMax', 'an axis before the first', () => ops.reduceMax(f(n, 3), -3), '[n, 3]', '-1'],
  ['reshape', 'another number of elements', () => ops.reshape(f(n, 3), [n, 4]), '[n, 3]', '[n, 4]'],
  ['reshape', 'other symbols', () => ops.reshape(f(n, 3), [b, 3]), '[n, 3]', '[b, 3]'],
  ['transpose', 'an axis twice', () => ops.transpose(f(n, 3), [1, 1]), '[n, 3]', '[1,1]'],
  ['transpose', 'axes left out', () => ops.transpose(f(n, b, 3), [0, 1]), '[n, b, 3]', '[0,1]'],
  ['expand', 'a smaller shape', () => ops.expand(f(n, 3), [n, 1]), '[n, 3]', '[n, 1]'],
  ['concat', 'another rank', () => ops.concat([f(n, 3), f(n)], 0), '[n, 3]', '[n]'],
  ['concat', 'another width', () => ops.concat([f(n, 3), f(b, 2)], 0), '[n, 3]', '[b, 2]'],
  ['concat', 'another type', () => ops.concat([f(n), i(n)], 0), 'float32', 'int32'],
  ['slice', 'beyond the end', () => ops.slice(f(5, n), 0, 3, 3), '[5, n]', '[3, 6)'],
  ['slice', 'beyond a symbolic end', () => ops.slice(f(n), 0, 1, n), '[n]', '[1, n+1)'],
  ['slice', 'a negative start', () => ops.slice(f(5), 0, -2, 2), '[5]', '-2'],
  ['slice', 'an axis too many', () => ops.slice(f(5), 1, 0, 1), '[5]', '1'],
  ['pad', 'negative padding', () => ops.pad(f(n), 0, -1, 2), '[n]', '-1'],
  ['scatterAdd', 'too few indices', () => ops.scatterAdd(f(n, 3), i(b), 4), '[n, 3]', '[b]'],
  ['scatterAdd', 'a matrix of indices', () => ops.scatterAdd(f(n, 3), i(n, 3), 4), '[n, 3]', '[n, 3]'],
  ['segmentMax', 'too few segment numbers', () => ops.segmentMax(f(n, 3), i(b), b), '[n, 3]', '[b]'],
  ['segmentMax', 'a vector', () => ops.segmentMax(f(n), i(n), b), '[n]', 'rank 2'],
  ['matmul', 'inner axes that differ', () => ops.matmul(f(n, 3), f(4, 2)), '[n, 3]', '[4, 2]'],
  ['matmul', 'a transposed inner axis', () => ops.matmul(f(n, 3), f(3, 2), { transposeB: true }), '[n, 3]', '[3, 2]'],
  ['matmul', 'batches that differ', () => ops.matmul(f(b, n, 3), f(2, 3, n)), '[b]', '[2]'],
  ['matmul', 'a vector', () => ops.matmul(f(3), f(3, 2)), '[3]'],
  ['linear', 'another width', () => ops.linear(f(n, 3), f(2, 4), f(2)), '[n, 3]', '[2, 4]'],
  ['linear', 'another bias', () => ops.linear(f(n, 3), f(2, 3), f(3)), '[2, 3]', '[3]'],
  ['softmax', 'whole numbers', () => ops.softmax(i(n, 3)), 'int32[n, 3]'],
  ['layerNorm', 'a gain of another width', () => ops.layerNorm(f(n, 3), f(4), f(3), 1e-5), '[n, 3]', '[4]'],
  ['lstm', 'no batch axis', () => lstm(f(n, 3), f(8, 3), f(8, 2), i(b)), '[n, 3]', 'rank 3'],
  ['lstm', 'another input width', () => lstm(f(n, b, 3), f(8, 4), f(8, 2), i(b)), '[n, b, 3]', '[8, 4]'],
  ['lstm', 'three gates', () => lstm(f(n, b, 3), f(6, 3), f(6, 2), i(b)), '[6, 2]', '8'],
  ['lstm', 'lengths of another batch', () => lstm(f(n, b, 3), f(8, 3), f(8, 2), i(n)), 'int32[n]'],
  ['depthwiseConv', 'too few filters', () => ops.depthwiseConv(f(b, 4, n, n), f(3, 1, 3, 3), f(4), 1), '[3, 1, 3, 3]'],
  ['depthwiseConv', 'even filters', () => ops.depthwiseConv(f(b, 4, n, n), f(4, 1, 2, 2), f(4), 1), 'odd'],
  [
    'depthwiseConv',
    'filters over channels',
    () => ops.depthwiseConv(f(b, 4, n, n), f(4, 4, 3, 3), f(4), 1),
    '[4, 4, 3, 3]',
  ],
  ['depthwiseConv', 'another bias', () => ops.depthwiseConv(f(b, 4, n, n), f(4, 1, 3, 3), f(3), 1), '[3]'],
];

describe('operands that do not fit', () => {
  test.each(misfits)('%s: %s', (kind, _, application, ...shown) => {
    let message = 'no error';
    try {
      application();
    } catch (error) {
      expect(error).toBeInstanceOf(RangeError);
      message = String(error);
    }
    expect(message).toMatch(new RegExp(`^RangeError: ${kind}\\(.*\\): expected .*`));
    for (const part of shown) expect(message).toContain(part);
    expect(message).not.toContain('\n');
  });

  test('too few operands', () => {
    expect(() => applyAll('matmul', [f(n, 3)], { transposeA: false, transposeB: false })).toThrow(
      'matmul([n, 3]): expected at least 2 operands, found 1',
    );
  });

  test('a symbol that no input has is named when the graph is lowered', () => {
    expect(() => toOnnx({ y: ops.expand(f(1), [symbol('words')]) })).toThrow('an axis of size words');
  });
});
