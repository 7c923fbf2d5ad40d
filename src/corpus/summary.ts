import { findAbbreviations } from '../text/index.js';
import type { Document, Entity } from './document.js';
import { hull, mentionText, offsetWriter, type OffsetUnit } from './mentions.js';

/** The mentions of one name as one type. */
export interface EntityGroup {
  readonly type: string;
  /** The name as it is first written in full. */
  readonly name: string;
  readonly mentions: number;
  /** Documents with at least one of the mentions. */
  readonly documents: number;
  /** How often each way of writing it occurs, abbreviations among them, in the order of their first occurrence. */
  readonly forms: ReadonlyMap<string, number>;
  /** The first mention: its document, and its hull in that document's text. */
  readonly first: { readonly document: string; readonly start: number; readonly end: number };
}

interface Group extends EntityGroup {
  mentions: number;
  documents: number;
  readonly forms: Map<string, number>;
}

/** What a document means by an abbreviation that it explains. */
interface Meaning {
  readonly name: string;
  /** The type of the mention that holds the long form; absent where there is none. */
  readonly type?: string;
}

/**
 * Counts entities by name and type over documents. Names are compared without regard to case and to how blank space is
 * written. An abbreviation that its document explains counts as its long form, and as an entity of the long form's type.
 */
export class EntitySummary {
  readonly #groups = new Map<string, Group>();

  /** @param offsets the unit of the places of first mentions */
  constructor(readonly offsets: OffsetUnit = 'utf16') {}

  /** Counts the entities of one document. */
  add(document: Document): void {
    const { id, text, entities } = document;
    const meanings = meaningsIn(document);
    const offset = offsetWriter(text, this.offsets);
    const counted = new Set<Group>();
    for (const entity of [...entities].sort((a, b) => hull(a).start - hull(b).start)) {
      const form = nameOf(text, entity);
      const meaning = meanings.get(form);
      const { name, type = entity.type } = meaning ?? { name: form };
      const key = `${type} ${name.toLowerCase()}`;
      const { start, end } = hull(entity);
      const first = { document: id, start: offset(start), end: offset(end) };
      const group = this.#groups.get(key) ?? { type, name, mentions: 0, documents: 0, forms: new Map(), first };
      this.#groups.set(key, group);
      group.mentions += 1;
      group.forms.set(form, (group.forms.get(form) ?? 0) + 1);
      if (!counted.has(group)) group.documents += 1;
      counted.add(group);
    }
  }

  /** All groups, those with most mentions first, then by name. */
  groups(): EntityGroup[] {
    return [...this.#groups.values()].sort(
      (a, b) => b.mentions - a.mentions || b.documents - a.documents || order(a.name, b.name) || order(a.type, b.type),
    );
  }
}

/** What the short forms that a document explains mean in it: the first explanation of each counts. */
function meaningsIn(document: Document): Map<string, Meaning> {
  const { text, entities } = document;
  const meanings = new Map<string, Meaning>();
  if (entities.length === 0) return meanings;
  const byEnd = new Map<number, Entity[]>();
  for (const entity of entities) {
    const { end } = hull(entity);
    byEnd.set(end, [...(byEnd.get(end) ?? []), entity]);
  }
  for (const { short, long } of findAbbreviations(text)) {
    const form = squeezed(text.slice(short.start, short.end));
    if (meanings.has(form)) continue;
    const explained = (byEnd.get(long.end) ?? []).find((entity) => hull(entity).start <= long.start);
    meanings.set(
      form,
      explained === undefined
        ? { name: squeezed(text.slice(long.start, long.end)) }
        : { name: nameOf(text, explained), type: explained.type },
    );
  }
  return meanings;
}

function nameOf(text: string, { spans }: Entity): string {
  return squeezed(mentionText(text, spans));
}

function squeezed(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
