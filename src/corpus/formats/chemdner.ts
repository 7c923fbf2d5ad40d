import { InputError, type Location } from '../../errors.js';
import type { Document, Entity } from '../document.js';
import type { Format, ReadOptions, Source } from '../format.js';
import { lineBatches, withoutReturn } from '../lines.js';
import { MentionReader, quoted, type MentionPolicy } from '../mentions.js';

/** How the two files of a pair end. */
const ABSTRACTS = '.abstracts.txt';
const ANNOTATIONS = '.annotations.txt';

const TYPE = 'Chemical';

/** A mention as its line says, with the number of the line. */
interface MentionLine {
  readonly part: 'T' | 'A';
  readonly start: number;
  readonly end: number;
  readonly mention: string;
  readonly kind: string;
  readonly line: number;
}

/**
 * The original form of BC4CHEMD (CHEMDNER, BioCreative IV): `NAME.abstracts.txt` with `PMID title abstract` on each
 * line, and beside it `NAME.annotations.txt` with `PMID T|A start end mention class`, all divided by tabs. Offsets
 * count code points from the beginning of the title (T) or of the abstract (A). The text here is title, line break,
 * abstract. All classes (SYSTEMATIC, TRIVIAL, FAMILY, ...) are `Chemical`, the class is the attribute `class`; a map
 * that names a class overrules. Without the second file the documents have no mentions.
 * Krallinger et al., J Cheminform 7(Suppl 1):S2, 2015.
 */
export const chemdner: Format = {
  name: 'chemdner',
  description: 'CHEMDNER (BC4CHEMD): NAME.abstracts.txt with NAME.annotations.txt beside it',
  loses: 'cannot be written',
  extensions: [ABSTRACTS],
  matches: (head, fileName) => /\.abstracts\.txt(?:\.gz)?$/i.test(fileName) && head.includes('\t'),

  async *read(source, options) {
    const beside = await source.sibling?.(ANNOTATIONS, ABSTRACTS);
    const annotations = beside === undefined ? new Annotations('') : await readAnnotations(beside, options);
    for await (const { first, lines } of lineBatches(source, options.maxBytes)) {
      for (const [k, raw] of lines.entries()) {
        const line = withoutReturn(raw);
        if (line.trim() !== '') yield readDocument(line, { file: source.name, line: first + k }, annotations, options);
      }
    }
    annotations.requireAllTaken(source.name);
  },
};

function readDocument(line: string, at: Location, annotations: Annotations, options: ReadOptions): Document {
  const fields = line.split('\t');
  const [id = '', title = '', abstract = ''] = fields;
  if (fields.length !== 3 || id === '') {
    throw new InputError(`expected identifier, title and abstract divided by tabs, found ${quoted(line)}`, at);
  }
  const text = `${title}\n${abstract}`;
  const { offsets: unit = 'codepoint', repairOffsets: repair, onRepair } = options;
  const policy: MentionPolicy = { unit, repair, onRepair };
  const parts = {
    T: { reader: new MentionReader(title, annotations.file, policy), from: 0 },
    A: { reader: new MentionReader(abstract, annotations.file, policy), from: title.length + 1 },
  };
  const entities = annotations.take(id).map(({ part, start, end, mention, kind, line: number }): Entity => {
    const { reader, from } = parts[part];
    const [span] = reader.spans([[start, end]], mention, number);
    return {
      type: options.types?.get(kind) ?? options.types?.get(TYPE) ?? TYPE,
      spans: [{ start: span.start + from, end: span.end + from }],
      attributes: { class: kind },
    };
  });
  return {
    id,
    text,
    entities: entities.sort((a, b) => a.spans[0].start - b.spans[0].start || a.spans[0].end - b.spans[0].end),
    passages: [
      { kind: 'title', start: 0, end: title.length },
      { kind: 'abstract', start: title.length + 1, end: text.length },
    ],
  };
}

/** The mentions of a whole annotation file; its documents need not come in the order of the abstracts. */
class Annotations {
  readonly #mentions = new Map<string, MentionLine[]>();
  readonly #taken = new Set<string>();

  constructor(readonly file: string) {}

  add(id: string, mention: MentionLine): void {
    const known = this.#mentions.get(id);
    if (known === undefined) this.#mentions.set(id, [mention]);
    else known.push(mention);
  }

  take(id: string): readonly MentionLine[] {
    this.#taken.add(id);
    return this.#mentions.get(id) ?? [];
  }

  /** @throws InputError for mentions of a document that there is not */
  requireAllTaken(abstracts: string): void {
    for (const [id, [first]] of this.#mentions) {
      if (this.#taken.has(id) || first === undefined) continue;
      throw new InputError(`expected mentions of documents of ${abstracts}, found ${quoted(id)}`, {
        file: this.file,
        line: first.line,
      });
    }
  }
}

async function readAnnotations(source: Source, options: ReadOptions): Promise<Annotations> {
  const annotations = new Annotations(source.name);
  for await (const { first, lines } of lineBatches(source, options.maxBytes)) {
    for (const [k, raw] of lines.entries()) {
      const line = withoutReturn(raw);
      if (line.trim() === '') continue;
      const fields = line.split('\t');
      const [id = '', part, start = '', end = '', mention = '', kind = ''] = fields;
      const complete = fields.length === 6 && /^\d+$/.test(start) && /^\d+$/.test(end);
      if (!complete || (part !== 'T' && part !== 'A')) {
        throw new InputError(
          `expected identifier, T or A, start, end, mention and class divided by tabs, found ${quoted(line)}`,
          { file: source.name, line: first + k },
        );
      }
      annotations.add(id, { part, start: Number(start), end: Number(end), mention, kind, line: first + k });
    }
  }
  return annotations;
}
