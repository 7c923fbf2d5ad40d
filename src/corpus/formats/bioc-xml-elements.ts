import { isObject, items, type JsonObject } from '../json.js';
import { childElements, escapeAttribute, escapeText, textContent, type XmlElement } from '../xml.js';

/** Elements of BioC by the objects of its JSON form. */
export type ElementMap = Map<JsonObject, XmlElement>;

/** The JSON form of a `<document>`; `elements` receives the element of each part. */
export function documentFromXml(element: XmlElement, elements: ElementMap): JsonObject {
  const id = childText(element, 'id') ?? element.attributes['id'];
  return part(element, elements, {
    ...(id === undefined ? {} : { id }),
    infons: infonsFromXml(element),
    passages: childElements(element, 'passage').map((passage) =>
      part(passage, elements, {
        ...textFromXml(passage),
        sentences: childElements(passage, 'sentence').map((sentence) =>
          part(sentence, elements, { ...textFromXml(sentence), ...aboutFromXml(sentence, elements) }),
        ),
        ...aboutFromXml(passage, elements),
      }),
    ),
    ...aboutFromXml(element, elements),
  });
}

/** What a `<collection>` says beside its documents. */
export function collectionFromXml(element: XmlElement): JsonObject {
  const fields = ['source', 'date', 'key', 'version'].map((name) => [name, childText(element, name)] as const);
  return {
    ...Object.fromEntries(fields.filter(([, text]) => text !== undefined)),
    infons: infonsFromXml(element),
  };
}

function part(element: XmlElement, elements: ElementMap, object: JsonObject): JsonObject {
  elements.set(object, element);
  return object;
}

function textFromXml(element: XmlElement): JsonObject {
  const offset = childText(element, 'offset');
  const text = childText(element, 'text');
  return {
    ...(offset === undefined ? {} : { offset: numeric(offset) }),
    infons: infonsFromXml(element),
    ...(text === undefined ? {} : { text }),
  };
}

function aboutFromXml(element: XmlElement, elements: ElementMap): JsonObject {
  const annotations = childElements(element, 'annotation').map((annotation) =>
    part(annotation, elements, {
      ...identifier(annotation),
      infons: infonsFromXml(annotation),
      locations: childElements(annotation, 'location').map(({ attributes }) => ({
        offset: numeric(attributes['offset']),
        length: numeric(attributes['length']),
      })),
      text: childText(annotation, 'text') ?? '',
    }),
  );
  const relations = childElements(element, 'relation').map((relation) =>
    part(relation, elements, {
      ...identifier(relation),
      infons: infonsFromXml(relation),
      nodes: childElements(relation, 'node').map(({ attributes }) => ({ ...attributes })),
    }),
  );
  return { annotations, relations };
}

function identifier({ attributes: { id } }: XmlElement): JsonObject {
  return id === undefined ? {} : { id };
}

/** Infons by their keys; several of one key as an array. */
function infonsFromXml(element: XmlElement): JsonObject {
  const infons = new Map<string, string[]>();
  for (const infon of childElements(element, 'infon')) {
    const { key = '' } = infon.attributes;
    infons.set(key, [...(infons.get(key) ?? []), textContent(infon)]);
  }
  return Object.fromEntries([...infons].map(([key, texts]) => [key, texts.length === 1 ? texts[0] : texts]));
}

function childText(element: XmlElement, name: string): string | undefined {
  const [child] = childElements(element, name);
  return child === undefined ? undefined : textContent(child);
}

/** A whole number, or the text itself, which the reader then refuses. */
function numeric(text: string | undefined): number | string | undefined {
  return text !== undefined && /^\s*\d{1,15}\s*$/.test(text) ? Number(text) : text;
}

/** A document of the JSON form as an element without white space between its parts. */
export function documentToXml(bioc: JsonObject): string {
  const passages = objects(bioc['passages']).map(
    (passage) =>
      `<passage>${textToXml(passage)}${objects(passage['sentences'])
        .map((sentence) => `<sentence>${textToXml(sentence)}${aboutToXml(sentence)}</sentence>`)
        .join('')}${aboutToXml(passage)}</passage>`,
  );
  const id = escapeText(String(bioc['id'] ?? ''));
  return `<document><id>${id}</id>${infonsToXml(bioc)}${passages.join('')}${aboutToXml(bioc)}</document>`;
}

/** What stands before the documents of a collection, its start tag included. */
export function collectionToXml(collection: JsonObject): string {
  const fields = ['source', 'date', 'key'].map((name) => {
    const value = collection[name];
    return `<${name}>${typeof value === 'string' ? escapeText(value) : ''}</${name}>`;
  });
  return `<collection>${fields.join('')}${infonsToXml(collection)}`;
}

/** An annotation; `inner` and `outer` are the white space before its parts and before its end tag. */
export function annotationToXml(annotation: JsonObject, inner = '', outer = ''): string {
  const { id, text, locations } = annotation;
  const places = objects(locations).map(
    ({ offset, length }) => `<location offset="${Number(offset)}" length="${Number(length)}"/>`,
  );
  const parts = [...infonElements(annotation), ...places, `<text>${escapeText(String(text ?? ''))}</text>`];
  const start = id === undefined ? '<annotation>' : `<annotation id="${escapeAttribute(String(id))}">`;
  return `${start}${parts.map((element) => inner + element).join('')}${outer}</annotation>`;
}

function textToXml(part: JsonObject): string {
  const { offset, text } = part;
  const own = typeof text === 'string' ? `<text>${escapeText(text)}</text>` : '';
  return `${infonsToXml(part)}<offset>${Number(offset ?? 0)}</offset>${own}`;
}

function aboutToXml(part: JsonObject): string {
  const annotations = objects(part['annotations']).map((annotation) => annotationToXml(annotation));
  const relations = objects(part['relations']).map((relation) => {
    const nodes = objects(relation['nodes']).map(
      ({ refid, role }) =>
        `<node refid="${escapeAttribute(String(refid ?? ''))}" role="${escapeAttribute(String(role ?? ''))}"/>`,
    );
    const id = relation['id'] === undefined ? '' : ` id="${escapeAttribute(String(relation['id']))}"`;
    return `<relation${id}>${infonsToXml(relation)}${nodes.join('')}</relation>`;
  });
  return annotations.join('') + relations.join('');
}

function infonsToXml(part: JsonObject): string {
  return infonElements(part).join('');
}

function infonElements({ infons }: JsonObject): string[] {
  return Object.entries(isObject(infons) ? infons : {}).flatMap(([key, value]) => {
    const texts = isRepeated(value) ? value : [typeof value === 'string' ? value : JSON.stringify(value)];
    return texts.map((text) => `<infon key="${escapeAttribute(key)}">${escapeText(text)}</infon>`);
  });
}

function isRepeated(value: unknown): value is string[] {
  return Array.isArray(value) && value.length > 1 && value.every((item) => typeof item === 'string');
}

/** What of a document XML cannot say: infons that are no text (they become JSON), and fields that BioC does not name. */
export function unsaid(bioc: JsonObject): string[] {
  const found = new Set<string>();
  const known = new Set(
    'id infons offset text passages sentences annotations relations locations nodes refid role length'.split(' '),
  );
  const visit = (object: JsonObject): void => {
    for (const [name, value] of Object.entries(object)) {
      if (name === 'infons') {
        const others = Object.values(isObject(value) ? value : {}).filter(
          (infon) => typeof infon !== 'string' && !isRepeated(infon),
        );
        if (others.length > 0) found.add('infons that are no text, written as JSON');
      } else if (known.has(name)) {
        for (const item of objects(value)) visit(item);
      } else {
        found.add(`the field ${name}`);
      }
    }
  };
  visit(bioc);
  return [...found];
}

function objects(value: unknown): JsonObject[] {
  return items(value).filter(isObject);
}
