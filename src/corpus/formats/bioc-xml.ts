import type { Document } from '../document.js';
import { keptExtras } from '../extras.js';
import { tolerated } from '../faults.js';
import type { Format, ReadOptions } from '../format.js';
import { edited, isObject, items, type Edit, type JsonObject } from '../json.js';
import { framed, type Frame, type KeptSource } from '../kept-source.js';
import { stem } from '../lines.js';
import { LossReport } from '../losses.js';
import { unchangedTypes } from '../types.js';
import { childElements, hasInvalidCharacters, parseXml, xmlRecords, type XmlElement } from '../xml.js';
import { readBioc, type BiocReading } from './bioc.js';
import { updateBioc, type BiocChange } from './bioc-update.js';
import { newBioc, parts, reportExtras } from './bioc-write.js';
import {
  annotationToXml,
  collectionFromXml,
  collectionToXml,
  documentFromXml,
  documentToXml,
  unsaid,
  type ElementMap,
} from './bioc-xml-elements.js';

/**
 * BioC in XML: `<collection>` of documents with passages, sentences, infons, annotations and relations; see `readBioc`.
 * Offsets count code points. Annotations are changed inside of the file's own text, all else stays as it is.
 * Comeau et al. 2013, doi:10.1093/database/bat064, and its BioC.dtd
 */
export const biocXml: Format = {
  name: 'bioc-xml',
  description: 'BioC in XML: collections with passages, infons, annotations and relations',
  loses: 'control characters, fields that only JSON has, relations about mentions that were removed',
  extensions: ['.bioc.xml', '.BioC.xml', '.xml'],
  matches: (head) => /^\s*</.test(head) && /<collection[\s>]/.test(head),

  async *read(source, options) {
    const prefix = stem(source.name);
    let collection: JsonObject | undefined;
    const { maxBytes } = options;
    for await (const { element, source: kept } of xmlRecords(source, { ...names, format: 'bioc-xml', maxBytes })) {
      collection ??= collectionFromXml(parseXml(`${kept.head}</collection>`, kept.file));
      const fallbackId = `${prefix}:${kept.index + 1}`;
      const known = collection;
      const reading = tolerated(options, () => readRecord(element, kept.file, options, known, fallbackId));
      if (reading === undefined) continue;
      const { document, repaired } = reading;
      yield repaired ? document : { ...document, extras: { ...document.extras, source: kept } };
    }
  },

  async *write(documents, { onLoss }) {
    const losses = new LossReport('bioc-xml', onLoss);
    const frame: Frame = {
      format: 'bioc-xml',
      head: (first, kept) => ({ text: kept?.head ?? newHead(first), isOwn: true }),
      separator: () => '\n',
      tail: () => '\n</collection>\n',
      empty: `${HEAD}${collectionToXml({})}</collection>\n`,
      document: (document, kept) => {
        reportExtras(document, losses);
        return (kept === undefined ? undefined : updated(document, kept, losses)) ?? newRecord(document, losses);
      },
    };
    yield* framed(documents, frame);
  },
};

const HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE collection SYSTEM "BioC.dtd">\n';
const names = { roots: new Set(['collection']), records: new Set(['document']) };

type XmlReading = BiocReading & { readonly bioc: JsonObject; readonly elements: ElementMap };

function readRecord(
  element: XmlElement,
  file: string,
  options: ReadOptions,
  collection: JsonObject,
  fallbackId: string,
): XmlReading {
  const elements: ElementMap = new Map();
  const bioc = documentFromXml(element, elements);
  const line = (part: JsonObject) => elements.get(part)?.line ?? element.line;
  return { bioc, elements, ...readBioc(bioc, collection, options, { file, line, fallbackId }) };
}

function newHead(first: Document): string {
  const { collection } = keptExtras(first, 'bioc');
  return `${HEAD}${collectionToXml(isObject(collection) ? collection : {})}\n`;
}

function newRecord(document: Document, losses: LossReport): string {
  const bioc = newBioc(document, losses);
  for (const what of unsaid(bioc)) losses.detail(document, what);
  if (hasInvalidCharacters(document.text))
    losses.detail(document, 'characters that XML has not, written as spaces or U+FFFD');
  return documentToXml(bioc);
}

/** The element as it was, with other annotations where they changed. */
function updated(document: Document, kept: KeptSource, losses: LossReport): string | undefined {
  const element = parseXml(kept.text, kept.file);
  const reading = readRecord(element, kept.file, { types: unchangedTypes }, {}, document.id);
  const { bioc, elements } = reading;
  const update = updateBioc(document, bioc, reading, losses);
  if (update === undefined) return undefined;
  const edits: Edit[] = [];
  for (const part of parts(bioc)) {
    const container = elements.get(part);
    const change = update.changes.get(part);
    if (container === undefined) continue;
    if (change !== undefined) edits.push(...annotationEdits(kept.text, container, change, elements));
    for (const relation of items(part['relations'])) {
      const own = isObject(relation) && update.goneRelations.has(relation) ? elements.get(relation) : undefined;
      if (own !== undefined) edits.push(removal(kept.text, own));
    }
  }
  return edited(kept.text, edits);
}

function annotationEdits(
  text: string,
  container: XmlElement,
  { removed, replaced, added }: BiocChange,
  elements: ElementMap,
): Edit[] {
  const edits: Edit[] = [];
  const anchor = childElements(container)
    .filter(({ name }) => name !== 'relation')
    .at(-1);
  const outer = anchor === undefined ? '' : blankBefore(text, anchor.start);
  const [sample] = childElements(container, 'annotation').flatMap((annotation) =>
    childElements(annotation).slice(0, 1),
  );
  const step = outer.slice(blankBefore(text, container.start).length);
  const inner = sample === undefined ? outer + step : blankBefore(text, sample.start);
  const end = inner === '' ? '' : outer;
  for (const annotation of removed) {
    const own = elements.get(annotation);
    if (own !== undefined) edits.push(removal(text, own));
  }
  for (const [annotation, other] of replaced) {
    const own = elements.get(annotation);
    if (own !== undefined) edits.push({ start: own.start, end: own.end, text: annotationToXml(other, inner, end) });
  }
  const place = anchor?.end ?? container.contentStart;
  const more = added.map((annotation) => outer + annotationToXml(annotation, inner, end)).join('');
  if (more !== '') edits.push({ start: place, end: place, text: more });
  return edits;
}

/** The removal of an element and of the white space before it. */
function removal(text: string, { start, end }: XmlElement): Edit {
  return { start: start - blankBefore(text, start).length, end, text: '' };
}

function blankBefore(text: string, place: number): string {
  return /\s*$/.exec(text.slice(Math.max(0, place - 200), place))?.[0] ?? '';
}
