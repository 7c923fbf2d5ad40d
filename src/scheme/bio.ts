import { InputError } from '../errors.js';
import { boundsOf, comparePositions, type LabelLayout, type WordEntity } from './entity.js';

export type SequenceScheme = 'BIO' | 'BIOES';
type Position = 'B' | 'I' | 'E' | 'S';

const positions: Readonly<Record<SequenceScheme, readonly Position[]>> = {
  BIO: ['B', 'I'],
  BIOES: ['B', 'I', 'E', 'S'],
};

/** Labels for each type, besides O. */
export function labelsPerType(scheme: SequenceScheme): number {
  return positions[scheme].length;
}

/**
 * Names of all labels in label order: 0 is O and type t has 1 + t times `labelsPerType` and the next ones, in the
 * order B, I or B, I, E, S. BIO is IOB2: every entity begins with B.
 */
export function tagNames(scheme: SequenceScheme, types: readonly string[]): string[] {
  return ['O', ...types.flatMap((type) => positions[scheme].map((position) => `${position}-${type}`))];
}

/**
 * Labels of a sentence's words, written into `target` [n, heads] (zero before). `heads` is 1 in a joint layout and the
 * number of types in a typed one.
 *
 * The scheme can say continuous entities that do not overlap (within a head). Of those that overlap the longer is
 * kept, then the earlier, then the type that comes first; a discontinuous one is labelled from its first word to its
 * last.
 *
 * @returns the entities that the labels do not say
 * @throws RangeError for an entity outside the sentence or its types
 */
export function sequenceLabels(
  entities: readonly WordEntity[],
  scheme: SequenceScheme,
  layout: LabelLayout,
  heads: number,
  target: Int32Array | Uint8Array,
): WordEntity[] {
  const n = target.length / heads;
  const bounded = entities.map((entity) => ({ entity, ...boundsOf(entity, n) }));
  bounded.sort((a, b) => b.last - b.first - (a.last - a.first) || comparePositions(a.entity, b.entity));
  const lost: WordEntity[] = [];
  for (const { entity, first, last } of bounded) {
    const { type, words } = entity;
    if (layout === 'typed' && type >= heads) throw new RangeError(`expected a type below ${heads}, found ${type}`);
    const head = layout === 'typed' ? type : 0;
    const length = last - first + 1;
    const cells = Array.from({ length }, (_, k) => (first + k) * heads + head);
    const free = cells.every((cell) => target[cell] === 0);
    if (!free || words.length < length) lost.push(entity);
    if (!free) continue;
    for (const [k, cell] of cells.entries()) {
      target[cell] = labelOf(scheme, positionAt(scheme, k, length), layout === 'typed' ? 0 : type);
    }
  }
  return lost.sort(comparePositions);
}

/**
 * The entities of the labels of a sentence's words. A sequence that breaks the scheme is read as conlleval reads it:
 * an I or E that follows O, another type or a complete entity begins an entity, and an entity that is not ended by E
 * ends before whatever does not continue it.
 */
export function entitiesOfLabels(labels: ArrayLike<number>, scheme: SequenceScheme): WordEntity[] {
  const kinds = positions[scheme];
  const found: WordEntity[] = [];
  let open: { readonly type: number; readonly words: number[] } | undefined;
  for (let word = 0; word < labels.length; word++) {
    const label = labels[word] ?? 0;
    if (label === 0) {
      open = undefined;
      continue;
    }
    const type = Math.floor((label - 1) / kinds.length);
    const position = kinds[(label - 1) % kinds.length];
    if (open?.type !== type || position === 'B' || position === 'S') {
      open = { type, words: [] };
      found.push(open);
    }
    open.words.push(word);
    if (position === 'E' || position === 'S') open = undefined;
  }
  return found;
}

/** Tags of a sentence of `length` words; what the scheme cannot say is treated as `sequenceLabels` does. */
export function tagsOf(
  entities: readonly WordEntity[],
  length: number,
  scheme: SequenceScheme,
  types: readonly string[],
): string[] {
  const labels = new Int32Array(length);
  sequenceLabels(entities, scheme, 'joint', 1, labels);
  const names = tagNames(scheme, types);
  return Array.from(labels, (label) => names[label] ?? 'O');
}

/**
 * The entities of BIO or BIOES tags, read as `entitiesOfLabels` does.
 * @throws InputError for what is no tag of these types
 */
export function entitiesOfTags(tags: readonly string[], types: readonly string[]): WordEntity[] {
  const numbers = new Map(tagNames('BIOES', types).map((name, label) => [name, label]));
  const labels = tags.map((tag) => {
    const label = numbers.get(tag);
    if (label === undefined) throw new InputError(`expected O or B-, I-, E-, S- and ${types.join(', ')}, found ${tag}`);
    return label;
  });
  return entitiesOfLabels(labels, 'BIOES');
}

/** Whether a label may begin a sentence, follow another, and end a sentence, so that no entity is broken. */
export interface Transitions {
  /** [labels] */
  readonly first: Uint8Array;
  /** [labels, labels], row: the label before */
  readonly next: Uint8Array;
  /** [labels] */
  readonly last: Uint8Array;
}

/** The transitions that a scheme allows (1) and forbids (0), over the labels of `tagNames`. */
export function allowedTransitions(scheme: SequenceScheme, types: number): Transitions {
  const kinds = positions[scheme];
  const labels = 1 + kinds.length * types;
  const kindOf = (label: number) => (label === 0 ? 'O' : kinds[(label - 1) % kinds.length]);
  const typeOf = (label: number) => Math.floor((label - 1) / kinds.length);
  const continues = (label: number) => kindOf(label) === 'I' || kindOf(label) === 'E';
  const isOpen = (label: number) => kindOf(label) === 'B' || kindOf(label) === 'I';
  const mustContinue = (label: number) => scheme === 'BIOES' && isOpen(label);
  const follows = (before: number, label: number) =>
    continues(label) ? isOpen(before) && typeOf(before) === typeOf(label) : !mustContinue(before);
  return {
    first: Uint8Array.from({ length: labels }, (_, label) => Number(!continues(label))),
    next: Uint8Array.from({ length: labels * labels }, (_, k) => Number(follows(Math.floor(k / labels), k % labels))),
    last: Uint8Array.from({ length: labels }, (_, label) => Number(!mustContinue(label))),
  };
}

function labelOf(scheme: SequenceScheme, position: Position, type: number): number {
  return 1 + labelsPerType(scheme) * type + positions[scheme].indexOf(position);
}

function positionAt(scheme: SequenceScheme, k: number, length: number): Position {
  if (scheme === 'BIO') return k === 0 ? 'B' : 'I';
  if (length === 1) return 'S';
  return k === 0 ? 'B' : k === length - 1 ? 'E' : 'I';
}
