import { scoreOf, sumCounts, type Counts, type Interval } from '../score/index.js';
import { decodeCounts, type DocumentCounts } from './counts.js';
import { twoSidedP, twoSidedQuantile } from './student.js';

/** A difference counts as real below this p-value (after Holm's correction). */
export const LEVEL = 0.05;

/** Sentences that follow each other and are taken as one document, about an abstract, where a corpus has no documents. */
export const SENTENCES_OF_DOCUMENT = 10;

/** The two systems' counts on one test set, of runs with the same seed. */
export interface PairedRuns {
  readonly first: DocumentCounts;
  readonly second: DocumentCounts;
}

/** How two systems differ in F1, over documents and seeds. */
export interface PairedDifference {
  /** Mean over the seeds of F1 of the first less F1 of the second. */
  readonly difference: number;
  readonly seeds: number;
  readonly documents: number;
  /** 95 %, over documents and seeds; with one seed over documents alone. */
  readonly interval: Interval;
  /** Undefined with one seed: nothing then says how far seeds differ. */
  readonly pValue?: number;
}

/**
 * Tests a difference in F1 against the two things that vary: which documents are in the test set, and which seed a run
 * had. With d_s the difference of the runs of seed s,
 *
 * t = mean(d_s) / sqrt(V_seeds + V_documents),
 *
 * V_seeds = variance(d_s) / S, V_documents the jackknife variance of mean(d_s) over D documents, and degrees of freedom
 * by Satterthwaite's rule from S - 1 and D - 1. Both variances hold what seeds and documents share, so the test is
 * rather too strict than too lax. Runs are paired by seed, documents by place.
 *
 * @throws RangeError for counts of different test sets, and for no runs
 */
export function pairedDifference(runs: readonly PairedRuns[]): PairedDifference {
  const pairs = runs.map(({ first, second }) => ({ first: documentsOf(first), second: documentsOf(second) }));
  requireSameDocuments(pairs.flatMap(({ first, second }) => [first, second]));
  const documents = pairs[0]?.first.length ?? 0;
  const seeds = pairs.length;
  const bySeed = pairs.map(({ first, second }) => f1(sumCounts(first)) - f1(sumCounts(second)));
  const difference = mean(bySeed);
  const ofSeeds = seeds < 2 ? 0 : variance(bySeed) / seeds;
  const ofDocuments = jackknifeVariance(pairs, documents);
  const total = ofSeeds + ofDocuments;
  const degrees =
    total === 0
      ? documents - 1
      : total ** 2 / ((seeds < 2 ? 0 : ofSeeds ** 2 / (seeds - 1)) + ofDocuments ** 2 / Math.max(1, documents - 1));
  const margin = total === 0 ? 0 : twoSidedQuantile(LEVEL, degrees) * Math.sqrt(total);
  return {
    difference,
    seeds,
    documents,
    interval: { low: difference - margin, high: difference + margin },
    ...(seeds < 2 ? {} : { pValue: pValueOf(difference, total, degrees) }),
  };
}

/** Holm's correction: p-values as they count when all of them were tested. Undefined ones were not. */
export function holm(pValues: readonly (number | undefined)[]): (number | undefined)[] {
  const order = [...pValues.keys()].filter((k) => pValues[k] !== undefined);
  order.sort((a, b) => (pValues[a] ?? 0) - (pValues[b] ?? 0));
  const corrected: (number | undefined)[] = pValues.map(() => undefined);
  let least = 0;
  for (const [rank, k] of order.entries()) {
    least = Math.max(least, Math.min(1, (order.length - rank) * (pValues[k] ?? 1)));
    corrected[k] = least;
  }
  return corrected;
}

type Pair = Readonly<Record<'first' | 'second', readonly Counts[]>>;

/** Leaves out each document in turn (Efron and Stein 1981). */
function jackknifeVariance(pairs: readonly Pair[], documents: number): number {
  if (documents < 2) return 0;
  const sums = pairs.map(({ first, second }) => ({ first: sumCounts(first), second: sumCounts(second) }));
  const without = Array.from({ length: documents }, (_, k) =>
    mean(pairs.map((pair, s) => f1(less(sums[s]?.first, pair.first[k])) - f1(less(sums[s]?.second, pair.second[k])))),
  );
  return ((documents - 1) ** 2 / documents) * variance(without);
}

function pValueOf(difference: number, total: number, degrees: number): number {
  if (total > 0) return twoSidedP(difference / Math.sqrt(total), degrees);
  return difference === 0 ? 1 : 0;
}

function documentsOf(counts: DocumentCounts): Counts[] {
  const units = decodeCounts(counts);
  if (counts.unit === 'document') return units;
  const size = SENTENCES_OF_DOCUMENT;
  return Array.from({ length: Math.ceil(units.length / size) }, (_, k) =>
    sumCounts(units.slice(k * size, (k + 1) * size)),
  );
}

function requireSameDocuments(all: readonly (readonly Counts[])[]): void {
  const [first, ...others] = all;
  if (first === undefined) throw new RangeError('expected runs to compare, found none');
  for (const other of others) {
    if (other.length !== first.length || other.some(({ gold }, k) => gold !== first[k]?.gold)) {
      throw new RangeError('expected counts of the same test set, found those of another');
    }
  }
}

function f1(counts: Counts): number {
  return scoreOf(counts).f1;
}

function less(whole: Counts | undefined, part: Counts | undefined): Counts {
  const of = (field: keyof Counts): number => (whole?.[field] ?? 0) - (part?.[field] ?? 0);
  return { gold: of('gold'), predicted: of('predicted'), correct: of('correct') };
}

export function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

/** Of a sample: divided by one less than the number of values. */
export function variance(values: readonly number[]): number {
  const middle = mean(values);
  return values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1);
}
