import { symbol } from '../../../src/graph/index.js';
import type { Attributes, DType, Primitive, Shape } from '../../../src/graph/index.js';
import { below, between, type Draw } from './random.js';
import type { Sizes } from './check.js';

export const n = symbol('n');
export const b = symbol('b');

/** Symbolic sizes that every case runs with, in one session. */
export const standardSizes: readonly Sizes[] = [
  { n: 4, b: 2 },
  { n: 1, b: 3 },
  { n: 5, b: 1 },
];

export interface OperandCase {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly draw: Draw;
}

/** One application of a primitive with the attributes A. */
export interface Application<A> {
  readonly name: string;
  readonly operands: readonly OperandCase[];
  readonly attributes: A;
  readonly sizes: readonly Sizes[];
}

export type Case<K extends Primitive> = Application<Attributes[K]>;
type Some<A> = readonly [Application<A>, ...Application<A>[]];
export type SomeOf<K extends Primitive> = Some<Attributes[K]>;
export type Cases = { readonly [K in Primitive]: SomeOf<K> };

export const float = (shape: Shape, draw: Draw = between(-1.5, 1.5)): OperandCase => ({
  dtype: 'float32',
  shape,
  draw,
});
export const int = (shape: Shape, draw: Draw): OperandCase => ({ dtype: 'int32', shape, draw });
export const bool = (shape: Shape): OperandCase => ({ dtype: 'bool', shape, draw: below(2) });

export function use<A>(
  name: string,
  operands: readonly OperandCase[],
  attributes: A,
  sizes: readonly Sizes[] = standardSizes,
): Application<A> {
  return { name, operands, attributes, sizes };
}
