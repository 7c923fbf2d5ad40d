import { boundsOf, type LabelLayout, type WordEntity } from './entity.js';

/** Labels of word pairs (Guan and Zhou 2023, "Task definition"). */
export const NONE = 0;
/** Next neighbouring word: the column's word follows the row's word inside an entity. */
export const NNW = 1;
/** Tail-head word: the row is the last and the column the first word of an entity; in a joint layout 2 + its type. */
export const THW = 2;

/** Two entities of a joint layout with one tail and one head: their cell can name one type only. */
export interface Collision {
  /** The tail, row of the cell. */
  readonly tail: number;
  /** The head, column of the cell. */
  readonly head: number;
  /** Type that the cell names. */
  readonly kept: number;
  /** Type that is lost there. */
  readonly lost: number;
}

/**
 * Labels of a sentence's grid, written into `target` [n, n, heads] (row-major, zero before). Rows and columns are
 * words; `n` may be larger than the sentence has words (padding). `heads` is 1 in a joint layout and the number of
 * types in a typed one, whose head t is the small grid None, NNW, THW of type t.
 *
 * NNW and THW never meet in a cell: words ascend, so NNW lies above the diagonal and THW on or below it. Two entities
 * meet in a THW cell when they have the same head and tail: with one type the label is the same; with two, a joint
 * layout keeps the type that comes first in the list, whatever the order of the entities, and a typed layout keeps
 * both.
 *
 * What the labels say is every NNW path from a head to its tail (`decodeGrid`). That is exactly the entities given when
 * each is continuous, nested and overlapping ones included, or when no two of the same head of the layout share words.
 * Discontinuous entities that share words may add paths that were no entity: 0 1 3 with 0 2 3 do not, but 0 1 2 3 with
 * 0 2 make 0 1 2 and 0 2 3 as well.
 *
 * @returns the types that a joint layout could not keep
 * @throws RangeError for an entity outside the grid or its types, or a target of another size
 */
export function gridLabels(
  entities: readonly WordEntity[],
  n: number,
  layout: LabelLayout,
  heads: number,
  target: Int32Array | Uint8Array,
): Collision[] {
  if (layout === 'joint' && heads !== 1) throw new RangeError(`expected 1 head in a joint layout, found ${heads}`);
  if (target.length !== n * n * heads) {
    throw new RangeError(`expected a target of ${n} x ${n} x ${heads} labels, found ${target.length}`);
  }
  const collisions: Collision[] = [];
  for (const entity of entities) {
    const { type, words } = entity;
    const { first, last } = boundsOf(entity, n);
    if (layout === 'typed' && type >= heads) throw new RangeError(`expected a type below ${heads}, found ${type}`);
    const head = layout === 'typed' ? type : 0;
    let previous = first;
    for (const word of words) {
      if (word !== first) target[(previous * n + word) * heads + head] = NNW;
      previous = word;
    }
    const cell = (last * n + first) * heads + head;
    const label = layout === 'typed' ? THW : THW + type;
    const there = target[cell] ?? NONE;
    if (there !== NONE && there !== label) {
      const [kept, lost] = [Math.min(there, label) - THW, Math.max(there, label) - THW];
      collisions.push({ tail: last, head: first, kept, lost });
    }
    target[cell] = there === NONE ? label : Math.min(there, label);
  }
  return collisions;
}
