import {
  type Statement,
  type V128,
  type Variable,
  advance,
  f32x4,
  forPointer,
  i16x8,
  i32,
  i32x4,
  i64x2,
  i8x16,
  v128,
} from '../wasm/expression.js';
import { type Scope, instantiate, wasmFunction } from '../wasm/module.js';

/** Multipliers and key increments of Philox4x32 (Salmon et al., SC 2011, table 2). */
export const PHILOX_M0 = 0xd2511f53;
export const PHILOX_M1 = 0xcd9e8d57;
export const PHILOX_W0 = 0x9e3779b9;
export const PHILOX_W1 = 0xbb67ae85;
export const PHILOX_ROUNDS = 10;

/** Decisions that one iteration of a mask kernel makes: 4 blocks x 4 words x 2 halves. */
export const MASK_GROUP = 32;

const signature = {
  pointer: 'i32',
  end: 'i32',
  block: 'i32',
  counter1: 'i32',
  counter2: 'i32',
  counter3: 'i32',
  key0: 'i32',
  key1: 'i32',
  threshold: 'i32',
  scale: 'f32',
} as const;

type MaskArguments = [
  pointer: number,
  end: number,
  block: number,
  counter1: number,
  counter2: number,
  counter3: number,
  key0: number,
  key1: number,
  threshold: number,
  scale: number,
];

/** Each writes whole groups of `MASK_GROUP` decisions from byte `pointer` to byte `end`; `block` is the first counter. */
export interface MaskKernels {
  /** Float32: `scale` where the 16-bit half is below `threshold`, else 0. */
  readonly maskFloats: (...args: MaskArguments) => void;
  /** Uint8: 1 where the 16-bit half is below `threshold`, else 0. */
  readonly maskBytes: (...args: MaskArguments) => void;
}

/** Four Philox blocks at once, one per 32-bit lane; `words` holds the counters and becomes the random words. */
function philoxRounds(words: readonly Variable<'v128'>[], scope: Scope<typeof signature>): Statement[] {
  const [x0, x1, x2, x3] = words as [Variable<'v128'>, Variable<'v128'>, Variable<'v128'>, Variable<'v128'>];
  const { local, parameters } = scope;
  const splat = (value: number): V128 => i32x4.const(value, value, value, value);
  const key0 = local('v128');
  const key1 = local('v128');
  const products = [local('v128'), local('v128'), local('v128'), local('v128')] as const;
  const low = (a: V128, b: V128): V128 => i32x4.shuffle(a, b, [0, 2, 4, 6]);
  const high = (a: V128, b: V128): V128 => i32x4.shuffle(a, b, [1, 3, 5, 7]);
  const round: Statement[] = [
    products[0].set(i64x2.multiplyLowUnsigned(x0, splat(PHILOX_M0))),
    products[1].set(i64x2.multiplyHighUnsigned(x0, splat(PHILOX_M0))),
    products[2].set(i64x2.multiplyLowUnsigned(x2, splat(PHILOX_M1))),
    products[3].set(i64x2.multiplyHighUnsigned(x2, splat(PHILOX_M1))),
    x0.set(v128.xor(v128.xor(high(products[2], products[3]), x1), key0)),
    x1.set(low(products[2], products[3])),
    x2.set(v128.xor(v128.xor(high(products[0], products[1]), x3), key1)),
    x3.set(low(products[0], products[1])),
  ];
  const bumpKeys: Statement[] = [
    key0.set(i32x4.add(key0, splat(PHILOX_W0))),
    key1.set(i32x4.add(key1, splat(PHILOX_W1))),
  ];
  return [
    key0.set(i32x4.splat(parameters.key0)),
    key1.set(i32x4.splat(parameters.key1)),
    ...Array.from({ length: PHILOX_ROUNDS }, (_, k) => (k === 0 ? round : [...bumpKeys, ...round])).flat(),
  ];
}

/** A mask kernel: per group, four words of four blocks give eight vectors of four 16-bit halves, handed to `write`. */
function maskKernel(
  name: string,
  bytesPerDecision: number,
  write: (scope: Scope<typeof signature>, kept: readonly V128[]) => Statement[],
) {
  return wasmFunction(name, signature, (scope) => {
    const { parameters, local } = scope;
    const words = [local('v128'), local('v128'), local('v128'), local('v128')] as const;
    const threshold = i32x4.splat(parameters.threshold);
    const kept = words.flatMap((word) => [
      i32x4.lessThanSigned(v128.and(word, i32x4.const(0xffff, 0xffff, 0xffff, 0xffff)), threshold),
      i32x4.lessThanSigned(i32x4.shiftRightUnsigned(word, i32.const(16)), threshold),
    ]);
    return {
      statements: [
        forPointer(parameters.pointer, parameters.end, MASK_GROUP * bytesPerDecision, [
          words[0].set(i32x4.add(i32x4.splat(parameters.block), i32x4.const(0, 1, 2, 3))),
          words[1].set(i32x4.splat(parameters.counter1)),
          words[2].set(i32x4.splat(parameters.counter2)),
          words[3].set(i32x4.splat(parameters.counter3)),
          ...philoxRounds(words, scope),
          ...write(scope, kept),
          advance(parameters.block, 4),
        ]),
      ],
    };
  });
}

const maskFloats = maskKernel('maskFloats', 4, ({ parameters }, kept) =>
  kept.map((lanes, k) => v128.store(parameters.pointer, v128.and(lanes, f32x4.splat(parameters.scale)), 16 * k)),
);

const maskBytes = maskKernel('maskBytes', 1, ({ parameters }, kept) => {
  const one = i8x16.const(new Array<number>(16).fill(1));
  const narrowed = (from: number): V128 => {
    const [a, b, c, d] = kept.slice(from, from + 4) as [V128, V128, V128, V128];
    return v128.and(i8x16.narrowSigned(i16x8.narrowSigned(a, b), i16x8.narrowSigned(c, d)), one);
  };
  return [v128.store(parameters.pointer, narrowed(0)), v128.store(parameters.pointer, narrowed(4), 16)];
});

export function maskKernels(memory: WebAssembly.Memory): MaskKernels {
  return instantiate<MaskKernels>([maskFloats, maskBytes], memory);
}
