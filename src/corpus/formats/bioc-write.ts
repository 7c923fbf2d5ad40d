import { CodePointIndex } from '../../text/offsets.js';
import type { Document, Entity, Passage } from '../document.js';
import { keptExtras } from '../extras.js';
import { isObject, items, without, type JsonObject } from '../json.js';
import type { LossReport } from '../losses.js';
import { offsetWriter } from '../mentions.js';
import { untypedPassage } from './bioc.js';
import { annotationOf } from './bioc-annotation.js';
import type { BiocUnit } from './bioc-layout.js';

/**
 * A document as BioC in its JSON form: what `readBioc` kept of it in its place, its entities as annotations of the
 * passage or sentence that holds them. A mention across passages becomes an annotation of the document. Relations about
 * annotations that are gone are left out and reported.
 */
export function newBioc(document: Document, losses: LossReport): JsonObject {
  const { id, text, entities } = document;
  const { document: fields, passages: skeletons } = keptExtras(document, 'bioc');
  const { infons, annotations, relations, ...others } = isObject(fields) ? fields : {};
  const units: BiocUnit[] = [];
  const passages = newPassages(document, items(skeletons), units, losses);
  const bioc: JsonObject = {
    id,
    infons: infons ?? {},
    passages,
    annotations: [...items(annotations)],
    relations: [...items(relations)],
    ...others,
  };
  const ids = new FreeIds([...partIds(bioc), ...entities.map((entity) => entity.id)]);
  const offset = offsetsOf(text, units);
  for (const entity of entities) {
    const unit = unitOf(entity, units);
    const { annotations: list } = unit?.container ?? bioc;
    if (Array.isArray(list)) list.push(annotationOf(text, entity, ids.take(entity.id), offset(unit)));
  }
  const known = new Set(partIds(bioc));
  const gone = relationsAbout(bioc, (target) => !known.has(target));
  for (const part of parts(bioc)) {
    part['relations'] = items(part['relations']).filter((relation) => !isObject(relation) || !gone.has(relation));
  }
  reportRelations(document, gone.size, losses);
  return bioc;
}

/** The passages of a document without their mentions; `units` receives the parts that mentions belong to. */
function newPassages(
  document: Document,
  skeletons: readonly unknown[],
  units: BiocUnit[],
  losses: LossReport,
): JsonObject[] {
  const passages = writablePassages(document, losses);
  const count = offsetWriter(document.text, 'codepoint');
  const kept = skeletons.length === passages.length ? skeletons : [];
  const base = isObject(kept[0]) && typeof kept[0]['offset'] === 'number' ? kept[0]['offset'] : 0;
  return passages.map((passage, k) => {
    const skeleton = isObject(kept[k]) ? kept[k] : {};
    const { offset } = skeleton;
    const place = typeof offset === 'number' ? offset : base + count(passage.start);
    return newPassage(document.text, passage, skeleton, place, units);
  });
}

function newPassage(
  text: string,
  { kind, start, end }: Passage,
  skeleton: JsonObject,
  offset: number,
  units: BiocUnit[],
): JsonObject {
  const { infons, sentences, annotations, relations } = skeleton;
  const own = text.slice(start, end);
  const inner = items(sentences).filter(isObject);
  const type = kind === untypedPassage ? {} : { type: kind };
  const passage: JsonObject = { offset, infons: { ...type, ...(isObject(infons) ? infons : {}) } };
  const divided = inner.length > 0 && dividedText(own, inner);
  if (divided === false) passage['text'] = own;
  passage['sentences'] =
    divided === false
      ? inner
      : divided.map(({ sentence, span }) => {
          const place = offset + Number(sentence['start']);
          const part: JsonObject = {
            offset: place,
            infons: {},
            text: own.slice(span.start, span.end),
            ...without(sentence, 'start', 'length'),
            annotations: [...items(sentence['annotations'])],
            relations: [...items(sentence['relations'])],
          };
          units.push({ container: part, offset: place, start: start + span.start, end: start + span.end });
          return part;
        });
  passage['annotations'] = [...items(annotations)];
  passage['relations'] = [...items(relations)];
  Object.assign(passage, without(skeleton, 'infons', 'offset', 'sentences', 'annotations', 'relations'));
  if (divided === false) units.push({ container: passage, offset, start, end });
  return passage;
}

/** The places of sentences in their passage's text; false unless all are known and hold all that is not blank. */
function dividedText(text: string, sentences: readonly JsonObject[]) {
  const index = new CodePointIndex(text);
  let last = 0;
  const divided: { sentence: JsonObject; span: { start: number; end: number } }[] = [];
  for (const sentence of sentences) {
    const { start, length } = sentence;
    if (typeof start !== 'number' || typeof length !== 'number') return false;
    if (![start, length].every((count) => Number.isSafeInteger(count) && count >= 0)) return false;
    if (start + length > index.codePointLength) return false;
    const span = { start: index.toUtf16(start), end: index.toUtf16(start + length) };
    if (span.start < last || text.slice(last, span.start).trim() !== '') return false;
    last = span.end;
    divided.push({ sentence, span });
  }
  return text.slice(last).trim() === '' && divided;
}

/** The passages of a document if they hold its whole text in order; otherwise one that is the text. */
function writablePassages(document: Document, losses: LossReport): readonly Passage[] {
  const { text, passages = [] } = document;
  const whole = [{ kind: untypedPassage, start: 0, end: text.length }];
  if (passages.length === 0) return document.passages === undefined || text !== '' ? whole : [];
  const gaps = passages.slice(1).map(({ start }, k) => ({ from: passages[k]?.end ?? 0, to: start }));
  const covers =
    passages[0]?.start === 0 &&
    passages.at(-1)?.end === text.length &&
    passages.every(({ start, end }) => start <= end) &&
    gaps.every(({ from, to }) => from <= to && to - from <= 100 && text.slice(from, to).trim() === '');
  if (!covers) {
    losses.detail(document, 'passages, which do not hold the whole text in its order');
    return whole;
  }
  if (gaps.some(({ from, to }) => from < to && !/^ *\n$/.test(text.slice(from, to)))) {
    losses.detail(document, 'the blank space between passages, read back as a line break');
  }
  return passages;
}

/** Identifiers for annotations: their own, or the next free one of T1, T2, ... */
export class FreeIds {
  readonly #reserved: Set<string>;
  readonly #used = new Set<string>();
  #serial = 0;

  /** @param reserved identifiers that are not given away */
  constructor(reserved: Iterable<string | undefined>) {
    this.#reserved = new Set([...reserved].filter((id) => id !== undefined));
  }

  take(id: string | undefined): string {
    let chosen = id;
    if (chosen === undefined || chosen === '' || this.#used.has(chosen)) {
      do chosen = `T${(this.#serial += 1)}`;
      while (this.#reserved.has(chosen) || this.#used.has(chosen));
    }
    this.#used.add(chosen);
    return chosen;
  }

  has(id: string): boolean {
    return this.#used.has(id);
  }
}

/** The passage or sentence that holds a whole mention. */
export function unitOf({ spans }: Entity, units: readonly BiocUnit[]): BiocUnit | undefined {
  return units.find((unit) => spans.every(({ start, end }) => unit.start <= start && end <= unit.end));
}

/** Converts places in a text to BioC's offsets: relative to the unit given, else to the last that begins before. */
export function offsetsOf(text: string, units: readonly BiocUnit[]) {
  const count = offsetWriter(text, 'codepoint');
  return (within: BiocUnit | undefined) =>
    (place: number): number => {
      const unit = within ?? units.findLast(({ start }) => start <= place);
      return unit === undefined ? count(place) : unit.offset + count(place) - count(unit.start);
    };
}

/** A document, its passages and their sentences. */
export function parts(bioc: JsonObject): JsonObject[] {
  const inner = (part: JsonObject, field: string) => items(part[field]).filter(isObject);
  const passages = inner(bioc, 'passages');
  return [bioc, ...passages, ...passages.flatMap((passage) => inner(passage, 'sentences'))];
}

/** The identifiers of all annotations and relations of a document. */
export function partIds(bioc: JsonObject): string[] {
  return parts(bioc)
    .flatMap(({ annotations, relations }) => [...items(annotations), ...items(relations)])
    .flatMap((part) => (isObject(part) && part['id'] !== undefined ? [String(part['id'])] : []));
}

/** The relations with a node that is gone, and those about these. */
export function relationsAbout(bioc: JsonObject, isGone: (id: string) => boolean): Set<JsonObject> {
  const relations = parts(bioc).flatMap((part) => items(part['relations']).filter(isObject));
  const found = new Set<JsonObject>();
  const goneIds = new Set<string>();
  for (let before = -1; before !== found.size;) {
    before = found.size;
    for (const relation of relations) {
      const targets = items(relation['nodes']).map((node) => (isObject(node) ? String(node['refid']) : ''));
      if (found.has(relation) || !targets.some((id) => goneIds.has(id) || isGone(id))) continue;
      found.add(relation);
      goneIds.add(String(relation['id']));
    }
  }
  return found;
}

/** What no form of BioC keeps: what other formats said beside text and mentions. */
export function reportExtras(document: Document, losses: LossReport): void {
  losses.details({ ...document, entities: [] }, { attributes: [], extras: ['bioc'] });
}

export function reportRelations(document: Document, count: number, losses: LossReport): void {
  if (count > 0) losses.detail(document, `${count} relations about mentions that are no longer there`);
}
