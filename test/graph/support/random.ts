/** Draws numbers in [0, 1); the same seed gives the same numbers. */
export type Random = () => number;

export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let x = state;
    x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
    x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
    return ((x ^ (x >>> 15)) >>> 0) / 2 ** 32;
  };
}

/** Makes `count` values of an operand; `sizes` are the symbolic sizes of the run. */
export type Draw = (count: number, random: Random, sizes: ReadonlyMap<string, number>) => number[];

export const between =
  (low: number, high: number): Draw =>
  (count, random) =>
    Array.from({ length: count }, () => low + (high - low) * random());

/** Values of either sign at least 0.2 from zero: away from the kinks of abs and relu. */
export const awayFromZero: Draw = (count, random) =>
  between(0.2, 2)(count, random, new Map()).map((x) => (random() < 0.5 ? x : -x));

function shuffled<T>(items: T[], random: Random): T[] {
  for (let k = items.length - 1; k > 0; k--) {
    const other = Math.floor(random() * (k + 1));
    [items[k], items[other]] = [items[other] as T, items[k] as T];
  }
  return items;
}

/** Values of which no two are closer than 0.1, moved by `offset`: away from the kinks of maxima. */
export const distinct =
  (offset = 0): Draw =>
  (count, random) =>
    shuffled(
      Array.from({ length: count }, (_, k) => (k - count / 2) * 0.1 + offset),
      random,
    );

/** Whole numbers in [0, limit), the limit a number or the name of a symbolic size. */
export const below =
  (limit: number | string): Draw =>
  (count, random, sizes) =>
    Array.from({ length: count }, () => Math.floor(random() * resolve(limit, sizes)));

/** Whole numbers in [0, limit) of which none repeats. */
export const unrepeated =
  (limit: number | string): Draw =>
  (count, random, sizes) =>
    shuffled(
      Array.from({ length: resolve(limit, sizes) }, (_, k) => k),
      random,
    ).slice(0, count);

/** Lengths in [1, limit], the first of them the limit. */
export const lengths =
  (limit: number | string): Draw =>
  (count, random, sizes) =>
    below(limit)(count, random, sizes).map((x, k) => (k === 0 ? resolve(limit, sizes) : x + 1));

export const given =
  (...values: number[]): Draw =>
  (count) =>
    Array.from({ length: count }, (_, k) => values[k % values.length] ?? 0);

function resolve(limit: number | string, sizes: ReadonlyMap<string, number>): number {
  return typeof limit === 'number' ? limit : (sizes.get(limit) ?? 0);
}
