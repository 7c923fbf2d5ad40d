import type { ParameterSpec } from '../nn/index.js';
import { normal, uniform } from './random.js';

/** First values of a parameter: a pure function of the seed and the parameter's place in the model. */
export function initialValues(spec: ParameterSpec, seed: number, stream: number): Float32Array {
  const { initialiser, shape } = spec;
  const size = shape.reduce((a, b) => a * b, 1);
  switch (initialiser.kind) {
    case 'constant':
      return new Float32Array(size).fill(initialiser.value);
    case 'pattern':
      return Float32Array.from({ length: size }, (_, k) => initialiser.values[k % initialiser.values.length] ?? 0);
    case 'normal':
      return normal(seed, stream, size).map((x) => x * initialiser.deviation);
    case 'uniform':
      return uniform(seed, stream, size).map((x) => (2 * x - 1) * initialiser.bound);
  }
}
