import { InputError } from '../../errors.js';
import type { Span } from '../../text/span.js';
import type { Entity } from '../document.js';
import type { ReadOptions } from '../format.js';
import { quoted } from '../mentions.js';
import { defaultTypes, mappedType } from '../types.js';

interface Tag {
  /** `O` outside, `B` beginning, `I` inside, `E` end, `S` single. */
  readonly prefix: 'O' | 'B' | 'I' | 'E' | 'S';
  readonly name: string;
}

const outside: Tag = { prefix: 'O', name: '' };
const prefixes: Readonly<Record<string, Tag['prefix']>> = { B: 'B', I: 'I', E: 'E', L: 'E', S: 'S', U: 'S' };

/** The type of mentions whose tags are a bare `B` and `I`, as some corpora of one type have them. */
export const untyped = 'Entity';

const TAG = /^([BIESLU])(?:-(\S.*))?$/;

/** Whether a string is a tag of any of the schemes. */
export function isTag(tag: string): boolean {
  return tag === 'O' || TAG.test(tag);
}

/** Collects tags, one word after the other, into mentions. */
export class TagReader {
  readonly #tags = new Map<string, Tag>([['O', outside]]);
  #name: string | undefined;
  #start = 0;
  #end = 0;

  /** @param found called with each mention when it is complete, in order */
  constructor(
    readonly file: string,
    readonly options: ReadOptions,
    readonly found: (entity: Entity) => void,
  ) {}

  /**
   * The tag of the next word, which is at `span`.
   * @throws InputError for what is no tag, and for an `I-` or `E-` tag that continues nothing, unless the scheme is IOB1
   *   or tags are repaired; then it begins a mention
   */
  add(text: string, span: Span, line: number): void {
    const { prefix, name } = this.#parsed(text, line);
    if (prefix === 'I' || prefix === 'E') {
      if (this.#name !== name) this.#requireLenient(text, name, line);
      if (this.#name === name) this.#end = span.end;
      else this.#open(name, span);
    } else if (prefix === 'O') {
      this.end();
    } else {
      this.#open(name, span);
    }
    if (prefix === 'E' || prefix === 'S') this.end();
  }

  /** The end of a sentence, which no mention crosses. */
  end(): void {
    if (this.#name === undefined) return;
    const { type, sourceType } = mappedType(this.#name, this.options.types ?? defaultTypes);
    const spans: Entity['spans'] = [{ start: this.#start, end: this.#end }];
    this.found(sourceType === undefined ? { type, spans } : { type, spans, attributes: { sourceType } });
    this.#name = undefined;
  }

  #open(name: string, { start, end }: Span): void {
    this.end();
    this.#name = name;
    this.#start = start;
    this.#end = end;
  }

  #requireLenient(tag: string, name: string, line: number): void {
    if (this.options.scheme === 'iob1') return;
    const before = this.#name === undefined ? 'no mention' : `a mention of ${this.#name}`;
    if (this.options.repairTags !== true) {
      throw new InputError(
        `expected B-${name} or O, found ${tag} after ${before} (--repair-tags takes it as a beginning)`,
        { file: this.file, line },
      );
    }
    this.options.onRepair?.({
      file: this.file,
      line,
      message: `took ${tag} after ${before} as B-${name}`,
    });
  }

  #parsed(text: string, line: number): Tag {
    const known = this.#tags.get(text);
    if (known !== undefined) return known;
    const [, letter = '', name = untyped] = TAG.exec(text) ?? [];
    const prefix = prefixes[letter];
    if (prefix === undefined)
      throw new InputError(`expected a tag like O, B-Gene or I-Gene, found ${quoted(text)}`, { file: this.file, line });
    const tag = { prefix, name };
    this.#tags.set(text, tag);
    return tag;
  }
}
