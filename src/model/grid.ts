import { at, ops, sizeOf, type Tensor } from '../graph/index.js';
import { linear, normal, normalise, ones, uniform, zeros, type Scope } from '../nn/index.js';
import type { WordPairConfig } from './config.js';

/** Epsilon of the conditional layer normalisation, inside the root. */
const CLN_EPSILON = 1e-12;
const DISTANCES = 20;
/** Windows never hold more words than this; |j - i| of any cell is below it. */
export const MAX_WORDS = 1024;

/** Index in the distance table of the signed distance s = j - i: 19 at 0, else powers of two (above: 1-9, below: 10-18). */
export function distanceBucket(s: number): number {
  if (s === 0) return 19;
  const bucket = Math.min(9, Math.floor(Math.log2(Math.abs(s))) + 1);
  return s > 0 ? bucket : bucket + 9;
}

/** 0: the upper triangle (j > i); 1: the lower one and the diagonal. */
export function regionOf(s: number): number {
  return s > 0 ? 0 : 1;
}

/** Rows of the region table for each distance bucket: the sign of the distance decides the region. */
const regionOfBucket = Int32Array.from({ length: DISTANCES }, (_, bucket) => (bucket >= 1 && bucket <= 9 ? 0 : 1));

/** One-hot distance buckets of all cells [N * N, 20]: a product with it looks a table up, and adds up its gradient. */
function distanceIndicators(words: Tensor): Tensor {
  const length = at(words.shape, 1);
  const position = ops.range(words, 1);
  const difference = ops.sub(ops.reshape(position, [1, length]), ops.reshape(position, [length, 1]));
  const table = Int32Array.from({ length: 2 * MAX_WORDS - 1 }, (_, k) => distanceBucket(k - MAX_WORDS + 1));
  const shifted = ops.add(difference, ops.constant(Int32Array.of(MAX_WORDS - 1), []));
  const buckets = ops.gather(ops.constant(table, [table.length]), shifted);
  const numbers = ops.constant(
    Int32Array.from({ length: DISTANCES }, (_, k) => k),
    [DISTANCES],
  );
  const hot = ops.equal(ops.reshape(buckets, [sizeOf([length, length]), 1]), numbers);
  return ops.cast(hot, 'float32');
}

/**
 * The convolution layer of the paper over the grid of word pairs, W_ij = gamma(h_i) norm(h_j) + lambda(h_i) with
 * distance and region embeddings, channel dropout, and a 1x1 convolution with GELU.
 *
 * The concatenation [W_ij; distance; region] is never built: the convolution splits into one product over
 * gamma(h_i) norm(h_j), a term for each row i from lambda(h_i), and a table over the 20 distances [20, C] that is
 * looked up for each cell; the sign of the distance decides the region, so the region table is part of it. Channel dropout is one mask for each sentence, so it scales
 * norm(h), lambda(h) and the tables before there is a grid.
 *
 * @param h [B, N, D]
 * @returns [B, N, N, C]
 */
export function gridFeatures(scope: Scope, config: WordPairConfig, h: Tensor): Tensor {
  const { distance, region, channels, lstm: width } = config;
  const [batch, length] = [at(h.shape, 0), at(h.shape, 1)];
  const parts = conditionalNormalisation(scope, h, width);
  const { gamma } = parts;
  let { normalised, lambda: rowBias } = parts;
  let distances = ops.reshape(scope.parameter('distance.weight', [DISTANCES, distance], normal(1)), [
    1,
    DISTANCES,
    distance,
  ]);
  let regions = ops.reshape(scope.parameter('region.weight', [2, region], normal(1)), [1, 2, region]);
  const mask = scope.mask(config.gridDropout, [batch, width + distance + region]);
  if (mask !== undefined) {
    const masks = ops.split(mask, 1, [width, distance, region]);
    const [ofWords, ofDistances, ofRegions] = masks.map((part) => ops.reshape(part, [batch, 1, at(part.shape, 1)])) as [
      Tensor,
      Tensor,
      Tensor,
    ];
    normalised = ops.mul(normalised, ofWords);
    rowBias = ops.mul(rowBias, ofWords);
    distances = ops.mul(distances, ofDistances);
    regions = ops.mul(regions, ofRegions);
  }

  const inputs = width + distance + region;
  const weight = scope.parameter('convolution.pointwise.weight', [channels, inputs], uniform(1 / Math.sqrt(inputs)));
  const bias = scope.parameter('convolution.pointwise.bias', [channels], uniform(1 / Math.sqrt(inputs)), {
    decay: false,
  });
  const [overWords, overDistances, overRegions] = ops.split(weight, 1, [width, distance, region]) as [
    Tensor,
    Tensor,
    Tensor,
  ];

  const products = ops.mul(
    ops.reshape(gamma, [batch, length, 1, width]),
    ops.reshape(normalised, [batch, 1, length, width]),
  );
  const cells = ops.linear(products, overWords, bias);

  const regionTable = ops.matmul(regions, overRegions, { transposeB: true });
  const regionRows = ops.transpose(
    ops.gather(ops.transpose(regionTable, [1, 0, 2]), ops.constant(regionOfBucket, [DISTANCES])),
    [1, 0, 2],
  );
  const table = ops.add(ops.matmul(distances, overDistances, { transposeB: true }), regionRows);
  const rowTerm = ops.matmul(rowBias, overWords, { transposeB: true });
  const offsets = ops.matmul(distanceIndicators(h), table);
  const rows = ops.reshape(rowTerm, [batch, length, 1, channels]);
  return ops.gelu(ops.add(ops.add(cells, ops.reshape(offsets, [at(table.shape, 0), length, length, channels])), rows));
}

/** What the conditional layer normalisation of a cell (i, j), gamma(h_i) norm(h_j) + lambda(h_i), is made of; [B, N, D]. */
export interface ConditionalNormalisation {
  readonly gamma: Tensor;
  readonly lambda: Tensor;
  /** (h - mean) / sqrt(var + epsilon) */
  readonly normalised: Tensor;
}

/** The parts of the conditional layer normalisation of h [B, N, D]; the cells are never built of all of them. */
export function conditionalNormalisation(scope: Scope, h: Tensor, width: number): ConditionalNormalisation {
  const gamma = clnProjection(scope, 'cln.gamma', h, width, 1);
  const lambda = clnProjection(scope, 'cln.lambda', h, width, 0);
  return { gamma, lambda, normalised: normalise(h, CLN_EPSILON) };
}

/** W h + b, which starts as the constant `start` for every h. */
function clnProjection(scope: Scope, name: string, h: Tensor, width: number, start: number): Tensor {
  const weight = scope.parameter(`${name}.weight`, [width, width], zeros);
  const bias = scope.parameter(`${name}.bias`, [width], start === 1 ? ones : zeros, { decay: false });
  return ops.linear(h, weight, bias);
}

/**
 * Scores of every cell of the grid: grid features, the dilated depthwise convolution ("SDConv") with GELU over the
 * cells inside the sentence, and the MLP.
 *
 * @param cellMask 1 at cells inside the sentence, 0 at padding, [B, N, N, 1]
 * @param classifier the last linear layer
 * @returns logits [B, N, N, classes]
 */
export function gridLogits(
  scope: Scope,
  config: WordPairConfig,
  h: Tensor,
  cellMask: Tensor,
  classifier: (features: Tensor) => Tensor,
): Tensor {
  const { channels, mlp } = config;
  const features = ops.mul(gridFeatures(scope, config, h), cellMask);
  const initialiser = uniform(1 / 3);
  const filters = scope.parameter('convolution.depthwise.weight', [channels, 1, 3, 3], initialiser);
  const bias = scope.parameter('convolution.depthwise.bias', [channels], initialiser, { decay: false });
  const image = ops.transpose(features, [0, 3, 1, 2]);
  const convolved = ops.gelu(ops.depthwiseConv(image, filters, bias, config.dilation));
  const cells = ops.transpose(convolved, [0, 2, 3, 1]);
  const inner = ops.gelu(linear(scope, 'mlp', cells, mlp));
  return classifier(scope.dropout(inner, config.mlpDropout));
}
