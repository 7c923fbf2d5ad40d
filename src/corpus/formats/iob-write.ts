import type { Span } from '../../text/span.js';
import type { Document, Entity } from '../document.js';
import { keptExtras } from '../extras.js';
import type { Piece, WriteOptions } from '../format.js';
import { LossReport } from '../losses.js';
import { documentSentences } from '../sentences.js';

/** The word of a line that begins a document. */
export const DOCUMENT_START = '-DOCSTART-';

/** A mention over the words `first` to `last`, inclusive, counted from the start of the document. */
interface WordRange {
  readonly first: number;
  readonly last: number;
  readonly name: string;
}

/**
 * IOB2, tabs between columns. Documents begin with `-DOCSTART-<TAB>id<TAB>O`, but for sentences that came as documents of
 * their own. Where a mention crosses the end of a sentence that we split, the two sentences are joined.
 */
export async function* writeIob(
  documents: AsyncIterable<Document> | Iterable<Document>,
  { onLoss }: WriteOptions,
): AsyncGenerator<Piece, void> {
  const losses = new LossReport('iob', onLoss);
  let started = false;
  for await (const document of documents) {
    losses.details(document, { attributes: ['sourceType'], extras: ['iob'] });
    started ||= document.sentences?.length !== 1 || keptExtras(document, 'iob')['documentStart'] !== undefined;
    yield { text: (started ? `${documentStart(document, losses)}\n\n` : '') + formatSentences(document, losses) };
  }
}

function documentStart(document: Document, losses: LossReport): string {
  const { documentStart: kept } = keptExtras(document, 'iob');
  if (typeof kept === 'string') return kept;
  if (document.id !== '' && document.id !== '-X-' && !/\s/.test(document.id))
    return `${DOCUMENT_START}\t${document.id}\tO`;
  losses.detail(document, 'the identifier');
  return `${DOCUMENT_START}\tO`;
}

function formatSentences(document: Document, losses: LossReport): string {
  const { text } = document;
  const sentences = documentSentences(document).filter(({ words }) => words.length > 0);
  const words = sentences.flatMap((sentence) => sentence.words);
  const tags = new Array<string>(words.length).fill('O');
  const continues = new Uint8Array(words.length + 1);
  for (const { first, last, name } of expressible(document, words, losses)) {
    tags.fill(`I-${name}`, first, last + 1);
    tags[first] = `B-${name}`;
    continues.fill(1, first + 1, last + 1);
  }
  const { columns } = keptExtras(document, 'iob');
  const between: unknown[] = Array.isArray(columns) && columns.length === words.length ? columns : [];
  const lines: string[] = [];
  const spelled: string[] = [];
  let at = 0;
  for (const sentence of sentences) {
    const forms = sentence.words.map(({ start, end }) => text.slice(start, end));
    for (const form of forms) {
      const middle = between[at];
      lines.push(`${form}${typeof middle === 'string' && middle !== '' ? `\t${middle}` : ''}\t${tags[at]}\n`);
      at += 1;
    }
    if (continues[at] !== 1) lines.push('\n');
    spelled.push(forms.join(' '));
  }
  if (spelled.join('\n') !== text) losses.detail(document, 'the spacing of the text');
  return lines.join('');
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
