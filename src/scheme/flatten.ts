import { comparePositions, type WordEntity } from './entity.js';

/** Whether every entity is a run of neighbouring words and no two share a word; equal ones count as one. */
export function isFlat(entities: readonly WordEntity[]): boolean {
  const distinct = new Map(entities.map(({ type, words }) => [`${type} ${words.join(' ')}`, words]));
  const taken = new Set<number>();
  for (const words of distinct.values()) {
    if ((words.at(-1) ?? 0) - (words[0] ?? 0) !== words.length - 1) return false;
    for (const word of words) {
      if (taken.has(word)) return false;
      taken.add(word);
    }
  }
  return true;
}

/**
 * Entities of which no two share a word, in the order of their words: the higher score wins (1 where there is none),
 * then the longer, then the earlier. Discontinuous entities may interleave.
 */
export function flatten(entities: readonly WordEntity[]): WordEntity[] {
  const ranked = [...entities].sort(
    (a, b) => (b.score ?? 1) - (a.score ?? 1) || b.words.length - a.words.length || comparePositions(a, b),
  );
  const taken = new Set<number>();
  const kept = ranked.filter(({ words }) => {
    if (words.some((word) => taken.has(word))) return false;
    for (const word of words) taken.add(word);
    return true;
  });
  return kept.sort(comparePositions);
}
