import { at, ops, sizeOf, type Tensor } from '../graph/index.js';
import { biLstm, linear } from './layers.js';
import { normal, type Scope } from './scope.js';

export interface CharacterConfig {
  readonly reader: 'convolution' | 'lstm';
  /** Known characters, the padding character 0 among them. */
  readonly alphabet: number;
  readonly embedding: number;
  readonly filters: number;
}

/** Embeddings of characters int32 [R, M], zero at padding [R, M, embedding], and 1 at characters [R, M, 1]. */
function embedded(scope: Scope, characters: Tensor, config: CharacterConfig): { values: Tensor; mask: Tensor } {
  const table = scope.parameter('characters.embedding.weight', [config.alphabet, config.embedding], normal(0.3), {
    decay: false,
  });
  const present = ops.cast(ops.cast(characters, 'bool'), 'float32');
  const mask = ops.reshape(present, [...characters.shape, 1]);
  return { values: ops.mul(ops.gather(table, characters), mask), mask };
}

/** A convolution of width 3, and the maximum over the word's characters (Ma and Hovy 2016): [R, filters]. */
function convolved(scope: Scope, { values, mask }: { values: Tensor; mask: Tensor }, filters: number): Tensor {
  const [rows, letters] = [at(values.shape, 0), at(values.shape, 1)];
  const padded = ops.pad(values, 1, 1, 1);
  const windows = ops.concat(
    [0, 1, 2].map((start) => ops.slice(padded, 1, start, letters)),
    2,
  );
  const responses = ops.mul(ops.relu(linear(scope, 'characters.convolution', windows, filters)), mask);
  return ops.reshape(ops.reduceMax(responses, 1), [rows, filters]);
}

/** The last states of a BiLSTM over the word's characters (Lample et al. 2016), 0 for padding: [R, filters]. */
function lastStates(scope: Scope, { values, mask }: { values: Tensor; mask: Tensor }, filters: number): Tensor {
  const [rows, letters] = [at(values.shape, 0), at(values.shape, 1)];
  const counts = ops.reshape(ops.reduceSum(mask, 1), [rows]);
  const lengths = ops.cast(ops.maximum(counts, 1), 'int32');
  const states = biLstm(scope, 'characters.lstm', values, lengths, filters / 2);
  const [forward, backward] = ops.split(states, 2, [filters / 2, filters / 2]) as [Tensor, Tensor];
  const following = ops.reshape(ops.add(ops.range(values, 1), ops.constant(Int32Array.of(1), [])), [1, letters]);
  const isLast = ops.cast(ops.equal(following, ops.reshape(lengths, [rows, 1])), 'float32');
  const ends = ops.concat(
    [ops.reduceSum(ops.mul(forward, ops.reshape(isLast, [rows, letters, 1])), 1), ops.slice(backward, 1, 0, 1)],
    2,
  );
  const isWord = ops.cast(ops.cast(counts, 'bool'), 'float32');
  return ops.mul(ops.reshape(ends, [rows, filters]), ops.reshape(isWord, [rows, 1]));
}

/**
 * Features of each word's spelling, which an uncased encoder does not see. Characters int32 [B, N, M] with 0 as padding
 * give [B, N, filters].
 */
export function characterFeatures(scope: Scope, characters: Tensor, config: CharacterConfig): Tensor {
  const [batch, words, letters] = [at(characters.shape, 0), at(characters.shape, 1), at(characters.shape, 2)];
  const ids = ops.reshape(characters, [sizeOf([batch, words]), letters]);
  const letterRows = embedded(scope, ids, config);
  const read = config.reader === 'lstm' ? lastStates : convolved;
  return ops.reshape(read(scope, letterRows, config.filters), [batch, words, config.filters]);
}
