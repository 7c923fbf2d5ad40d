import { InputError } from '../../errors.js';
import type { Span } from '../../text/span.js';
import type { Document, Entity, Sentence } from '../document.js';
import { compact } from '../extras.js';
import { tolerated } from '../faults.js';
import type { Format, ReadOptions } from '../format.js';
import { lineBatches, stem, withoutReturn } from '../lines.js';
import { quoted } from '../mentions.js';
import { DOCUMENT_START, iobColumns, looksLikeIob } from './iob-columns.js';
import { TagReader } from './iob-tags.js';
import { writeIob } from './iob-write.js';

/**
 * Sentences of words with tags, one word a line, blank lines between sentences: two to four columns, the word first and
 * the tag last, divided by tabs or else by spaces. IOB2; IOBES and BILOU (`S-`/`U-`, `E-`/`L-`) by their tags; IOB1 by
 * option. `-DOCSTART-` lines begin documents; without them every `sentencesPerDocument` sentences are one. The text is
 * the words joined by spaces and the sentences by line breaks; identifiers are `stem:n` with the 1-based number of the
 * document or of its first sentence, unless the `-DOCSTART-` line has one in its second column.
 * Ramshaw and Marcus 1995; the CoNLL-2003 shared task.
 */
export const iob: Format = {
  name: 'iob',
  description: 'IOB columns (CoNLL): one word and its tag a line',
  loses: 'nested and discontinuous mentions, mentions inside of words, the spacing of the text, scores, concepts',
  extensions: ['.tsv', '.iob', '.iob2', '.conll', '.bio'],
  matches: looksLikeIob,

  async *read(source, options) {
    const reader = new IobReader(source.name, options);
    for await (const batch of lineBatches(source, options.maxBytes)) {
      let number = batch.first;
      for (const line of batch.lines) {
        const place = number;
        const document = tolerated(options, () => ({ complete: reader.add(line, place) }));
        if (document === undefined) reader.skip();
        else if (document.complete !== undefined) yield document.complete;
        number += 1;
      }
    }
    const last = reader.end();
    if (last !== undefined) yield last;
  },

  write: writeIob,
};

/** Collects the lines of a document; it is complete when the next one starts. */
class IobReader {
  readonly #prefix: string;
  readonly #group: number;
  readonly #tags: TagReader;
  #parts: string[] = [];
  #length = 0;
  #sentences: Sentence[] = [];
  #words: Span[] = [];
  #wordCount = 0;
  #middle: string[] = [];
  #entities: Entity[] = [];
  #documentStart: string | undefined;
  #isFaulty = false;
  #sentenceNumber = 0;
  #documentNumber = 0;

  constructor(
    readonly file: string,
    options: ReadOptions,
  ) {
    this.#prefix = stem(file);
    this.#group = options.sentencesPerDocument ?? 1;
    this.#tags = new TagReader(file, options, (entity) => this.#entities.push(entity));
  }

  /** A document, when this line shows that it is complete. */
  add(raw: string, number: number): Document | undefined {
    const line = withoutReturn(raw);
    if (line.startsWith(DOCUMENT_START)) {
      const complete = this.end();
      this.#documentStart = line;
      return complete;
    }
    if (line.trim() === '') {
      this.#endSentence();
      const full = this.#documentStart === undefined && (this.#isFaulty || this.#sentences.length >= this.#group);
      return full ? this.end() : undefined;
    }
    if (!this.#isFaulty) this.#addWord(line, number);
    return undefined;
  }

  /** Leaves out the document that a line at fault is in; its sentence is counted. */
  skip(): void {
    if (this.#words.length === 0) this.#sentenceNumber += 1;
    this.#isFaulty = true;
  }

  end(): Document | undefined {
    this.#endSentence();
    if (this.#sentences.length === 0 && this.#documentStart === undefined && !this.#isFaulty) return undefined;
    this.#documentNumber += 1;
    const id = /^-DOCSTART-\t(?!-X-)([^\t]+)\tO$/.exec(this.#documentStart ?? '')?.[1];
    const first = this.#sentenceNumber - this.#sentences.length + 1;
    const extras = compact({
      documentStart: id === undefined ? this.#documentStart : true,
      columns: this.#middle,
    });
    const document: Document = {
      id: id ?? `${this.#prefix}:${this.#documentStart === undefined ? first : this.#documentNumber}`,
      text: this.#parts.join(''),
      entities: this.#entities,
      sentences: this.#sentences,
      ...(this.#documentStart === undefined && first > 1 ? { continues: true } : {}),
      ...(Object.keys(extras).length > 0 ? { extras: { iob: extras } } : {}),
    };
    this.#parts = [];
    this.#length = 0;
    this.#sentences = [];
    this.#middle = [];
    this.#wordCount = 0;
    this.#entities = [];
    this.#documentStart = undefined;
    const isFaulty = this.#isFaulty;
    this.#isFaulty = false;
    return isFaulty ? undefined : document;
  }

  #addWord(line: string, number: number): void {
    const tabbed = line.includes('\t');
    const separator = tabbed ? '\t' : ' ';
    const wordEnd = line.indexOf(separator);
    const content = tabbed ? line : line.trimEnd();
    const tagStart = content.lastIndexOf(separator) + 1;
    if (wordEnd <= 0 || tagStart === 0) {
      throw new InputError(`expected a word and a tag in two to four columns, found ${quoted(line)}`, {
        file: this.file,
        line: number,
      });
    }
    const word = line.slice(0, wordEnd);
    if (tagStart > wordEnd + 1) this.#keepColumns(content, number);
    this.#wordCount += 1;
    if (this.#length > 0) {
      this.#parts.push(this.#words.length > 0 ? ' ' : '\n');
      this.#length += 1;
    }
    const span = { start: this.#length, end: this.#length + word.length };
    this.#parts.push(word);
    this.#length = span.end;
    this.#words.push(span);
    this.#tags.add(content.slice(tagStart), span, number);
  }

  #keepColumns(line: string, number: number): void {
    const fields = iobColumns(line);
    if (fields.length > 4)
      throw new InputError(`expected two to four columns, found ${fields.length}`, { file: this.file, line: number });
    while (this.#middle.length < this.#wordCount) this.#middle.push('');
    this.#middle.push(fields.slice(1, -1).join('\t'));
  }

  #endSentence(): void {
    this.#tags.end();
    if (this.#words.length === 0) return;
    this.#sentences.push({ words: this.#words });
    this.#words = [];
    this.#sentenceNumber += 1;
  }
}
