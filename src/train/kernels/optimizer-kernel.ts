import { type V128, advance, f32x4, f64, f64x2, forPointer, i32x4, v128 } from '../wasm/expression.js';
import { instantiate, wasmFunction } from '../wasm/module.js';

/**
 * The passes over parameter memory that training makes, as SIMD loops. Every argument named `...Pointer` is a byte
 * address; lengths are whole numbers of 16 bytes, so regions are padded to four floats.
 */
export interface OptimizerKernels {
  /**
   * One AdamW update of the floats from `value` to `valueEnd`, with g = gradientScale x gradient:
   *
   *     m <- m + (1 - beta1) (g - m)
   *     v <- beta2 v + (1 - beta2) g^2
   *     value <- retain x value - rate x m / (sqrt(v) x rootCorrection + epsilon)
   *
   * where retain = 1 - learningRate x weightDecay, rate = learningRate / (1 - beta1^t) and
   * rootCorrection = 1 / sqrt(1 - beta2^t). Moments smaller than 1e-30 become 0: denormal numbers are slow.
   */
  readonly adamw: (
    value: number,
    valueEnd: number,
    gradient: number,
    firstMoment: number,
    secondMoment: number,
    gradientScale: number,
    oneMinusBeta1: number,
    beta2: number,
    oneMinusBeta2: number,
    retain: number,
    rate: number,
    rootCorrection: number,
    epsilon: number,
  ) => void;
  /** The sum of squares of the floats from `pointer` to `end` (whole 32 bytes), in float64 and in a fixed order. */
  readonly sumOfSquares: (pointer: number, end: number) => number;
  /** target <- weight x source. */
  readonly scale: (target: number, targetEnd: number, source: number, weight: number) => void;
  /** target <- target + weight x source. */
  readonly addScaled: (target: number, targetEnd: number, source: number, weight: number) => void;
  /** target <- target + weight x (source - target): one step of a running or moving average. */
  readonly blend: (target: number, targetEnd: number, source: number, weight: number) => void;
}

const VECTOR_BYTES = 16;

const adamw = wasmFunction(
  'adamw',
  {
    value: 'i32',
    valueEnd: 'i32',
    gradient: 'i32',
    firstMoment: 'i32',
    secondMoment: 'i32',
    gradientScale: 'f32',
    oneMinusBeta1: 'f32',
    beta2: 'f32',
    oneMinusBeta2: 'f32',
    retain: 'f32',
    rate: 'f32',
    rootCorrection: 'f32',
    epsilon: 'f32',
  },
  ({ parameters: p, local }) => {
    const { add, sub, mul, div, sqrt, abs, greaterThan, splat } = f32x4;
    const g = local('v128');
    const m = local('v128');
    const v = local('v128');
    const tiny = i32x4.const(...splatBits(1e-30));
    const withoutDenormals = (x: V128, magnitude: V128): V128 => v128.and(x, greaterThan(magnitude, tiny));
    return {
      statements: [
        forPointer(p.value, p.valueEnd, VECTOR_BYTES, [
          g.set(mul(v128.load(p.gradient), splat(p.gradientScale))),
          m.set(v128.load(p.firstMoment)),
          m.set(add(m, mul(sub(g, m), splat(p.oneMinusBeta1)))),
          m.set(withoutDenormals(m, abs(m))),
          v.set(mul(v128.load(p.secondMoment), splat(p.beta2))),
          v.set(add(v, mul(mul(g, g), splat(p.oneMinusBeta2)))),
          v.set(withoutDenormals(v, v)),
          v128.store(p.firstMoment, m),
          v128.store(p.secondMoment, v),
          v128.store(
            p.value,
            sub(
              mul(v128.load(p.value), splat(p.retain)),
              div(mul(m, splat(p.rate)), add(mul(sqrt(v), splat(p.rootCorrection)), splat(p.epsilon))),
            ),
          ),
          advance(p.gradient, VECTOR_BYTES),
          advance(p.firstMoment, VECTOR_BYTES),
          advance(p.secondMoment, VECTOR_BYTES),
        ]),
      ],
    };
  },
);

const sumOfSquares = wasmFunction('sumOfSquares', { pointer: 'i32', end: 'i32' }, ({ parameters: p, local }) => {
  const four = local('v128');
  const half = local('v128');
  const sums = [local('v128'), local('v128'), local('v128'), local('v128')] as const;
  const squares = [0, 1].flatMap((k) => [
    four.set(v128.load(p.pointer, VECTOR_BYTES * k)),
    half.set(f64x2.promoteLow(four)),
    ...addSquare(2 * k),
    half.set(f64x2.promoteLow(i32x4.shuffle(four, four, [2, 3, 2, 3]))),
    ...addSquare(2 * k + 1),
  ]);
  function addSquare(k: number) {
    return sums.flatMap((sum, index) => (index === k ? [sum.set(f64x2.add(sum, f64x2.mul(half, half)))] : []));
  }
  const total = f64x2.add(f64x2.add(sums[0], sums[1]), f64x2.add(sums[2], sums[3]));
  return {
    statements: [forPointer(p.pointer, p.end, 2 * VECTOR_BYTES, squares), sums[0].set(total)],
    result: f64.add(f64x2.extractLane(sums[0], 0), f64x2.extractLane(sums[0], 1)),
  };
});

/** A loop that replaces each vector of `target` by a function of it, of `source`, and of a scalar weight. */
function combine(name: string, rule: (target: V128, source: V128, weight: V128) => V128) {
  const signature = { target: 'i32', targetEnd: 'i32', source: 'i32', weight: 'f32' } as const;
  return wasmFunction(name, signature, ({ parameters: p }) => ({
    statements: [
      forPointer(p.target, p.targetEnd, VECTOR_BYTES, [
        v128.store(p.target, rule(v128.load(p.target), v128.load(p.source), f32x4.splat(p.weight))),
        advance(p.source, VECTOR_BYTES),
      ]),
    ],
  }));
}

const { add, sub, mul } = f32x4;
const scale = combine('scale', (_target, source, weight) => mul(source, weight));
const addScaled = combine('addScaled', (target, source, weight) => add(target, mul(source, weight)));
const blend = combine('blend', (target, source, weight) => add(target, mul(sub(source, target), weight)));

function splatBits(value: number): [number, number, number, number] {
  const [bits = 0] = new Int32Array(Float32Array.of(value).buffer);
  return [bits, bits, bits, bits];
}

export function optimizerKernels(memory: WebAssembly.Memory): OptimizerKernels {
  return instantiate<OptimizerKernels>([adamw, sumOfSquares, scale, addScaled, blend], memory);
}
