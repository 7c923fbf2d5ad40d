import type { LabelLayout, WordEntity } from './entity.js';

/** Labels of word pairs (Guan and Zhou 2023, "Task definition"). */
export const NONE = 0;
/** Next neighbouring word: the column's word follows the row's word inside an entity. */
export const NNW = 1;
/** Tail-head word: the row is the last and the column the first word of an entity; in a joint layout 2 + its type. */
export const THW = 2;

/**
 * Labels of a sentence's grid, written into `target` [n, n, heads] (row-major, zero before). Rows and columns are
 * words; `n` may be larger than the sentence has words (padding).
 *
 * A cell holds one label for each head. Where two entities of a joint layout have the same words and different types,
 * the later one wins; a typed layout keeps both. NNW and THW never meet in continuous text: NNW lies above the
 * diagonal, THW on or below it.
 */
export function gridLabels(
  entities: readonly WordEntity[],
  n: number,
  layout: LabelLayout,
  heads: number,
  target: Int32Array,
): void {
  for (const { type, words } of entities) {
    const head = layout === 'typed' ? type : 0;
    const [first, last] = [words[0], words.at(-1)];
    if (first === undefined || last === undefined) continue;
    let previous = first;
    for (const word of words.slice(1)) {
      target[(previous * n + word) * heads + head] = NNW;
      previous = word;
    }
    target[(last * n + first) * heads + head] = layout === 'typed' ? THW : THW + type;
  }
}
