import { InputError, type Location } from '../../errors.js';
import type { Document, Entity, Passage } from '../document.js';
import type { Format, ReadOptions } from '../format.js';
import { tolerated } from '../faults.js';
import { compact, interleaved, keptExtras, keptLines, type ExtraLine } from '../extras.js';
import { lineBatches, withoutReturn } from '../lines.js';
import { LossReport } from '../losses.js';
import { hull, inlineMention, MentionReader, offsetWriter, quoted, sameMention } from '../mentions.js';
import { defaultTypes, mappedType } from '../types.js';

const TEXT_LINE = /^([^|\t]*)\|([a-zA-Z])\|/;

/**
 * PubTator text: `PMID|t|title`, `PMID|a|abstract`, then tab-separated mentions `PMID start end mention type concept`
 * and relations `PMID type concept concept`, a blank line between documents. Offsets count code points of title, one
 * separator and abstract; the separator here is a line break. The concept is kept as attribute `concept`; the parts of a
 * composite mention (CDR's seventh column) as `parts`; relations and all other lines as they are.
 * https://www.ncbi.nlm.nih.gov/research/pubtator3/tutorial and the BioCreative V CDR task.
 */
export const pubtator: Format = {
  name: 'pubtator',
  description: 'PubTator: title, abstract, mentions and relations',
  loses: 'discontinuous mentions (their hull is written), scores, line breaks inside title or abstract',
  extensions: ['.pubtator', '.PubTator.txt'],
  matches: (head) => /^[^|\s]+\|[ta]\|/.test(head.trimStart()),

  async *read(source, options) {
    let block = new Block(source.name, options);
    let crlf = false;
    let terminated = true;
    let isFaulty = false;
    for await (const batch of lineBatches(source, options.maxBytes)) {
      let number = batch.first;
      terminated = batch.terminated;
      for (const raw of batch.lines) {
        const line = withoutReturn(raw);
        crlf ||= line.length < raw.length;
        if (isFaulty) {
          isFaulty = line.trim() !== '' && !block.precedes(line);
          if (!isFaulty) block = new Block(source.name, options);
        } else if (block.isComplete ? line.trim() !== '' : block.startsAnother(line)) {
          yield block.document({ crlf });
          block = new Block(source.name, options);
        }
        const [current, place] = [block, number];
        isFaulty ||= tolerated(options, () => current.add(line, place)) === undefined;
        number += 1;
      }
    }
    if (block.hasText && !isFaulty) yield block.document({ crlf, unterminated: !terminated });
  },

  async *write(documents, { onLoss }) {
    const losses = new LossReport('pubtator', onLoss);
    let separator = '';
    for await (const document of documents) {
      const { block, ended } = formatDocument(document, losses);
      yield { text: separator + block };
      separator = ended ? '' : block.endsWith('\n') ? '\n' : '\n\n';
    }
  },
};

/** The lines of one document, collected until the next one starts. */
class Block {
  #id: string | undefined;
  #title: string | undefined;
  #abstract: string | undefined;
  #blankBefore = 0;
  #blankAfter = 0;
  #mentions: MentionReader | undefined;
  readonly #entities: Entity[] = [];
  readonly #lines: ExtraLine[] = [];

  constructor(
    readonly file: string,
    readonly options: ReadOptions,
  ) {}

  get hasText(): boolean {
    return this.#id !== undefined;
  }

  /** Whether a blank line has ended it. */
  get isComplete(): boolean {
    return this.#blankAfter > 0;
  }

  /** Whether a line is the title of a document that no blank line divides from this one. */
  startsAnother(line: string): boolean {
    return this.#mentions !== undefined && this.precedes(line);
  }

  /** Whether a line is the title of another document. */
  precedes(line: string): boolean {
    const [, id, kind] = TEXT_LINE.exec(line) ?? [];
    return kind === 't' && id !== this.#id;
  }

  /** @returns itself */
  add(line: string, number: number): this {
    if (line.trim() === '') {
      if (this.hasText) this.#blankAfter += 1;
      else this.#blankBefore += 1;
      return this;
    }
    const at = { file: this.file, line: number };
    const text = this.#mentions === undefined ? TEXT_LINE.exec(line) : null;
    if (text !== null) this.#addText(text, line, at);
    else this.#addAnnotation(line, at);
    return this;
  }

  document({ crlf, unterminated = false }: { crlf: boolean; unterminated?: boolean }): Document {
    const { text } = this.#reader();
    const title = this.#title ?? '';
    const passages: Passage[] = [{ kind: 'title', start: 0, end: title.length }];
    if (this.#abstract !== undefined) passages.push({ kind: 'abstract', start: title.length + 1, end: text.length });
    const extras = compact({
      blankBefore: this.#blankBefore > 0 && this.#blankBefore,
      blankAfter: this.#blankAfter === 1 ? undefined : this.#blankAfter,
      crlf,
      unterminated,
      lines: this.#lines,
    });
    return {
      id: this.#id ?? '',
      text,
      entities: this.#entities,
      passages,
      ...(Object.keys(extras).length > 0 ? { extras: { pubtator: extras } } : {}),
    };
  }

  #addText([prefix, id = '', kind]: RegExpExecArray, line: string, at: Location): void {
    const text = line.slice(prefix.length);
    if (this.#id !== undefined && id !== this.#id) throw otherDocument(this.#id, id, at);
    if (kind === 't' && this.#title === undefined && this.#abstract === undefined) this.#title = text;
    else if (kind === 'a' && this.#abstract === undefined) this.#abstract = text;
    else throw new InputError(`expected one title (|t|) and one abstract (|a|), found ${quoted(prefix)} again`, at);
    this.#id = id;
  }

  #addAnnotation(line: string, at: Location): void {
    if (this.#id === undefined) {
      throw new InputError(`expected a title line like 123|t|..., found ${quoted(line)}`, at);
    }
    const fields = line.split('\t');
    const [id = '', start = '', end = '', mention, name, concept, ...parts] = fields;
    if (fields.length < 2) throw new InputError(`expected tab-separated fields, found ${quoted(line)}`, at);
    if (id !== this.#id) throw otherDocument(this.#id, id, at);
    if (!/^\d+$/.test(start) || !/^\d+$/.test(end)) {
      if (/^-?\d+$/.test(start)) throw new InputError(`expected a start and an end, found ${start} and ${end}`, at);
      this.#lines.push({ after: this.#entities.length, line: line.slice(id.length + 1) });
      return;
    }
    if (mention === undefined || !name) {
      throw new InputError(`expected id, start, end, mention and type, found ${fields.length} fields`, at);
    }
    const reader = this.#reader();
    const spans = reader.spans([[Number(start), Number(end)]], mention, at.line ?? 1);
    const { type, sourceType } = mappedType(name, this.options.types ?? defaultTypes);
    const attributes: Record<string, string> = {};
    if (concept !== undefined) attributes['concept'] = concept;
    if (parts.length > 0) attributes['parts'] = parts.join('\t');
    if (sourceType !== undefined) attributes['sourceType'] = sourceType;
    if (inlineMention(reader.text, spans) !== mention) attributes['mention'] = mention;
    this.#entities.push(Object.keys(attributes).length > 0 ? { type, spans, attributes } : { type, spans });
  }

  #reader(): MentionReader {
    const { offsets: unit = 'codepoint', repairOffsets: repair, onRepair } = this.options;
    this.#mentions ??= new MentionReader(
      this.#abstract === undefined ? (this.#title ?? '') : `${this.#title ?? ''}\n${this.#abstract}`,
      this.file,
      { unit, repair, onRepair },
    );
    return this.#mentions;
  }
}

function otherDocument(expected: string, found: string, at: Location): InputError {
  return new InputError(`expected a line of document ${expected} or a blank line, found ${quoted(found)}`, at);
}

/** The block of one document, and whether a blank line ends it. */
function formatDocument(document: Document, losses: LossReport): { block: string; ended: boolean } {
  const { id, text } = document;
  const { blankBefore, blankAfter, crlf, unterminated, lines } = keptExtras(document, 'pubtator');
  losses.details(document, { attributes: ['concept', 'parts', 'sourceType', 'mention'], extras: ['pubtator'] });
  if (/[|\t\r\n]/.test(id)) throw new InputError(`expected an identifier without | and tabs, found ${quoted(id)}`);
  const [title, abstract] = titleAndAbstract(document, losses);
  const offset = offsetWriter(text, 'codepoint');
  const mentions = document.entities.map((entity) => {
    if (entity.spans.length > 1) losses.entity(document, entity, 'discontinuous');
    const { start, end } = hull(entity);
    const { concept, parts, sourceType, mention } = entity.attributes ?? {};
    const own = inlineMention(text, [{ start, end }]);
    const written = mention !== undefined && sameMention(own, mention) ? mention : own;
    const fields = [offset(start), offset(end), written, inlineName(sourceType ?? entity.type)];
    if (concept !== undefined || parts !== undefined) fields.push(concept ?? '');
    if (parts !== undefined) fields.push(parts);
    return fields.join('\t');
  });
  const written = [`${id}|t|${title}`, ...(abstract === undefined ? [] : [`${id}|a|${abstract}`])];
  for (const line of interleaved(mentions, keptLines(lines))) written.push(`${id}\t${line}`);
  const lineBreak = crlf === true ? '\r\n' : '\n';
  const after = typeof blankAfter === 'number' ? blankAfter : 1;
  const before = typeof blankBefore === 'number' ? blankBefore : 0;
  const tail = unterminated === true ? '' : lineBreak.repeat(1 + after);
  return {
    block: lineBreak.repeat(before) + written.join(lineBreak) + tail,
    ended: unterminated !== true && after > 0,
  };
}

/** Title and abstract, so that their lengths and one separator add up to the text's; line breaks become spaces. */
function titleAndAbstract(document: Document, losses: LossReport): [title: string, abstract: string | undefined] {
  const { text, passages } = document;
  const given = passages?.find(({ kind, start }) => kind === 'title' && start === 0)?.end;
  const separator = given !== undefined && /[\s]/.test(text.charAt(given)) ? given : text.indexOf('\n');
  const single = (part: string): string => {
    if (!/[\r\n]/.test(part)) return part;
    losses.detail(document, 'line breaks inside title or abstract, written as spaces');
    return part.replace(/[\r\n]/g, ' ');
  };
  if (given === text.length || separator < 0) return [single(text), undefined];
  return [single(text.slice(0, separator)), single(text.slice(separator + 1))];
}

function inlineName(name: string): string {
  return name.replace(/[\t\r\n]/g, ' ');
}
