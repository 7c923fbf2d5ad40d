import type { Document, Entity, Passage } from '../document.js';
import { compact } from '../extras.js';
import type { ReadOptions } from '../format.js';
import { isObject, items, without, wrongField, type JsonObject } from '../json.js';
import { offsetWriter } from '../mentions.js';
import { AnnotationReader, type BiocPlace } from './bioc-annotation.js';
import { layOut, type BiocLayout, type BiocPassage, type BiocUnit } from './bioc-layout.js';

/** A document read from BioC, and where each of its mentions came from. */
export interface BiocReading {
  readonly document: Document;
  readonly layout: BiocLayout;
  /** For each entity its annotation and what contained it: a passage, a sentence or the document. */
  readonly origins: readonly { readonly annotation: JsonObject; readonly container: JsonObject }[];
  /** Whether offsets were in another unit than code points; then the file's own characters are not worth keeping. */
  readonly repaired: boolean;
}

/** The kind of a passage without `type`. */
export const untypedPassage = 'passage';

/**
 * A document from the JSON form of BioC, into which the XML form is turned. The text is laid out by `layOut`; sentences
 * make the text of a passage that has none. The kind of a passage is its infon `type`. Of an annotation, the infon
 * `type` is the type, `identifier` (or `MESH` and the like) the attribute `concept`, other infons are attributes. What
 * is beside text and mentions is kept as `extras.bioc`; annotations without a location too.
 * Comeau et al. 2013, doi:10.1093/database/bat064
 * @throws InputError when a field is of the wrong kind or a mention not at its place
 */
export function readBioc(
  bioc: JsonObject,
  collection: JsonObject,
  options: ReadOptions,
  place: BiocPlace & { readonly fallbackId: string },
): BiocReading {
  const at = { file: place.file, line: place.line(bioc) };
  const { offsets: unit = 'codepoint' } = options;
  const layout = layOut(bioc, unit, at);
  const id = documentId(bioc) ?? place.fallbackId;
  let repaired = unit !== 'codepoint';
  const onRepair: ReadOptions['onRepair'] = (repair) => {
    repaired = true;
    options.onRepair?.(repair);
  };
  const reader = new AnnotationReader(layout, place, { ...options, onRepair }, ` in document ${id}`, options.onRepair);
  const entities: Entity[] = [];
  const origins: { annotation: JsonObject; container: JsonObject }[] = [];
  /** Reads the annotations of a container; returns those that are no entities. */
  const take = (container: JsonObject, within: BiocUnit | undefined): JsonObject[] => {
    const others: JsonObject[] = [];
    for (const annotation of items(container['annotations'])) {
      if (!isObject(annotation)) throw wrongField('objects in "annotations"', annotation, at);
      const entity = reader.entity(annotation, within);
      if (entity === undefined) {
        others.push(annotation);
      } else {
        entities.push(entity);
        origins.push({ annotation, container });
      }
    }
    return others;
  };
  const skeletons = layout.passages.map((laid) => passageSkeleton(laid, layout, take));
  const documentRest = rest(
    bioc,
    ['passages', 'annotations', ...(bioc['id'] === id ? ['id'] : [])],
    take(bioc, undefined),
  );
  if (!repaired) addOffsets(skeletons, layout);
  const extras = compact({
    collection: Object.keys(collection).length > 0 ? collection : undefined,
    document: Object.keys(documentRest).length > 0 ? documentRest : undefined,
    passages: skeletons.some((skeleton) => Object.keys(skeleton).length > 0) ? skeletons : undefined,
  });
  const passages = layout.passages.map(({ passage, span: { start, end } }): Passage => {
    return { kind: typeOf(passage) ?? untypedPassage, start, end };
  });
  const kept = Object.keys(extras).length > 0 ? { extras: { bioc: extras } } : {};
  return { document: { id, text: layout.text, entities, passages, ...kept }, layout, origins, repaired };
}

function documentId({ id, pmid }: JsonObject): string | undefined {
  return [id, pmid].filter((value) => typeof value === 'string' || typeof value === 'number').map(String)[0];
}

/** The infon `type` of a passage. */
function typeOf({ infons }: JsonObject): string | undefined {
  const type = isObject(infons) ? infons['type'] : undefined;
  return typeof type === 'string' ? type : undefined;
}

/** What a passage says beside its text, its kind and its mentions. */
function passageSkeleton(
  { passage, span, unit, sentences }: BiocPassage,
  { text }: BiocLayout,
  take: (container: JsonObject, within: BiocUnit | undefined) => JsonObject[],
): JsonObject {
  const skeleton = rest(passage, ['text', 'offset', 'annotations', 'sentences'], take(passage, unit));
  if (isObject(skeleton['infons']) && typeOf(passage) !== undefined) {
    const infons = Object.entries(skeleton['infons']).filter(([key]) => key !== 'type');
    if (infons.length > 0) skeleton['infons'] = Object.fromEntries(infons);
    else delete skeleton['infons'];
  }
  const count = offsetWriter(text.slice(span.start, span.end), 'codepoint');
  const inner = sentences.map(({ sentence, unit: own }): JsonObject => {
    const others = take(sentence, own ?? unit);
    if (own === undefined) return rest(sentence, ['annotations'], others);
    const start = count(own.start - span.start);
    const length = count(own.end - span.start) - start;
    return { ...rest(sentence, ['text', 'offset', 'annotations'], others), start, length };
  });
  if (inner.length > 0) skeleton['sentences'] = inner;
  return skeleton;
}

/** The offset of the first passage where it is not 0, and of the others where they do not follow from the text. */
function addOffsets(skeletons: readonly JsonObject[], { text, passages }: BiocLayout): void {
  const count = offsetWriter(text, 'codepoint');
  const base = passages[0]?.passage['offset'];
  const first = typeof base === 'number' ? base : 0;
  passages.forEach(({ passage: { offset }, span }, k) => {
    const usual = k === 0 ? 0 : first + count(span.start);
    const skeleton = skeletons[k];
    if (skeleton !== undefined && typeof offset === 'number' && offset !== usual) skeleton['offset'] = offset;
  });
}

/** An object without some fields and without empty lists, and with the annotations that are no entities. */
function rest(object: JsonObject, left: readonly string[], annotations: readonly JsonObject[]): JsonObject {
  const fields = without(object, ...left, ...lists.filter((name) => isEmpty(object[name])));
  return annotations.length > 0 ? { ...fields, annotations } : fields;
}

/** What every part has, and a writer adds where it is absent. */
const lists = ['infons', 'sentences', 'annotations', 'relations'];

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) ? value.length === 0 : isObject(value) && Object.keys(value).length === 0;
}
