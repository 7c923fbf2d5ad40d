import { shapeKey, type Shape } from './dim.js';
import type { Attributes, DType, Primitive } from './primitives.js';
import { operand } from './operand.js';
import { shapeRules } from './shape-rules.js';

/** One value of the symbolic graph: an output of an operation. Nothing is computed until the graph is run. */
export class Tensor {
  constructor(
    readonly op: Op,
    readonly index: number,
    readonly shape: Shape,
    readonly dtype: DType,
  ) {}
}

/** One application of a primitive. */
export interface OpOf<K extends Primitive> {
  readonly kind: K;
  readonly inputs: readonly Tensor[];
  readonly attributes: Attributes[K];
  readonly outputs: readonly Tensor[];
}

export type Op = { [K in Primitive]: OpOf<K> }[Primitive];

/** Shape and type of one output, as a shape rule gives them. */
export interface TensorType {
  readonly shape: Shape;
  readonly dtype: DType;
}

function describe(inputs: readonly Tensor[]): string {
  return inputs.map((x) => `${x.dtype === 'float32' ? '' : x.dtype}${shapeKey(x.shape)}`).join(', ');
}

/** Applies a primitive; throws a RangeError that names it and its operands' shapes when they do not fit. */
export function applyAll<K extends Primitive>(
  kind: K,
  inputs: readonly Tensor[],
  attributes: Attributes[K],
): readonly Tensor[] {
  let types: readonly TensorType[];
  try {
    types = shapeRules[kind](inputs, attributes);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new RangeError(`${kind}(${describe(inputs)}): ${reason}`, { cause: error });
  }
  const outputs: Tensor[] = [];
  const op: OpOf<K> = { kind, inputs, attributes, outputs };
  for (const [index, type] of types.entries()) outputs.push(new Tensor(op as Op, index, type.shape, type.dtype));
  return outputs;
}

/** Applies a primitive with one output (or gives the first of several). */
export function apply<K extends Primitive>(kind: K, inputs: readonly Tensor[], attributes: Attributes[K]): Tensor {
  return operand(applyAll(kind, inputs, attributes), 0);
}
