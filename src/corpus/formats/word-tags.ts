import type { Span } from '../../text/span.js';
import type { Document, Entity, Sentence } from '../document.js';
import type { LossReport } from '../losses.js';
import { documentSentences } from '../sentences.js';

/** A mention over the words `first` to `last`, inclusive, counted from the start of the document. */
interface WordRange {
  readonly first: number;
  readonly last: number;
  readonly name: string;
}

/** The words of a document with an IOB2 tag each. */
export interface TaggedWords {
  /** Those with words. */
  readonly sentences: readonly Sentence[];
  /** One for each word of all sentences. */
  readonly tags: readonly string[];
}

/**
 * A document as tagged words; what tags cannot say is reported. Where a mention crosses the end of a sentence that we
 * split, the next sentence begins with an `I-` tag.
 */
export function wordTags(document: Document, losses: LossReport): TaggedWords {
  const sentences = documentSentences(document).filter(({ words }) => words.length > 0);
  const words = sentences.flatMap((sentence) => sentence.words);
  const tags = new Array<string>(words.length).fill('O');
  for (const { first, last, name } of expressible(document, words, losses)) {
    tags.fill(`I-${name}`, first, last + 1);
    tags[first] = `B-${name}`;
  }
  return { sentences, tags };
}

/** The mentions that tags can say, as ranges of words; outer mentions win over those inside them. */
function expressible(document: Document, words: readonly Span[], losses: LossReport): WordRange[] {
  const whole = document.entities.filter((entity) => {
    if (entity.spans.length > 1) losses.entity(document, entity, 'discontinuous');
    return entity.spans.length === 1;
  });
  const outermost = ({ spans: [a] }: Entity, { spans: [b] }: Entity) => a.start - b.start || b.end - a.end;
  const ranges: WordRange[] = [];
  let free = 0;
  for (const entity of whole.sort(outermost)) {
    const [{ start, end }] = entity.spans;
    const first = lowerBound(words, (word) => word.end > start);
    const last = lowerBound(words, (word) => word.start >= end) - 1;
    if (last < first) {
      losses.entity(document, entity, 'without a word');
    } else if (first < free) {
      losses.entity(document, entity, 'nested or overlapping');
    } else {
      if (words[first]?.start !== start || words[last]?.end !== end) {
        losses.entity(document, entity, 'not at the edges of words, widened to them');
      }
      ranges.push({ first, last, name: (entity.attributes?.['sourceType'] ?? entity.type).replace(/\s/g, '_') });
      free = last + 1;
    }
  }
  return ranges;
}

/** The index of the first word for which a condition holds that holds for all later ones. */
function lowerBound(words: readonly Span[], holds: (word: Span) => boolean): number {
  let low = 0;
  let high = words.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const word = words[middle];
    if (word === undefined || holds(word)) high = middle;
    else low = middle + 1;
  }
  return low;
}
