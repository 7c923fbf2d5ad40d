import { describe, expect, test } from 'vitest';
import { gradient, ops, type Tensor } from '../../src/graph/index.js';
import { topologicalOrder } from '../../src/graph/gradient.js';
import { lower } from '../../src/graph/onnx/lower.js';
import { evaluate } from '../../src/graph/reference.js';
import { simplify } from '../../src/graph/simplify.js';
import { n } from './support/case.js';
import { Executable, expectClose, item, sizeMap } from './support/check.js';

const x = ops.input('x', 'float32', [n, 3]);
const y = ops.input('y', 'float32', [n, 3]);

/** How many nodes of each operator the outputs are lowered to. */
function nodes(...outputs: Tensor[]): ReadonlyMap<string, number> {
  const { graph } = lower(Object.fromEntries(outputs.map((tensor, k) => [`output ${k}`, tensor])));
  const counts = new Map<string, number>();
  for (const { opType } of graph.nodes) counts.set(opType, (counts.get(opType) ?? 0) + 1);
  return counts;
}

describe('duplicates', () => {
  test('equal expressions are lowered once', () => {
    const twice = ops.add(ops.exp(ops.mul(x, y)), ops.neg(ops.exp(ops.mul(x, y))));
    expect(nodes(twice)).toEqual(new Map([...['Mul', 'Exp', 'Neg', 'Add', 'Identity'].map((k) => [k, 1] as const)]));
  });

  test('equality goes through operands, attributes, symbolic shapes and constants', () => {
    const deep = (): Tensor =>
      ops.total(ops.softmax(ops.matmul(ops.reshape(ops.add(x, 0.5), [3, n]), y, { transposeA: false })));
    const counts = nodes(deep(), deep());
    expect(counts.get('Softmax')).toBe(1);
    expect(counts.get('Gemm')).toBe(1);
    expect(counts.get('Add')).toBe(1);
    expect(lower({ a: ops.add(x, 0.25), b: ops.mul(x, 0.25) }).graph.initializers).toHaveLength(1);
  });

  test('inputs and parameters of one name and shape are one', () => {
    const w = (): Tensor => ops.parameter('w', [3]);
    const { graph } = lower({ a: ops.mul(x, w()), b: ops.mul(ops.input('x', 'float32', [n, 3]), w()) });
    expect(graph.inputs.map(({ name }) => name).sort()).toEqual(['w', 'x']);
    expect(graph.nodes.filter(({ opType }) => opType === 'Mul')).toHaveLength(1);
  });

  test('expressions that differ in an operand, its order or an attribute stay apart', () => {
    expect(nodes(ops.sub(x, y), ops.sub(y, x)).get('Sub')).toBe(2);
    expect(nodes(ops.slice(x, 1, 0, 1), ops.slice(x, 1, 1, 1)).get('Slice')).toBe(2);
    expect(nodes(ops.transpose(x, [1, 0]), ops.reshape(x, [3, n])).get('Transpose')).toBe(1);
    expect(nodes(ops.matmul(x, y, { transposeA: true }), ops.matmul(x, y, { transposeB: true })).get('Gemm')).toBe(2);
  });

  test('constants that look alike stay apart', () => {
    const values = [Infinity, -Infinity, NaN, 0, 1].map((value) => ops.scalar(value));
    expect(new Set(simplify(values)).size).toBe(5);
    const int = ops.constant(Int32Array.of(1), []);
    expect(new Set(simplify([ops.scalar(1), int, ops.constant(Uint8Array.of(1), [])])).size).toBe(3);
    const long = new Float32Array(100);
    const [flat, again, square] = simplify([[100], [100], [10, 10]].map((shape) => ops.constant(long, shape)));
    expect(again).toBe(flat);
    expect(square?.shape).toEqual([10, 10]);
  });

  test('the gradient shares what the forward pass computed', () => {
    const loss = ops.total(ops.tanh(ops.matmul(x, y, { transposeB: true })));
    const counts = nodes(loss, ...gradient(loss, [x, y]));
    expect(counts.get('Tanh')).toBe(1);
    expect(counts.get('Gemm')).toBe(3);
  });

  test('the same graph is lowered to the same nodes every time', () => {
    const loss = (): Tensor => ops.total(ops.gelu(ops.linear(x, ops.parameter('w', [2, 3]), ops.parameter('b', [2]))));
    expect(lower({ loss: loss() })).toEqual(lower({ loss: loss() }));
  });
});

describe('dead code', () => {
  test('what no output needs is not lowered', () => {
    const unused = ops.exp(ops.input('unused', 'float32', [3]));
    const [first] = ops.split(ops.mul(x, y), 1, [1, 2]);
    expect(unused.shape).toEqual([3]);
    const { graph } = lower({ first: item([first], 0) as Tensor });
    expect(graph.inputs.map(({ name }) => name).sort()).toEqual(['x', 'y']);
    expect(graph.nodes.filter(({ opType }) => opType === 'Slice')).toHaveLength(1);
  });

  test('gradients of tensors that nobody asked for are not lowered', () => {
    const weight = ops.parameter('w', [3, 3]);
    const loss = ops.total(ops.matmul(x, weight));
    gradient(loss, [weight]);
    expect(nodes(loss).get('Gemm')).toBe(1);
    expect(nodes(...gradient(loss, [weight])).get('Gemm')).toBe(1);
    expect(nodes(...gradient(loss, [x, weight])).get('Gemm')).toBe(2);
  });
});

describe('expansions', () => {
  const row = ops.input('row', 'float32', [3]);

  test('are left to broadcasting where the shape stays the same', async () => {
    const wide = ops.expand(row, [n, 3]);
    const outputs = [ops.mul(wide, x), ops.sub(x, wide), ops.where(ops.less(x, wide), wide, x)];
    expect(nodes(...outputs).get('Expand')).toBeUndefined();
    const executable = await Executable.of(outputs);
    const values = new Map([
      ['x', Float64Array.of(1, 2, 3, 4, 5, 6)],
      ['row', Float64Array.of(3, 2, 1)],
    ]);
    const expected = evaluate(outputs, values, sizeMap({ n: 2 }));
    for (const [k, found] of (await executable.run(values, { n: 2 })).entries()) {
      expectClose(found, item(expected, k), 1e-6, `output ${k}`);
    }
    await executable.release();
  });

  test('stay where the result needs them', () => {
    const column = ops.input('column', 'float32', [n, 1]);
    const narrow = ops.input('narrow', 'float32', [1]);
    expect(nodes(ops.mul(ops.expand(row, [n, 3]), narrow), column).get('Expand')).toBe(1);
    expect(nodes(ops.exp(ops.expand(row, [n, 3])), x).get('Expand')).toBe(1);
  });
});

test('simplifying keeps kinds, shapes and values', () => {
  const loss = ops.total(ops.mul(ops.exp(ops.mul(x, y)), ops.exp(ops.mul(x, y))));
  const roots = [loss, ...gradient(loss, [x, y])];
  const simple = simplify(roots);
  expect(simple.map(({ shape }) => shape)).toEqual(roots.map(({ shape }) => shape));
  expect(topologicalOrder(simple).length).toBeLessThan(topologicalOrder(roots).length);
  const values = new Map(['x', 'y'].map((name, k) => [name, Float64Array.of(1, -2, 0.5, 0.25, k, 2 - k)]));
  expect(evaluate(simple, values, sizeMap({ n: 2 }))).toEqual(evaluate(roots, values, sizeMap({ n: 2 })));
});
