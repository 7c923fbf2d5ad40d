import type { Document } from './document.js';
import type { Piece } from './format.js';

/**
 * The exact characters of a document in its file and of what stood around it, kept as `extras.source` so that the
 * format that read it can write it back byte for byte. Other formats and JSONL leave it out.
 */
export interface KeptSource {
  readonly format: string;
  readonly file: string;
  /** 0-based place of the document in the file. */
  readonly index: number;
  /** What stood before the first document of the file; the same for all of them. */
  readonly head: string;
  /** What stood between the document before and this one; empty for the first. */
  readonly before: string;
  readonly text: string;
  /** What followed the last document; absent on all others. */
  readonly tail?: string;
}

/** The source of a document that `format` read; undefined where it came from elsewhere. */
export function keptSource(document: Document, format: string): KeptSource | undefined {
  const source = document.extras?.['source'];
  return isKeptSource(source) && source.format === format ? source : undefined;
}

/** What encloses and divides the documents of a format. */
export interface Frame {
  readonly format: string;
  /**
   * The beginning of an output whose first document is `first`; `isOwn` when it opens what the file of `first` opened.
   * @param kept the source of `first` where it was read from this format
   * @param alone whether it is the only document
   */
  readonly head: (first: Document, kept: KeptSource | undefined, alone: boolean) => { text: string; isOwn: boolean };
  /** What stands between two documents under a head, when nothing else is known. */
  readonly separator: (head: string) => string;
  /** The end that fits a head. */
  readonly tail: (head: string) => string;
  /** An output without documents. */
  readonly empty: string;
  /** A document; `kept` is its own source, `head` the head of the output. */
  readonly document: (document: Document, kept: KeptSource | undefined, head: string) => string;
}

/** Documents in their frame: what enclosed them in their file where they come in its order, otherwise the usual. */
export async function* framed(
  documents: AsyncIterable<Document> | Iterable<Document>,
  frame: Frame,
): AsyncGenerator<Piece, void> {
  let open: { head: string; file: string | undefined; separator: string } | undefined;
  let last: KeptSource | undefined;
  for await (const { item: document, isLast } of withLast(documents)) {
    const kept = keptSource(document, frame.format);
    let lead: string;
    if (open === undefined) {
      const { text, isOwn } = frame.head(document, kept, isLast);
      lead = text;
      open = { head: text, file: isOwn ? kept?.file : undefined, separator: frame.separator(text) };
    } else {
      const sameFile = kept !== undefined && kept.file === open.file;
      if (sameFile && /^(?!.*\n.*\n)[\s,]+$/s.test(kept.before)) open.separator = kept.before;
      const follows = sameFile && last?.file === kept.file && kept.index === last.index + 1;
      lead = follows ? kept.before : open.separator;
    }
    last = kept;
    yield { text: lead + frame.document(document, kept, open.head) };
  }
  if (open === undefined) {
    if (frame.empty !== '') yield { text: frame.empty };
    return;
  }
  const text = last?.tail !== undefined && last.file === open.file ? last.tail : frame.tail(open.head);
  if (text !== '') yield { text };
}

async function* withLast<T>(items: AsyncIterable<T> | Iterable<T>): AsyncGenerator<{ item: T; isLast: boolean }, void> {
  let held: { item: T } | undefined;
  for await (const item of items) {
    if (held !== undefined) yield { item: held.item, isLast: false };
    held = { item };
  }
  if (held !== undefined) yield { item: held.item, isLast: true };
}

function isKeptSource(value: unknown): value is KeptSource {
  if (typeof value !== 'object' || value === null) return false;
  const { format, file, index, head, before, text, tail } = value as Partial<Record<keyof KeptSource, unknown>>;
  return (
    [format, file, head, before, text].every((field) => typeof field === 'string') &&
    typeof index === 'number' &&
    (tail === undefined || typeof tail === 'string')
  );
}
