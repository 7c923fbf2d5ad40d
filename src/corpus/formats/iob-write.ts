import type { Document } from '../document.js';
import { keptExtras } from '../extras.js';
import type { Piece, WriteOptions } from '../format.js';
import { LossReport } from '../losses.js';
import { DOCUMENT_START } from './iob-columns.js';
import { wordTags } from './word-tags.js';

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
  const { sentences, tags } = wordTags(document, losses);
  const { columns } = keptExtras(document, 'iob');
  const between: unknown[] = Array.isArray(columns) && columns.length === tags.length ? columns : [];
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
    if (tags[at]?.startsWith('I-') !== true) lines.push('\n');
    spelled.push(forms.join(' '));
  }
  if (spelled.join('\n') !== text) losses.detail(document, 'the spacing of the text');
  return lines.join('');
}
