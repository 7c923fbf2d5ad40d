import type { Document } from './document.js';
import type { Piece } from './format.js';

/**
 * The exact characters of a document in its file and of what stood around it, kept as `extras.source` so that the
 * format that read it can write it back byte for byte. Other formats and JSONL leave it out.
 */
export interface KeptSource {
  readonly format: string;
  readonly file: string;
  /** 0-based number of the enclosing collection in the file: a file of JSON may hold several. */
  readonly root: number;
  /** 0-based place of the document in that collection. */
  readonly index: number;
  /** What stood before the first document of the collection; the same for all of them. */
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
   * The beginning of an output whose first document is `first`; `alone` when it is the only one.
   * @param kept what stood there where `first` was read from this format
   */
  readonly head: (first: Document, kept: KeptSource | undefined, alone: boolean) => string;
  /** What stands between two documents when nothing else is known. */
  readonly separator: string;
  /** The end that fits a head. */
  readonly tail: (head: string) => string;
  /** Whether a file may hold several collections one after the other. */
  readonly severalRoots?: boolean;
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
  let open: { head: string; kept: KeptSource | undefined } | undefined;
  let last: KeptSource | undefined;
  let separator = frame.separator;
  const closing = () => {
    if (open === undefined) return '';
    return last?.tail !== undefined && sameRoot(last, open.kept) ? last.tail : frame.tail(open.head);
  };
  for await (const { item: document, isLast } of withLast(documents)) {
    const kept = keptSource(document, frame.format);
    let lead = '';
    if (open !== undefined && frame.severalRoots && followsRoot(open.kept, kept)) {
      lead = closing();
      open = undefined;
    }
    if (open === undefined) {
      open = { head: frame.head(document, kept, isLast), kept };
      lead += open.head;
    } else {
      if (kept !== undefined && /^(?!.*\n.*\n)[\s,]+$/s.test(kept.before)) separator = kept.before;
      const follows = last !== undefined && sameRoot(last, kept) && kept?.index === last.index + 1;
      lead = follows ? kept.before : separator;
    }
    last = kept;
    yield { text: lead + frame.document(document, kept, open.head) };
  }
  const text = open === undefined ? frame.empty : closing();
  if (text !== '') yield { text };
}

function sameRoot(a: KeptSource | undefined, b: KeptSource | undefined): boolean {
  return a !== undefined && b !== undefined && a.file === b.file && a.root === b.root;
}

function followsRoot(open: KeptSource | undefined, next: KeptSource | undefined): boolean {
  return open !== undefined && next !== undefined && open.file === next.file && open.root !== next.root;
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
  const { format, file, root, index, head, before, text, tail } = value as Partial<Record<keyof KeptSource, unknown>>;
  return (
    [format, file, head, before, text].every((field) => typeof field === 'string') &&
    typeof root === 'number' &&
    typeof index === 'number' &&
    (tail === undefined || typeof tail === 'string')
  );
}
