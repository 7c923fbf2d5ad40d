import { SaxesParser, type SaxesTagPlain } from 'saxes';
import { InputError } from '../errors.js';
import type { Source } from './format.js';
import { MAX_DEPTH } from './json.js';
import type { KeptSource } from './kept-source.js';
import { DEFAULT_MAX_BYTES, textPieces } from './lines.js';
import { quoted } from './mentions.js';

const PIECE = 1 << 16;
const LONGEST_NAME = 1000;

/** An element and its place in the text that it was parsed from, in UTF-16 code units. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly (XmlElement | string)[];
  readonly start: number;
  readonly end: number;
  /** After its start tag; equal to `end` for an element like `<a/>`. */
  readonly contentStart: number;
  /** 1-based line of its start tag in the file. */
  readonly line: number;
}

/** A record of an XML file: an element that stands for a document, with the exact text around it. */
export interface XmlRecord {
  /** Positions are relative to `source.text`. */
  readonly element: XmlElement;
  readonly source: KeptSource;
}

export interface RecordOptions {
  readonly format: string;
  /** Names of root elements that are expected. */
  readonly roots: ReadonlySet<string>;
  /** Names of elements that are records; one inside another is part of it. */
  readonly records: ReadonlySet<string>;
  /** Longest record, and longest text between records, in characters. */
  readonly maxBytes?: number | undefined;
}

/**
 * The records of an XML file one after the other; memory holds one record and one piece of the input. Entities are the
 * five of XML and characters by number; no DTD is fetched or read.
 * @throws InputError for what is not well-formed, for entity declarations, an encoding that is not UTF-8, another root,
 *   elements nested deeper than `MAX_DEPTH`, and records above `maxBytes`
 */
export async function* xmlRecords(source: Source, options: RecordOptions): AsyncGenerator<XmlRecord, void> {
  const { maxBytes = DEFAULT_MAX_BYTES } = options;
  const parser = new TreeParser(source.name, options.roots, options.records);
  let pending = '';
  let base = 0;
  let head: string | undefined;
  let index = 0;
  let held: XmlRecord | undefined;
  try {
    for await (const text of textPieces(source)) {
      for (let at = 0; at < text.length; at += PIECE) {
        const piece = text.slice(at, at + PIECE);
        pending += piece;
        for (const element of parser.write(piece)) {
          if (held !== undefined) yield held;
          const before = pending.slice(0, element.start - base);
          const own = pending.slice(element.start - base, element.end - base);
          const kept = { format: options.format, file: source.name, index, head: head ?? before, text: own };
          held = {
            element: shifted(element, -element.start),
            source: { ...kept, before: head === undefined ? '' : before },
          };
          head ??= before;
          index += 1;
          pending = pending.slice(element.end - base);
          base = element.end;
        }
        if (pending.length > maxBytes) {
          throw new InputError(`expected a document of at most ${maxBytes} bytes, found a longer one`, {
            file: source.name,
            line: parser.line,
          });
        }
      }
    }
    if (held === undefined && pending.trim() === '') return;
    parser.close();
  } catch (fault) {
    if (held !== undefined) yield held;
    throw fault;
  }
  if (held !== undefined) yield { ...held, source: { ...held.source, tail: pending } };
}

/**
 * The root element of a whole text.
 * @throws InputError when it is not well-formed
 */
export function parseXml(text: string, file: string): XmlElement {
  const parser = new TreeParser(file);
  const [element] = [...parser.write(text), ...parser.close()];
  if (element === undefined) throw new InputError('expected an element, found none', { file });
  return element;
}

/** The elements directly inside of one, all or those of a name. */
export function childElements(element: XmlElement, name?: string): XmlElement[] {
  return element.children.filter(
    (child): child is XmlElement => typeof child !== 'string' && (name === undefined || child.name === name),
  );
}

/** The first element along a path of names from `element` down. */
export function descendant(element: XmlElement, ...path: string[]): XmlElement | undefined {
  const [name, ...rest] = path;
  if (name === undefined) return element;
  for (const child of childElements(element, name)) {
    const found = descendant(child, ...rest);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** All text inside of an element, markup left out. */
export function textContent(element: XmlElement): string {
  return element.children.map((child) => (typeof child === 'string' ? child : textContent(child))).join('');
}

const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g;
const NO_CHARACTER = /[\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Whether a text has characters that XML 1.0 cannot hold: controls, written as spaces, and others, as U+FFFD. */
export function hasInvalidCharacters(text: string): boolean {
  return text.search(CONTROL) >= 0 || text.search(NO_CHARACTER) >= 0;
}

/** A text as content of an element. */
export function escapeText(text: string): string {
  return text
    .replace(CONTROL, ' ')
    .replace(NO_CHARACTER, '\ufffd')
    .replace(/[&<>\r]/g, (character) => escapes[character] ?? character);
}

/** A text as value of an attribute in double quotes. */
export function escapeAttribute(text: string): string {
  return escapeText(text).replace(/["\t\n]/g, (character) => escapes[character] ?? character);
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#13;',
  '\n': '&#10;',
  '\t': '&#9;',
};

interface OpenElement extends XmlElement {
  readonly children: (XmlElement | string)[];
  end: number;
  contentStart: number;
  attributes: Readonly<Record<string, string>>;
}

/** Builds trees of the records while the text goes by. */
class TreeParser {
  readonly #parser = new SaxesParser();
  readonly #open: OpenElement[] = [];
  #complete: XmlElement[] = [];
  #depth = 0;
  #window = '';
  #windowStart = 0;

  /** @param records without them the root itself is the one record */
  constructor(
    readonly file: string,
    roots?: ReadonlySet<string>,
    records?: ReadonlySet<string>,
  ) {
    const parser = this.#parser;
    parser.on('error', (error) => {
      throw this.#failure(`expected well-formed XML, found ${error.message.replace(/^[\d:]+ |\.$/g, '')}`, error);
    });
    parser.on('xmldecl', ({ encoding = 'UTF-8' }) => {
      if (!/^(?:utf-?8|(?:us-)?ascii)$/i.test(encoding)) {
        throw this.#failure(`expected UTF-8, found an XML declaration that says ${quoted(encoding)}`);
      }
    });
    parser.on('doctype', (doctype) => {
      if (/<!ENTITY/i.test(doctype)) throw this.#failure('expected no entity declarations, found <!ENTITY');
    });
    parser.on('opentagstart', ({ name }) => {
      this.#depth += 1;
      if (this.#depth === 1 && roots?.has(name) === false) {
        throw this.#failure(`expected ${[...roots].map((root) => `<${root}>`).join(' or ')}, found <${name}>`);
      }
      if (this.#depth > MAX_DEPTH) {
        throw this.#failure(`expected at most ${MAX_DEPTH} levels of elements, found more`);
      }
      if (this.#open.length > 0 || records?.has(name) !== false) this.#begin(name);
    });
    parser.on('opentag', (tag) => {
      this.#attributes(tag);
    });
    parser.on('closetag', () => {
      this.#end();
    });
    const addText = (text: string) => {
      this.#open.at(-1)?.children.push(text);
    };
    parser.on('text', addText);
    parser.on('cdata', addText);
  }

  get line(): number {
    return this.#parser.line;
  }

  /** The records that a piece of text completes, those before a fault in it too. */
  *write(piece: string): Generator<XmlElement, void> {
    const keep = Math.max(0, this.#window.length - LONGEST_NAME - 4);
    this.#windowStart += keep;
    this.#window = this.#window.slice(keep) + piece;
    try {
      this.#parser.write(piece);
    } catch (fault) {
      yield* this.#taken();
      throw fault;
    }
    yield* this.#taken();
  }

  close(): XmlElement[] {
    this.#parser.close();
    return this.#taken();
  }

  #taken(): XmlElement[] {
    const complete = this.#complete;
    this.#complete = [];
    return complete;
  }

  #begin(name: string): void {
    if (name.length > LONGEST_NAME) {
      throw this.#failure(`expected names of at most ${LONGEST_NAME} characters, found ${quoted(name)}`);
    }
    // The parser has read one character past the name, which may have been the end of the line.
    const past = this.#parser.position - this.#windowStart;
    const start = this.#windowStart + this.#window.lastIndexOf(`<${name}`, past);
    const line = this.line - (this.#window.charAt(past - 1) === '\n' ? 1 : 0);
    this.#open.push({ name, attributes: {}, children: [], start, end: start, contentStart: start, line });
  }

  #attributes({ attributes }: SaxesTagPlain): void {
    const element = this.#open.at(-1);
    if (element === undefined) return;
    element.attributes = attributes;
    element.contentStart = this.#parser.position;
  }

  #end(): void {
    this.#depth -= 1;
    const element = this.#open.pop();
    if (element === undefined) return;
    element.end = this.#parser.position;
    const parent = this.#open.at(-1);
    if (parent === undefined) this.#complete.push(element);
    else parent.children.push(element);
  }

  #failure(message: string, cause?: Error): InputError {
    return new InputError(message, { file: this.file, line: this.line }, cause === undefined ? {} : { cause });
  }
}

function shifted(element: XmlElement, by: number): XmlElement {
  return {
    ...element,
    children: element.children.map((child) => (typeof child === 'string' ? child : shifted(child, by))),
    start: element.start + by,
    end: element.end + by,
    contentStart: element.contentStart + by,
  };
}
