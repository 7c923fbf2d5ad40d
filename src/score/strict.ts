import type { Span } from '../text/span.js';

/** What is compared: equal type and equal key (`wordsKey`, `spansKey`, or however the caller writes a place). */
export interface Keyed {
  readonly type: string;
  readonly key: string;
}

/** Gold and predicted entities, and how many of the predicted ones are gold. */
export interface Counts {
  readonly gold: number;
  readonly predicted: number;
  readonly correct: number;
}

/** Fractions in [0, 1], 0 where undefined. */
export interface Score extends Counts {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

/** Micro-averaged over all types, and for each type: what `evaluate --json` prints. */
export interface Scores {
  readonly overall: Score;
  readonly types: Readonly<Record<string, Score>>;
}

/** The counts of one unit (a sentence or a document) by type. */
export type UnitCounts = ReadonlyMap<string, Counts>;

/** The key of an entity of a sentence: its word indices. */
export function wordsKey(words: readonly number[]): string {
  return words.join(' ');
}

/** The key of an entity of a document: the characters of all its spans. */
export function spansKey(spans: readonly Span[]): string {
  return spans.map(({ start, end }) => `${start}-${end}`).join(' ');
}

/**
 * Precision = correct / predicted, recall = correct / gold, F1 = their harmonic mean, 2 correct / (gold + predicted);
 * each 0 where undefined.
 */
export function scoreOf({ gold, predicted, correct }: Counts): Score {
  const precision = predicted === 0 ? 0 : correct / predicted;
  const recall = gold === 0 ? 0 : correct / gold;
  const f1 = gold + predicted === 0 ? 0 : (2 * correct) / (gold + predicted);
  return { precision, recall, f1, gold, predicted, correct };
}

/** The sum of counts; zeros for none. */
export function sumCounts(all: Iterable<Counts>): Counts {
  const sum = { gold: 0, predicted: 0, correct: 0 };
  for (const { gold, predicted, correct } of all) {
    sum.gold += gold;
    sum.predicted += predicted;
    sum.correct += correct;
  }
  return sum;
}

/**
 * Strict entity-level scores: a prediction is correct when a gold entity of the same unit has the same type and
 * exactly its words. Within a unit, entities that are equal count once.
 */
export class StrictScorer {
  /** Counts of every unit, in the order they were added; what a bootstrap resamples. */
  readonly units: UnitCounts[] = [];
  readonly #types: readonly string[];

  /** @param types types that are reported even where there are none of them */
  constructor(types: Iterable<string> = []) {
    this.#types = [...types];
  }

  /** Adds one unit with its gold and predicted entities. */
  add(gold: Iterable<Keyed>, predicted: Iterable<Keyed>): void {
    const golden = keysByType(gold);
    const found = keysByType(predicted);
    const unit = new Map<string, Counts>();
    for (const type of new Set([...golden.keys(), ...found.keys()])) {
      const [a, b] = [golden.get(type) ?? new Set<string>(), found.get(type) ?? new Set<string>()];
      const correct = [...b].filter((key) => a.has(key)).length;
      unit.set(type, { gold: a.size, predicted: b.size, correct });
    }
    this.units.push(unit);
  }

  /** The scores over all units that were added so far. */
  result(): Scores {
    return scoresOf(this.units, this.#types);
  }
}

/**
 * Scores over any selection of units.
 * @param types types that are reported even where there are none of them
 */
export function scoresOf(units: Iterable<UnitCounts>, types: Iterable<string> = []): Scores {
  const byType = new Map<string, Counts[]>(Array.from(types, (type) => [type, []]));
  for (const unit of units) {
    for (const [type, counts] of unit) {
      const list = byType.get(type);
      if (list === undefined) byType.set(type, [counts]);
      else list.push(counts);
    }
  }
  const sums = [...byType].map(([type, counts]) => [type, sumCounts(counts)] as const);
  sums.sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    overall: scoreOf(sumCounts(sums.map(([, sum]) => sum))),
    types: Object.fromEntries(sums.map(([type, sum]) => [type, scoreOf(sum)])),
  };
}

function keysByType(entities: Iterable<Keyed>): Map<string, Set<string>> {
  const types = new Map<string, Set<string>>();
  for (const { type, key } of entities) {
    const keys = types.get(type);
    if (keys === undefined) types.set(type, new Set([key]));
    else keys.add(key);
  }
  return types;
}
