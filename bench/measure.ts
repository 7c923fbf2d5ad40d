/** Timing of things that run for milliseconds: the median of several runs after a warm-up. */
import { setTimeout as pause } from 'node:timers/promises';

export interface Timing {
  readonly median: number;
  readonly minimum: number;
}

function summary(times: readonly number[]): Timing {
  const sorted = [...times].sort((a, b) => a - b);
  return { median: sorted[sorted.length >> 1] ?? 0, minimum: sorted[0] ?? 0 };
}

/** Milliseconds of one call. */
export async function measure(run: () => Promise<unknown>, runs: number, warmup = 3): Promise<Timing> {
  for (let k = 0; k < warmup; k++) await run();
  const times: number[] = [];
  for (let k = 0; k < runs; k++) {
    const start = performance.now();
    await run();
    times.push(performance.now() - start);
  }
  return summary(times);
}

/** Two things that were timed in turn. */
export interface PairTiming {
  readonly a: Timing;
  readonly b: Timing;
  /** Median of a / b over the pairs. */
  readonly ratio: number;
  /** 95 % interval of that median, between two of the pairs' ratios (order statistics). */
  readonly interval: readonly [number, number];
}

/**
 * Two things in turn, A A B B, B B A A, ..., so that a machine whose speed drifts treats both alike; of each two calls the
 * second counts. ONNX Runtime's threads go on spinning for some 50 ms after a call and would slow the other session down,
 * which has the processor to itself in use: hence the pause at each turn.
 */
export async function measurePair(
  a: () => Promise<unknown>,
  b: () => Promise<unknown>,
  runs: number,
): Promise<PairTiming> {
  const [timesA, timesB]: [number[], number[]] = [[], []];
  const both = [
    { run: a, times: timesA },
    { run: b, times: timesB },
  ];
  for (let k = -1; k < runs; k++) {
    for (const { run, times } of k % 2 === 0 ? both : both.toReversed()) {
      await pause(100);
      await run();
      const start = performance.now();
      await run();
      if (k >= 0) times.push(performance.now() - start);
    }
  }
  const ratios = timesA.map((time, k) => time / (timesB[k] ?? 1)).sort((x, y) => x - y);
  const at = (k: number): number => ratios[k] ?? NaN;
  const low = Math.max(0, Math.floor((runs - 1.96 * Math.sqrt(runs)) / 2) - 1);
  return {
    a: summary(timesA),
    b: summary(timesB),
    ratio: at(runs >> 1),
    interval: [at(low), at(runs - 1 - low)],
  };
}

export function row(...cells: readonly (string | number)[]): void {
  console.log(cells.map((cell, k) => (k === 0 ? String(cell).padEnd(43) : String(cell).padStart(14))).join(' '));
}
