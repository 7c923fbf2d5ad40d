/** An entity of one sentence in word indices. */
export interface WordEntity {
  /** Index in the list of types. */
  readonly type: number;
  /** Strictly ascending word indices; a gap makes the entity discontinuous. */
  readonly words: readonly number[];
  /** Confidence in [0, 1] of a predicted entity. */
  readonly score?: number;
}

/** `joint`: one label space over all types; `typed`: one small label space for each type. */
export type LabelLayout = 'joint' | 'typed';
