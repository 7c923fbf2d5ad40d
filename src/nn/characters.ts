import { at, ops, sizeOf, type Tensor } from '../graph/index.js';
import { linear } from './layers.js';
import { normal, type Scope } from './scope.js';

export interface CharacterConfig {
  /** Known characters, the padding character 0 among them. */
  readonly alphabet: number;
  readonly embedding: number;
  readonly filters: number;
}

/**
 * Features of each word's spelling, which an uncased encoder does not see: embeddings, a convolution of width 3, and
 * the maximum over the word's characters (Ma and Hovy 2016). Characters int32 [B, N, M] with 0 as padding give
 * [B, N, filters].
 */
export function characterFeatures(scope: Scope, characters: Tensor, config: CharacterConfig): Tensor {
  const { alphabet, embedding, filters } = config;
  const [batch, words, letters] = [at(characters.shape, 0), at(characters.shape, 1), at(characters.shape, 2)];
  const table = scope.parameter('characters.embedding.weight', [alphabet, embedding], normal(0.3), { decay: false });
  const rows = [sizeOf([batch, words]), letters] as const;
  const ids = ops.reshape(characters, rows);
  const present = ops.cast(ops.cast(ids, 'bool'), 'float32');
  const mask = ops.reshape(present, [...rows, 1]);
  const embedded = ops.mul(ops.gather(table, ids), mask);
  const padded = ops.pad(embedded, 1, 1, 1);
  const windows = ops.concat(
    [0, 1, 2].map((start) => ops.slice(padded, 1, start, letters)),
    2,
  );
  const responses = ops.mul(ops.relu(linear(scope, 'characters.convolution', windows, filters)), mask);
  return ops.reshape(ops.reduceMax(responses, 1), [batch, words, filters]);
}
