import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { gradient, ops, type Primitive, type Tensor } from '../../src/graph/index.js';
import { evaluate } from '../../src/graph/reference.js';
import { applyAll } from '../../src/graph/tensor.js';
import { b, n, type Case } from './support/case.js';
import { cases } from './support/cases.js';
import {
  centralDifferences,
  concrete,
  elements,
  Executable,
  expectClose,
  item,
  leavesOf,
  sizeMap,
  type Bindings,
  type Sizes,
} from './support/check.js';
import { between, seeded, type Draw } from './support/random.js';

/**
 * How gradients behave: `flows` agrees with central differences, `stops` is zero by definition, `constant` has values
 * that no small change of an operand changes, `refused` appears in gradients only.
 */
const gradients: { readonly [K in Primitive]: 'flows' | 'stops' | 'constant' | 'refused' } = {
  input: 'flows',
  parameter: 'flows',
  constant: 'constant',
  range: 'constant',
  neg: 'flows',
  exp: 'flows',
  log: 'flows',
  sqrt: 'flows',
  reciprocal: 'flows',
  abs: 'flows',
  erf: 'flows',
  tanh: 'flows',
  sigmoid: 'flows',
  gelu: 'flows',
  relu: 'flows',
  cast: 'flows',
  stopGradient: 'stops',
  add: 'flows',
  sub: 'flows',
  mul: 'flows',
  div: 'flows',
  maximum: 'flows',
  equal: 'constant',
  less: 'constant',
  and: 'constant',
  where: 'flows',
  reduceSum: 'flows',
  reduceMax: 'flows',
  reshape: 'flows',
  transpose: 'flows',
  expand: 'flows',
  concat: 'flows',
  slice: 'flows',
  pad: 'flows',
  gather: 'flows',
  scatterAdd: 'flows',
  segmentMax: 'flows',
  matmul: 'flows',
  linear: 'flows',
  softmax: 'flows',
  logSoftmax: 'flows',
  layerNorm: 'flows',
  lstm: 'flows',
  lstmCells: 'refused',
  lstmBackward: 'refused',
  logScan: 'flows',
  logScanBackward: 'refused',
  depthwiseConv: 'flows',
  depthwiseConvWeights: 'refused',
  flipFilters: 'flows',
};

const WEIGHTS = 'weights of the loss';
/** An input that gives every symbol a source, whatever the operands of the case. */
const symbols = ops.input('symbols', 'float32', [n, b]);

const FORWARD = 1e-5;
const DIFFERENCES = 1e-6;
const BACKWARD = 3e-5;

/** A case applied to inputs `x0`, `x1`, ..., with the sum of its first output weighted by one more input. */
interface Built {
  readonly outputs: readonly Tensor[];
  readonly loss: Tensor;
  readonly draws: ReadonlyMap<string, Draw>;
}

function build<K extends Primitive>(kind: K, { operands, attributes }: Case<K>): Built {
  const inputs = operands.map(({ dtype, shape }, k) => ops.input(`x${k}`, dtype, shape));
  const outputs = applyAll(kind, inputs, attributes);
  const first = item(outputs, 0);
  const weights = ops.input(WEIGHTS, 'float32', first.shape);
  return {
    outputs,
    loss: ops.total(ops.mul(ops.cast(first, 'float32'), weights)),
    draws: new Map(operands.map(({ draw }, k) => [`x${k}`, draw])),
  };
}

function bind({ loss, draws }: Built, sizes: Sizes, seed: number): Bindings {
  const random = seeded(seed);
  return new Map(
    leavesOf([loss, symbols]).map(({ name, tensor }) => {
      const draw = draws.get(name) ?? between(-1, 1);
      const values = draw(elements(concrete(tensor.shape, sizes)), random, sizeMap(sizes));
      return [name, Float64Array.from(values, Math.fround)];
    }),
  );
}

function check<K extends Primitive>(kind: K, example: Case<K>): void {
  const built = build(kind, example);
  const { outputs, loss } = built;
  const floats = leavesOf([loss]).filter(({ name, tensor }) => name !== WEIGHTS && tensor.dtype === 'float32');

  describe(example.name, () => {
    const grads =
      gradients[kind] === 'refused'
        ? []
        : gradient(
            loss,
            floats.map(({ tensor }) => tensor),
          );
    let executable: Executable;
    beforeAll(async () => {
      executable = await Executable.of([loss, ...outputs, ...grads, symbols]);
    });
    afterAll(() => executable.release());

    test.each(example.sizes.map((sizes, seed) => ({ sizes, seed })))('$sizes', async ({ sizes, seed }) => {
      const bindings = bind(built, sizes, seed);
      const expected = evaluate([loss, ...outputs, ...grads], bindings, sizeMap(sizes));
      const found = await executable.run(bindings, sizes);
      outputs.forEach((output, k) => {
        expect(item(expected, k + 1).shape, 'shape rule').toEqual(concrete(output.shape, sizes));
        expectClose(item(found, k + 1), item(expected, k + 1), FORWARD, `output ${k}`);
      });
      grads.forEach((_, k) => {
        const { name, tensor } = item(floats, k);
        const reference = item(expected, k + 1 + outputs.length);
        const differences =
          gradients[kind] === 'flows'
            ? centralDifferences(loss, name, bindings, sizes)
            : new Float64Array(reference.data.length);
        const shape = concrete(tensor.shape, sizes);
        expectClose(reference, { shape, data: differences }, DIFFERENCES, `gradient of ${name} in the reference`);
        expectClose(item(found, k + 1 + outputs.length), reference, BACKWARD, `gradient of ${name} in ONNX Runtime`);
      });
    });
  });
}

function checkAll<K extends Primitive>(kind: K): void {
  describe(kind, () => {
    for (const example of cases[kind]) check(kind, example as Case<K>);
  });
}

for (const kind of Object.keys(cases) as Primitive[]) checkAll(kind);

describe('primitives that appear in gradients only', () => {
  const refused = (Object.keys(gradients) as Primitive[]).filter((kind) => gradients[kind] === 'refused');
  test.each(refused)('%s names itself when it is differentiated', (kind) => {
    const refuse = <K extends Primitive>(k: K): void => {
      const { loss } = build(k, item(cases[k] as readonly Case<K>[], 0));
      const operands = leavesOf([loss]).filter(({ name }) => name !== WEIGHTS);
      gradient(
        loss,
        operands.map(({ tensor }) => tensor),
      );
    };
    expect(() => {
      refuse(kind);
    }).toThrow(`${kind} appears in gradients only`);
  });
});
