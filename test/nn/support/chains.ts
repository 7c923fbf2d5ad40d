/** All label sequences of `words` words over `labels` labels. */
export function allPaths(words: number, labels: number): number[][] {
  return Array.from({ length: labels ** words }, (_, code) =>
    Array.from({ length: words }, (_, word) => Math.floor(code / labels ** word) % labels),
  );
}

/** Scores of one chain: emissions [words][labels], transitions [labels][labels] (row: the label before), ends. */
export interface ChainScores {
  readonly emissions: readonly (readonly number[])[];
  readonly start: readonly number[];
  readonly transitions: readonly (readonly number[])[];
  readonly end: readonly number[];
}

/** The score of one label sequence of a conditional random field. */
export function scoreOf({ emissions, start, transitions, end }: ChainScores, path: readonly number[]): number {
  return path.reduce(
    (sum, label, word) => {
      const before = path[word - 1];
      return (
        sum + (emissions[word]?.[label] ?? NaN) + (before === undefined ? 0 : (transitions[before]?.[label] ?? NaN))
      );
    },
    (start[path[0] ?? 0] ?? NaN) + (end[path.at(-1) ?? 0] ?? NaN),
  );
}

/** log sum exp. */
export function logSum(values: readonly number[]): number {
  const largest = Math.max(...values);
  return largest + Math.log(values.reduce((sum, x) => sum + Math.exp(x - largest), 0));
}
