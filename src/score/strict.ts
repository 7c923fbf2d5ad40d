/** What is compared: equal type and equal key (a span or a word sequence, however the caller writes it). */
export interface Keyed {
  readonly type: string;
  readonly key: string;
}

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

export interface Scores {
  readonly overall: Score;
  readonly types: Readonly<Record<string, Score>>;
}

export function scoreOf({ gold, predicted, correct }: Counts): Score {
  const precision = predicted === 0 ? 0 : correct / predicted;
  const recall = gold === 0 ? 0 : correct / gold;
  const f1 = gold + predicted === 0 ? 0 : (2 * correct) / (gold + predicted);
  return { precision, recall, f1, gold, predicted, correct };
}

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
 * Strict entity-level scores: a prediction is correct when an entity of the same type has exactly its words. Within a
 * unit (a sentence or document) duplicates count once. Overall scores are micro-averaged.
 */
export class StrictScorer {
  /** Counts by type of every unit, in the order they were added; what a bootstrap resamples. */
  readonly units: ReadonlyMap<string, Counts>[] = [];

  /** Adds one unit with its gold and predicted entities. */
  add(gold: readonly Keyed[], predicted: readonly Keyed[]): void {
    const golden = byType(gold);
    const found = byType(predicted);
    const unit = new Map<string, Counts>();
    for (const type of new Set([...golden.keys(), ...found.keys()])) {
      const [a, b] = [golden.get(type) ?? new Set<string>(), found.get(type) ?? new Set<string>()];
      const correct = [...b].filter((key) => a.has(key)).length;
      unit.set(type, { gold: a.size, predicted: b.size, correct });
    }
    this.units.push(unit);
  }

  result(): Scores {
    return scoresOf(this.units);
  }
}

/** Scores over any selection of units. */
export function scoresOf(units: readonly ReadonlyMap<string, Counts>[]): Scores {
  const types = [...new Set(units.flatMap((unit) => [...unit.keys()]))].sort();
  const byName = types.map((type): [string, Score] => [
    type,
    scoreOf(sumCounts(units.flatMap((unit) => unit.get(type) ?? []))),
  ]);
  return { overall: scoreOf(sumCounts(byName.map(([, score]) => score))), types: Object.fromEntries(byName) };
}

function byType(entities: readonly Keyed[]): Map<string, Set<string>> {
  const types = new Map<string, Set<string>>();
  for (const { type, key } of entities) {
    const keys = types.get(type);
    if (keys === undefined) types.set(type, new Set([key]));
    else keys.add(key);
  }
  return types;
}
