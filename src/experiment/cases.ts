import { z } from 'zod';
import { wordsKey } from '../score/index.js';
import type { WordEntity } from '../scheme/index.js';

const mentionSchema = z.strictObject({ type: z.string(), words: z.array(z.int().min(0)).min(1) });

export const casesSchema = z.strictObject({
  format: z.literal(1),
  version: z.string(),
  corpus: z.string(),
  split: z.string(),
  systems: z.array(z.strictObject({ title: z.string(), seed: z.int(), run: z.string() })).min(2),
  /** Sentences with a mention, annotated or found by a system. */
  sentences: z.int().min(0),
  /** How many of them each set of systems has exactly right: `101` where the first and the third have. */
  counts: z.record(z.string().regex(/^[01]+$/), z.int().positive()),
  cases: z.array(
    z.strictObject({
      words: z.array(z.string()),
      gold: z.array(mentionSchema),
      /** What each system finds, in their order. */
      found: z.array(z.array(mentionSchema)),
    }),
  ),
});

/** What several systems find in the same sentences, side by side (Fig. 9 of Guan and Zhou 2023). */
export type CasesResult = z.infer<typeof casesSchema>;
export type Case = CasesResult['cases'][number];

/** Sentences of more words are not shown. */
const LONGEST = 30;

interface CompareSentence {
  readonly words: readonly string[];
  readonly entities: readonly Pick<WordEntity, 'type' | 'words'>[];
}

/**
 * Which systems have which sentences exactly right, and for each set of systems that some sentence tells apart the first
 * such sentence of at most 30 words.
 * @param found by system and sentence; types as indices of `types`
 */
export function compareCases(
  sentences: readonly CompareSentence[],
  found: readonly (readonly (readonly Pick<WordEntity, 'type' | 'words'>[])[])[],
  types: readonly string[],
): Pick<CasesResult, 'sentences' | 'counts' | 'cases'> {
  const counts: Record<string, number> = {};
  const cases = new Map<string, Case>();
  let count = 0;
  for (const [k, { words, entities }] of sentences.entries()) {
    const predictions = found.map((system) => system[k] ?? []);
    if (entities.length === 0 && predictions.every(({ length }) => length === 0)) continue;
    count++;
    const pattern = predictions.map((each) => (keyOf(each) === keyOf(entities) ? '1' : '0')).join('');
    counts[pattern] = (counts[pattern] ?? 0) + 1;
    if (new Set(pattern).size < 2 || cases.has(pattern) || words.length > LONGEST) continue;
    const named = (all: CompareSentence['entities']): Case['gold'] =>
      all.map(({ type, words: place }) => ({ type: types[type] ?? '', words: [...place] }));
    cases.set(pattern, { words: [...words], gold: named(entities), found: predictions.map(named) });
  }
  const byPattern = ([a]: [string, unknown], [b]: [string, unknown]): number => b.localeCompare(a);
  return {
    sentences: count,
    counts: Object.fromEntries(Object.entries(counts).sort(byPattern)),
    cases: [...cases].sort(byPattern).map(([, each]) => each),
  };
}

/** Equal for equal sets of entities. */
function keyOf(entities: CompareSentence['entities']): string {
  return entities
    .map(({ type, words }) => `${type} ${wordsKey(words)}`)
    .sort()
    .join('; ');
}
