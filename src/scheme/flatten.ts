import { comparePositions, type WordEntity } from './entity.js';

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
