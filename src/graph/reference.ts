import { evaluateDim } from './dim.js';
import { topologicalOrder } from './gradient.js';
import { operand } from './operand.js';
import type { Primitive } from './primitives.js';
import { referenceRules, sizeOfArray, type NdArray } from './reference-rules.js';
import type { Op, OpOf, Tensor } from './tensor.js';

export type { NdArray } from './reference-rules.js';

function applyRule<K extends Primitive>(
  op: OpOf<K>,
  inputs: readonly NdArray[],
  sizes: ReadonlyMap<string, number>,
): readonly NdArray[] {
  return referenceRules[op.kind](inputs, op.attributes, sizes);
}

/**
 * Evaluates tensors in float64 by plain loops: the oracle of the tests and the documentation of each primitive.
 * `values` gives the inputs and parameters by name, `sizes` the symbolic sizes.
 */
export function evaluate(
  outputs: readonly Tensor[],
  values: ReadonlyMap<string, ArrayLike<number>>,
  sizes: ReadonlyMap<string, number> = new Map(),
): NdArray[] {
  const results = new Map<Op, readonly NdArray[]>();
  for (const op of topologicalOrder(outputs)) {
    if (op.kind === 'input' || op.kind === 'parameter') {
      const value = values.get(op.attributes.name);
      const shape = op.attributes.shape.map((dim) => evaluateDim(dim, sizes));
      if (value?.length !== sizeOfArray(shape)) {
        throw new RangeError(`expected ${sizeOfArray(shape)} values for ${op.attributes.name}, found ${value?.length}`);
      }
      results.set(op, [{ shape, data: Float64Array.from(value) }]);
    } else {
      const inputs = op.inputs.map((x) => operand(results.get(x.op) ?? [], x.index));
      results.set(op, applyRule(op as OpOf<Primitive>, inputs, sizes));
    }
  }
  return outputs.map((tensor) => operand(results.get(tensor.op) ?? [], tensor.index));
}
