import type { Document, Loss } from '../corpus/index.js';
import { wordTags } from '../corpus/formats/word-tags.js';
import { LossReport } from '../corpus/losses.js';
import { ConllEvaluation, type ConllScores } from '../score/index.js';

/**
 * Scores of documents as conlleval's default mode counts them: mentions are written as IOB2 tags of the words of the
 * annotated document, and the chunks and tags of the two sides compared. Words are the document's own where it came with
 * them. Unlike in the strict scores, types that only the predictions have count too, as wrong.
 */
export class ConllScorer {
  readonly #evaluation = new ConllEvaluation();
  readonly #losses: LossReport;

  /**
   * @param types types to score; all where absent
   * @param onLoss told of mentions that tags cannot say: left out, or widened to whole words
   */
  constructor(
    readonly types: readonly string[] | undefined,
    onLoss: (loss: Loss) => void,
  ) {
    this.#losses = new LossReport('IOB', onLoss);
  }

  /** Adds a document. IOB2 chunks end where sentences do, so that all its sentences are compared at once. */
  add(gold: Document, predicted: Document): void {
    this.#evaluation.add(this.#tags(gold, gold), this.#tags(gold, predicted));
  }

  result(): ConllScores {
    return this.#evaluation.result();
  }

  /** The tags of the words of `gold` that the mentions of one side make. */
  #tags(gold: Document, { entities }: Document): readonly string[] {
    const scored = entities.filter(({ type }) => this.types?.includes(type) ?? true);
    // Without the name that the file had for a type: one side may have another for the same.
    const named = scored.map(({ type, spans }) => ({ type, spans }));
    return wordTags({ ...gold, entities: named }, this.#losses).tags;
  }
}
