import { describe, expect, test } from 'vitest';
import { evaluateDim, gradient, ops, type Tensor } from '../../src/graph/index.js';
import { topologicalOrder } from '../../src/graph/gradient.js';
import { simplify } from '../../src/graph/simplify.js';
import { sizes } from '../../src/model/inputs.js';
import { buildModel, type ModelGraph } from '../../src/model/index.js';
import { tinyWordPair } from './support/tiny.js';

/** The grid of the paper: 512 channels of words, 20 of distances and 20 of regions. */
const config = tinyWordPair({ lstm: 512, distance: 20, region: 20, channels: 128, mlp: 384 });
const CHANNELS = 552;

/** A batch whose cells are more than anything else there is of 552 channels, such as the 128 filters of a convolution. */
const batch = new Map(
  Object.entries({ windows: 3, pieces: 61, sentences: 3, words: 31, rows: 89, letters: 5 } satisfies Record<keyof typeof sizes, number>), // prettier-ignore
);
const CELLS = 3 * 31 * 31;

/** Sizes of all tensors that the lowered graph of some outputs computes. */
function shapesOf(outputs: readonly Tensor[]): number[][] {
  return topologicalOrder(simplify(outputs)).flatMap((op) =>
    op.outputs.map(({ shape }) => shape.map((dim) => evaluateDim(dim, batch))),
  );
}

/** Those that have as many channels over the cells of the grid, of a batch or of one sentence. */
function overCells(shapes: readonly number[][], channels: number): number[][] {
  return shapes.filter((shape) => {
    const rows = shape.reduce((product, size) => product * size, 1) / channels;
    return shape.includes(channels) && (rows === CELLS || rows === CELLS / 3);
  });
}

const inferenceOutputs = (model: ModelGraph): Tensor[] => [model.probabilities, ...model.maps];
const trainingOutputs = ({ losses, scope }: ModelGraph): Tensor[] => [
  losses.total,
  ...gradient(
    losses.total,
    scope.parameters.map(({ tensor }) => tensor),
  ),
];

const graphs: readonly (readonly [string, () => Tensor[]])[] = [
  ['inference', () => inferenceOutputs(buildModel(config, false))],
  ['training', () => trainingOutputs(buildModel(config, true))],
];

describe('the concatenation of words, distances and regions', () => {
  test.each(graphs)('is nowhere in the graph of %s', (_, outputs) => {
    const shapes = shapesOf(outputs());
    for (const channels of [CHANNELS, 512 + 20, 20 + 20]) expect(overCells(shapes, channels)).toEqual([]);
    // Nor are the embeddings at every cell; what is there is the product of gamma and the normalised words.
    expect(overCells(shapes, 20).filter((shape) => shape[0] !== 31 * 31)).toEqual([]);
    expect(overCells(shapes, 512)).toContainEqual([3, 31, 31, 512]);
  });

  test('would be seen', () => {
    const part = (channels: number): Tensor =>
      ops.input(`part ${channels}`, 'float32', [sizes.sentences, sizes.words, sizes.words, channels]);
    const whole = ops.concat([part(512), part(40)], 3);
    expect(overCells(shapesOf([whole]), CHANNELS)).toEqual([[3, 31, 31, CHANNELS]]);
  });
});
