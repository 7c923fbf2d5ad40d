import { multiplyDims, type Shape } from '../../../src/graph/index.js';
import { b, float, int, n, standardSizes, use, type Cases, type OperandCase } from './case.js';
import { between, given, lengths } from './random.js';

type Kinds =
  | 'matmul'
  | 'linear'
  | 'softmax'
  | 'logSoftmax'
  | 'layerNorm'
  | 'lstm'
  | 'lstmCells'
  | 'lstmBackward'
  | 'logScan'
  | 'logScanBackward'
  | 'depthwiseConv'
  | 'depthwiseConvWeights'
  | 'flipFilters';

const neither = { transposeA: false, transposeB: false };
const left = { transposeA: true, transposeB: false };
const right = { transposeA: false, transposeB: true };
const both = { transposeA: true, transposeB: true };

function lstmOperands(
  inputs: number,
  hidden: number,
  lengthOperand: OperandCase = int([b], lengths('n')),
): OperandCase[] {
  return [
    float([n, b, inputs]),
    float([4 * hidden, inputs]),
    float([4 * hidden, hidden]),
    float([4 * hidden]),
    float([4 * hidden]),
    lengthOperand,
  ];
}

function backwardOperands(hidden: number): OperandCase[] {
  const states: Shape = [n, b, hidden];
  return [
    float(states),
    float(states),
    float(states, between(0, 1)),
    float([n, b, 4 * hidden]),
    float([4 * hidden, hidden], between(-0.5, 0.5)),
  ];
}

function image(channels: number): OperandCase {
  return float([b, channels, n, n]);
}

function filters(channels: number, kernel: number): OperandCase {
  return float([channels, 1, kernel, kernel]);
}

export const layerCases: Pick<Cases, Kinds> = {
  matmul: [
    use('matrices', [float([n, 3]), float([3, 2])], neither),
    use('matrices, left transposed', [float([3, n]), float([3, 2])], left),
    use('matrices, right transposed', [float([n, 3]), float([b, 3])], right),
    use('matrices, both transposed', [float([3, n]), float([2, 3])], both),
    use('a symbolic inner axis', [float([3, n]), float([n, b])], neither),
    use('batches', [float([b, n, 3]), float([b, 3, 2])], neither),
    use('batches, left transposed', [float([b, 3, n]), float([b, 3, 2])], left),
    use('batches, right transposed', [float([b, 2, n, 3]), float([b, 2, n, 3])], right),
    use('batches, both transposed', [float([b, 3, n]), float([b, 2, 3])], both),
    use('one matrix for a batch', [float([b, n, 3]), float([3, 2])], neither),
    use('one matrix for a batch, transposed', [float([b, n, 3]), float([2, 3])], right),
    use('one matrix for a batch, left transposed', [float([b, 3, n]), float([3, 2])], left),
    use('one matrix for a batch, both transposed', [float([b, 3, n]), float([2, 3])], both),
    use('one left matrix for a batch', [float([2, 3]), float([b, 3, n])], neither),
    use('one left matrix for a batch, right transposed', [float([2, 3]), float([b, n, 3])], right),
    use('one left matrix for a batch, both transposed', [float([3, 2]), float([b, n, 3])], both),
    use('batch axes that broadcast', [float([b, 1, n, 3]), float([2, 3, 2])], neither),
    use('batch axes that broadcast, transposed', [float([1, n, 3]), float([b, 2, 3])], right),
  ],
  linear: [
    use('rows', [float([n, 3]), float([2, 3]), float([2])], {}),
    use('a batch of rows', [float([b, n, 3]), float([4, 3]), float([4])], {}),
    use('a grid', [float([b, n, n, 2]), float([3, 2]), float([3])], {}),
    use('one vector', [float([3]), float([2, 3]), float([2])], {}),
    use('one output', [float([n, 3]), float([1, 3]), float([1])], {}),
  ],

  softmax: [
    use('rows', [float([n, 4])], {}),
    use('a symbolic width', [float([b, 2, n, n])], {}),
    use('width 1', [float([n, 1])], {}),
    use('large values', [float([n, 3], given(90, 89, 91.5, -90, 2))], {}),
  ],
  logSoftmax: [
    use('rows', [float([n, 4])], {}),
    use('a symbolic width', [float([b, 2, n, n])], {}),
    use('width 1', [float([n, 1])], {}),
    use('large values', [float([n, 3], given(90, 89, 91.5, -90, 2))], {}),
  ],
  layerNorm: [
    use('rows', [float([n, 4]), float([4]), float([4])], { epsilon: 1e-5 }),
    use('a batch', [float([b, n, 6]), float([6]), float([6])], { epsilon: 1e-12 }),
    use('a large epsilon', [float([n, 5]), float([5]), float([5])], { epsilon: 0.5 }),
    use('far from zero', [float([n, 4], between(19, 21)), float([4]), float([4])], { epsilon: 1e-5 }),
  ],

  lstm: [
    use('forward', lstmOperands(3, 2), { reverse: false }),
    use('reverse', lstmOperands(3, 2), { reverse: true }),
    use('forward, wider than its input', lstmOperands(1, 4), { reverse: false }),
    use('reverse, wider than its input', lstmOperands(1, 4), { reverse: true }),
    use('forward, one word each', lstmOperands(2, 2, int([b], given(1))), { reverse: false }),
    use('reverse, one word each', lstmOperands(2, 2, int([b], given(1))), { reverse: true }),
  ],
  lstmCells: [
    use('forward', [float([n, b, 3], between(0, 1)), float([n, b, 3])], { reverse: false }),
    use('reverse', [float([n, b, 3], between(0, 1)), float([n, b, 3])], { reverse: true }),
  ],
  lstmBackward: [
    use('forward', backwardOperands(2), { reverse: false }),
    use('reverse', backwardOperands(3), { reverse: true }),
  ],

  logScan: [
    use('three states', [float([n, b, 3, 3])], {}),
    use('one state', [float([n, b, 1, 1])], {}),
    use('many chains, large weights', [float([n, multiplyDims(3, b), 2, 2], between(-30, 30))], {}),
    use('steps that are as good as forbidden', [float([n, b, 3, 3], given(0.5, -1e4, 1, -1e4, 0.2, 0.1, 2))], {}),
  ],
  logScanBackward: [
    use('three states', [float([n, b, 3]), float([n, b, 3, 3], between(0, 1))], {}),
    use('one state', [float([n, b, 1]), float([n, b, 1, 1], between(0, 1))], {}),
  ],

  depthwiseConv: [
    use('dilation 1', [image(2), filters(2, 3), float([2])], { dilation: 1 }),
    use('dilation 2', [image(3), filters(3, 3), float([3])], { dilation: 2 }),
    use('dilation 3, wider than the image', [image(2), filters(2, 3), float([2])], { dilation: 3 }),
    use('a 1x1 filter', [image(2), filters(2, 1), float([2])], { dilation: 1 }),
    use('a 5x5 filter', [image(2), filters(2, 5), float([2])], { dilation: 1 }),
    use('one channel, not square', [float([b, 1, n, 6]), filters(1, 3), float([1])], { dilation: 2 }),
    use('one image', [float([1, 2, multiplyDims(2, n), b]), filters(2, 3), float([2])], { dilation: 1 }),
  ],
  depthwiseConvWeights: [
    use('dilation 1', [image(2), image(2)], { kernel: 3, dilation: 1 }),
    use('dilation 2', [image(3), image(3)], { kernel: 3, dilation: 2 }),
    use('kernel 1', [image(2), image(2)], { kernel: 1, dilation: 1 }),
    use('kernel 5, not square', [float([b, 2, n, 6]), float([b, 2, n, 6])], { kernel: 5, dilation: 1 }),
  ],
  flipFilters: [
    use('3x3', [filters(2, 3)], {}),
    use('5x5', [filters(1, 5)], {}),
    use('1x1', [filters(3, 1)], {}, standardSizes.slice(0, 1)),
  ],
};
