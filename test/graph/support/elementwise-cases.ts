import type { Shape } from '../../../src/graph/index.js';
import { b, bool, float, int, n, standardSizes, use, type Cases, type OperandCase, type SomeOf } from './case.js';
import { awayFromZero, below, between, distinct, given, type Draw } from './random.js';

const shapes: readonly [Shape, ...Shape[]] = [[], [3], [n, 3], [2, n, b]];

function unary(draw: Draw, wide: Draw = draw): SomeOf<'neg'> {
  return [
    use('scalar', [float([], draw)], {}),
    ...shapes.slice(1).map((shape) => use(`rank ${shape.length}`, [float(shape, draw)], {})),
    use('wide range', [float([40], wide)], {}),
  ];
}

const broadcasts: readonly [string, Shape, Shape][] = [
  ['equal shapes', [n, 3], [n, 3]],
  ['a scalar on the left', [], [n, 3]],
  ['a scalar on the right', [n, 3], []],
  ['a row', [b, n, 3], [3]],
  ['a column', [b, n, 3], [n, 1]],
  ['both ways', [b, 1, 3], [n, 1]],
  ['one against a symbol', [1, n], [b, n]],
];

function binary(left: (shape: Shape) => OperandCase, right: (shape: Shape) => OperandCase = left): SomeOf<'add'> {
  const [first, ...others] = broadcasts.map(([name, x, y]) => use(name, [left(x), right(y)], {}));
  return [first ?? use('none', [], {}), ...others];
}

type Kinds =
  | 'neg'
  | 'exp'
  | 'log'
  | 'sqrt'
  | 'reciprocal'
  | 'abs'
  | 'erf'
  | 'tanh'
  | 'sigmoid'
  | 'gelu'
  | 'relu'
  | 'stopGradient'
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'maximum'
  | 'cast'
  | 'equal'
  | 'less'
  | 'and'
  | 'where';

export const elementwiseCases: Pick<Cases, Kinds> = {
  neg: unary(between(-2, 2)),
  exp: unary(between(-2, 2), between(-8, 5)),
  log: unary(between(0.3, 4), between(0.01, 100)),
  sqrt: unary(between(0.3, 4), between(0.01, 100)),
  reciprocal: unary(awayFromZero, between(0.2, 20)),
  abs: unary(awayFromZero),
  erf: unary(between(-2, 2), between(-4, 4)),
  tanh: unary(between(-2, 2), between(-6, 6)),
  sigmoid: unary(between(-2, 2), between(-10, 10)),
  gelu: unary(between(-2, 2), between(-6, 6)),
  relu: unary(awayFromZero),
  stopGradient: unary(between(-2, 2)),

  add: binary(float),
  sub: binary(float),
  mul: binary(float),
  div: binary(float, (shape) => float(shape, awayFromZero)),
  maximum: binary(
    (shape) => float(shape, distinct()),
    (shape) => float(shape, distinct(0.03)),
  ),

  cast: [
    use('float32 to itself', [float([n, 3])], { to: 'float32' }),
    use('float32 to int32, towards zero', [float([n, 3], between(-4, 4))], { to: 'int32' }),
    use('int32 to float32', [int([n, b], below(9))], { to: 'float32' }),
    use('bool to float32', [bool([n, b])], { to: 'float32' }),
    use('int32 to bool', [int([n, 3], below(3))], { to: 'bool' }),
  ],
  equal: [
    use('int32, broadcast', [int([b, n], below(3)), int([n], below(3))], {}),
    use('float32', [float([n, 3], given(1, 2, 1.5)), float([3], given(1, 3, 1.5))], {}),
    use('bool', [bool([n, 3]), bool([n, 1])], {}),
  ],
  less: [
    use('int32, broadcast', [int([n, 1], below(4)), int([1, n], below(4))], {}),
    use('float32', [float([b, n], given(0, 1, 2)), float([n], given(1))], {}),
  ],
  and: [use('broadcast', [bool([b, n]), bool([b, 1])], {}), use('scalar', [bool([]), bool([n])], {})],
  where: [
    use('equal shapes', [bool([n, 3]), float([n, 3]), float([n, 3])], {}),
    use('a mask by column', [bool([n, 1]), float([n, 3]), float([])], {}),
    use('a value by row', [bool([b, n, 3]), float([3]), float([n, 1])], {}),
    use('a mask that broadcasts the values', [bool([b, n]), float([n]), float([b, 1])], {}),
    use('int32', [bool([n]), int([n], below(9)), int([], below(9))], {}, standardSizes),
  ],
};
