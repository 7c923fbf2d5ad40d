/**
 * WebAssembly expressions and statements as typed values: the instructions that the training kernels need, under the
 * names of the specification (WebAssembly 2.0, fixed-width SIMD). An expression carries the type of the value it
 * leaves on the stack, so a kernel that mixes types does not compile as TypeScript.
 */
export type ValueType = 'i32' | 'f32' | 'f64' | 'v128';

/** Instructions that leave one value of type `T`. */
export interface Expression<T extends ValueType> {
  readonly type: T;
  readonly code: readonly number[];
}

/** Instructions that leave nothing. */
export interface Statement {
  readonly code: readonly number[];
}

/** A parameter or local: itself an expression (its value), and assignable. */
export interface Variable<T extends ValueType> extends Expression<T> {
  readonly set: (value: Expression<T>) => Statement;
}

export type I32 = Expression<'i32'>;
export type F32 = Expression<'f32'>;
export type F64 = Expression<'f64'>;
export type V128 = Expression<'v128'>;

const SIMD_PREFIX = 0xfd;
const VOID_BLOCK = 0x40;

/** Unsigned LEB128. */
export function unsignedLeb(value: number): number[] {
  const bytes: number[] = [];
  let rest = value >>> 0;
  do {
    const low = rest & 0x7f;
    rest >>>= 7;
    bytes.push(rest === 0 ? low : low | 0x80);
  } while (rest !== 0);
  return bytes;
}

function signedLeb(value: number): number[] {
  const bytes: number[] = [];
  let rest = value | 0;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    const last = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0);
    bytes.push(last ? low : low | 0x80);
    if (last) return bytes;
  }
}

const expression = <T extends ValueType>(type: T, ...code: number[]): Expression<T> => ({ type, code });

export function variable<T extends ValueType>(type: T, index: number): Variable<T> {
  return {
    type,
    code: [0x20, ...unsignedLeb(index)],
    set: (value) => ({ code: [...value.code, 0x21, ...unsignedLeb(index)] }),
  };
}

const unary =
  <A extends ValueType, R extends ValueType>(result: R, ...opcode: number[]) =>
  (a: Expression<A>): Expression<R> =>
    expression(result, ...a.code, ...opcode);

const binary =
  <A extends ValueType, B extends ValueType, R extends ValueType>(result: R, ...opcode: number[]) =>
  (a: Expression<A>, b: Expression<B>): Expression<R> =>
    expression(result, ...a.code, ...b.code, ...opcode);

const simd = (opcode: number): number[] => [SIMD_PREFIX, ...unsignedLeb(opcode)];
const simdUnary = (opcode: number) => unary<'v128', 'v128'>('v128', ...simd(opcode));
const simdBinary = (opcode: number) => binary<'v128', 'v128', 'v128'>('v128', ...simd(opcode));

export const i32 = {
  const: (value: number): I32 => expression('i32', 0x41, ...signedLeb(value)),
  add: binary<'i32', 'i32', 'i32'>('i32', 0x6a),
  lessThanUnsigned: binary<'i32', 'i32', 'i32'>('i32', 0x49),
};

export const f64 = { add: binary<'f64', 'f64', 'f64'>('f64', 0xa0) };

export const v128 = {
  /** Sixteen bytes at `address + offset`. */
  load: (address: I32, offset = 0): V128 =>
    expression('v128', ...address.code, ...simd(0x00), 4, ...unsignedLeb(offset)),
  store: (address: I32, value: V128, offset = 0): Statement => ({
    code: [...address.code, ...value.code, ...simd(0x0b), 4, ...unsignedLeb(offset)],
  }),
  and: simdBinary(0x4e),
  xor: simdBinary(0x51),
};

export const i8x16 = {
  const: (bytes: readonly number[]): V128 => expression('v128', ...simd(0x0c), ...bytes),
  narrowSigned: simdBinary(0x65),
};

export const i16x8 = { narrowSigned: simdBinary(0x85) };

export const i32x4 = {
  splat: unary<'i32', 'v128'>('v128', ...simd(0x11)),
  const: (a: number, b: number, c: number, d: number): V128 =>
    i8x16.const([a, b, c, d].flatMap((lane) => [lane & 255, (lane >>> 8) & 255, (lane >>> 16) & 255, lane >>> 24])),
  add: simdBinary(0xae),
  lessThanSigned: simdBinary(0x39),
  shiftRightUnsigned: binary<'v128', 'i32', 'v128'>('v128', ...simd(0xad)),
  /** Picks four of the eight 32-bit lanes of `a` (0 to 3) and `b` (4 to 7). */
  shuffle: (a: V128, b: V128, lanes: readonly [number, number, number, number]): V128 =>
    expression(
      'v128',
      ...a.code,
      ...b.code,
      ...simd(0x0d),
      ...lanes.flatMap((lane) => [4 * lane, 4 * lane + 1, 4 * lane + 2, 4 * lane + 3]),
    ),
};

export const i64x2 = {
  /** 32 x 32 -> 64 bit products of lanes 0 and 1. */
  multiplyLowUnsigned: simdBinary(0xde),
  /** 32 x 32 -> 64 bit products of lanes 2 and 3. */
  multiplyHighUnsigned: simdBinary(0xdf),
};

export const f32x4 = {
  splat: unary<'f32', 'v128'>('v128', ...simd(0x13)),
  add: simdBinary(0xe4),
  sub: simdBinary(0xe5),
  mul: simdBinary(0xe6),
  div: simdBinary(0xe7),
  sqrt: simdUnary(0xe3),
  abs: simdUnary(0xe0),
  greaterThan: simdBinary(0x44),
};

export const f64x2 = {
  const0: (): V128 => i32x4.const(0, 0, 0, 0),
  add: simdBinary(0xf0),
  mul: simdBinary(0xf2),
  /** Lanes 0 and 1 of a f32x4 as doubles. */
  promoteLow: simdUnary(0x5f),
  extractLane: (a: V128, lane: 0 | 1): F64 => expression('f64', ...a.code, ...simd(0x21), lane),
};

/** Runs `body` with `pointer` going from its value up to `end` (exclusive, unsigned) in steps of `step` bytes. */
export function forPointer(pointer: Variable<'i32'>, end: I32, step: number, body: readonly Statement[]): Statement {
  const inRange = i32.lessThanUnsigned(pointer, end);
  return {
    code: [
      ...inRange.code,
      ...[0x04, VOID_BLOCK, 0x03, VOID_BLOCK],
      ...body.flatMap((statement) => [...statement.code]),
      ...pointer.set(i32.add(pointer, i32.const(step))).code,
      ...inRange.code,
      ...[0x0d, 0x00, 0x0b, 0x0b],
    ],
  };
}

/** `variable += bytes`, for pointers that advance together with a loop's own. */
export function advance(pointer: Variable<'i32'>, bytes: number): Statement {
  return pointer.set(i32.add(pointer, i32.const(bytes)));
}
