import type { Span } from '../text/span.js';

/**
 * A mention of an entity. `spans` are in UTF-16 code units of `Document.text`, sorted, non-overlapping and non-empty;
 * more than one means a discontinuous entity.
 */
export interface Entity {
  readonly id?: string;
  /** Canonical type name: `Gene`, `Chemical`, `Disease`, or what the file calls it. */
  readonly type: string;
  readonly spans: readonly [Span, ...Span[]];
  /** Confidence in [0, 1] of a predicted entity. */
  readonly score?: number;
  /** What the source file said beyond this model (concept identifiers, notes), kept for writing back. */
  readonly attributes?: Readonly<Record<string, string>>;
}

/** A named part of a document (`title`, `abstract`, ...). */
export interface Passage extends Span {
  /** What the source calls it. */
  readonly kind: string;
}

/** Words of one sentence, in UTF-16 code units of `Document.text`. */
export interface Sentence {
  readonly words: readonly Span[];
}

/** A text with its entities. All offsets are UTF-16 code units of `text`, exactly as read. */
export interface Document {
  readonly id: string;
  readonly text: string;
  readonly entities: readonly Entity[];
  readonly passages?: readonly Passage[];
  /**
   * The text goes on from the document before it: the source is a run of single sentences with no mark where a document
   * ends (IOB corpora), so a neighbour is most likely context.
   */
  readonly continues?: boolean;
  /** Present when the source came split into sentences and words (IOB corpora); used instead of our own splitter. */
  readonly sentences?: readonly Sentence[];
  /** Lines or fields of the source that this model has no place for (relations), kept for writing back. */
  readonly extras?: Readonly<Record<string, unknown>>;
}
