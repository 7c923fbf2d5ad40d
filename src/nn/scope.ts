import { ops, type Dim, type Shape, type Tensor } from '../graph/index.js';

/** How a parameter starts: a constant, or normal or uniform noise around zero. */
export type Initialiser =
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'normal'; readonly deviation: number }
  | { readonly kind: 'uniform'; readonly bound: number }
  /** The same values again and again. */
  | { readonly kind: 'pattern'; readonly values: readonly number[] };

/** `encoder` parameters come pretrained and learn slowly, `head` parameters start from noise. */
export type ParameterGroup = 'encoder' | 'head';

export interface ParameterSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly initialiser: Initialiser;
  readonly group: ParameterGroup;
  /** Whether weight decay applies (not to biases and layer normalisation). */
  readonly decay: boolean;
  readonly tensor: Tensor;
}

/** A dropout mask that training feeds: elements 0 with probability `rate`, else 1 / (1 - rate). */
export interface MaskSpec {
  readonly name: string;
  readonly shape: Shape;
  readonly rate: number;
}

/** A table of which each step reads a few rows, whose gradient is taken with respect to the rows read. */
export interface RowAccess {
  readonly parameter: string;
  /** Name of the int32 input that selects rows. */
  readonly indices: string;
  /** [indices..., H] */
  readonly rows: Tensor;
}

/**
 * Collects what a model is made of while its graph is written: parameters, dropout masks and row accesses. The same
 * function writes the training graph (`training` true: dropout masks are inputs) and the inference graph.
 */
export class Scope {
  readonly parameters: ParameterSpec[] = [];
  readonly masks: MaskSpec[] = [];
  readonly rowAccesses: RowAccess[] = [];

  constructor(readonly training: boolean) {}

  parameter(
    name: string,
    shape: readonly number[],
    initialiser: Initialiser,
    { group = 'head', decay = true }: { group?: ParameterGroup; decay?: boolean } = {},
  ): Tensor {
    const tensor = ops.parameter(name, shape);
    this.parameters.push({ name, shape, initialiser, group, decay, tensor });
    return tensor;
  }

  /** A fresh dropout mask of the given shape; undefined outside training or at rate 0. */
  mask(rate: number, shape: Shape): Tensor | undefined {
    if (!this.training || rate === 0) return undefined;
    const name = `mask.${this.masks.length}`;
    this.masks.push({ name, shape, rate });
    return ops.input(name, 'float32', shape);
  }

  /** Dropout of single elements. */
  dropout(x: Tensor, rate: number): Tensor {
    const mask = this.mask(rate, x.shape);
    return mask === undefined ? x : ops.mul(x, mask);
  }

  /** Rows of a parameter table at an int32 input, remembered so that the gradient stays sparse. */
  lookup(table: Tensor, indices: Tensor): Tensor {
    const rows = ops.gather(table, indices);
    if (table.op.kind === 'parameter' && indices.op.kind === 'input') {
      this.rowAccesses.push({ parameter: table.op.attributes.name, indices: indices.op.attributes.name, rows });
    }
    return rows;
  }
}

export const zeros: Initialiser = { kind: 'constant', value: 0 };
export const ones: Initialiser = { kind: 'constant', value: 1 };
export const normal = (deviation: number): Initialiser => ({ kind: 'normal', deviation });
export const pattern = (values: readonly number[]): Initialiser => ({ kind: 'pattern', values });
export const uniform = (bound: number): Initialiser => ({ kind: 'uniform', bound });

/** The number of elements along an axis as a float scalar. */
export function count(x: Tensor, axis: number): Tensor {
  return ops.total(ops.add(ops.mul(ops.cast(ops.range(x, axis), 'float32'), 0), 1));
}

/** A fixed axis size; throws a RangeError where it is symbolic. */
export function fixed(dim: Dim | undefined): number {
  if (typeof dim !== 'number') throw new RangeError(`expected a fixed size, found ${String(dim)}`);
  return dim;
}
