/** `items[k]`, where a missing one is an error of the caller (a primitive applied to too few operands). */
export function operand<T>(items: readonly T[], k: number): T {
  const item = items[k];
  if (item === undefined) throw new RangeError(`expected at least ${k + 1} operands, found ${items.length}`);
  return item;
}
