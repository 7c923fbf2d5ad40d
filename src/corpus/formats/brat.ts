import { InputError } from '../../errors.js';
import type { Document, Entity } from '../document.js';
import { compact, interleaved, keptExtras, keptLines, type ExtraLine } from '../extras.js';
import type { Format, Piece, ReadOptions, Source } from '../format.js';
import { lineBatches, stem, wholeText, withoutReturn } from '../lines.js';
import { LossReport } from '../losses.js';
import { inlineMention, MentionReader, offsetWriter, quoted, sameMention } from '../mentions.js';
import { defaultTypes, mappedType } from '../types.js';

const TEXT_BOUND = /^(T\S*)\t(\S+) (\d+ \d+(?:;\d+ \d+)*)(?:\t([^]*))?$/;
const NORMALISATION = /^N\S*\t\S+ (T\S*) (\S.*?)(?:\t|$)/;

/**
 * brat standoff: `NAME.txt` holds the text, `NAME.ann` its annotations. `T` lines are mentions, also discontinuous
 * (`T1 Disease 0 5;10 15 text`), with offsets in code points; `R`, `E`, `A`, `M`, `N`, `*` and `#` lines are kept as
 * they are and written back. The first reference of a mention (`N1 Reference T1 MeSH:D061325`) is also its attribute
 * `concept`. A `.txt` without `.ann` has no mentions. https://brat.nlplab.org/standoff.html
 */
export const brat: Format = {
  name: 'brat',
  description: 'brat standoff: a folder of .txt and .ann files, or one such pair',
  loses: 'scores; lines about mentions that were removed',
  extensions: ['.ann'],
  matches: (_head, fileName) => /\.ann(?:\.gz)?$/i.test(fileName),

  async *read(source, options) {
    const isAnnotation = /\.ann(?:\.gz)?$/i.test(source.name);
    const other = await source.sibling?.(isAnnotation ? '.txt' : '.ann');
    if (isAnnotation && other === undefined) {
      throw new InputError('expected a .txt file beside the .ann file, found none', { file: source.name });
    }
    const [textFile, annotations] = isAnnotation ? [other ?? source, source] : [source, other];
    yield await readPair(textFile, annotations, options);
  },

  async *write(documents, { onLoss }) {
    const losses = new LossReport('brat', onLoss);
    const names = new Set<string>();
    for await (const document of documents) {
      const name = fileName(document.id);
      if (names.has(name)) throw new InputError(`expected one document for each file, found ${quoted(name)} again`);
      names.add(name);
      if (name !== document.id) losses.detail(document, `the identifier, written as ${quoted(name)}`);
      yield* formatDocument(document, name, losses);
    }
  },
};

async function readPair(textFile: Source, annotations: Source | undefined, options: ReadOptions): Promise<Document> {
  const { offsets: unit = 'codepoint', repairOffsets: repair, onRepair } = options;
  const text = await wholeText(textFile, options.maxBytes);
  const id = stem(textFile.name);
  if (annotations === undefined) return { id, text, entities: [] };
  const reader = new MentionReader(text, annotations.name, { unit, repair, onRepair });
  const entities: Entity[] = [];
  const lines: ExtraLine[] = [];
  let crlf = false;
  let unterminated = false;
  for await (const batch of lineBatches(annotations, options.maxBytes)) {
    let number = batch.first;
    unterminated = !batch.terminated;
    for (const raw of batch.lines) {
      const line = withoutReturn(raw);
      crlf ||= line.length < raw.length;
      if (line.startsWith('T')) entities.push(parseTextBound(line, number, reader, options));
      else if (line.trim() === '' || /^[A-Z#*]\S*\t/.test(line)) lines.push({ after: entities.length, line });
      else
        throw new InputError(`expected a brat annotation, found ${quoted(line)}`, {
          file: annotations.name,
          line: number,
        });
      number += 1;
    }
  }
  const extras = compact({ crlf, unterminated, lines });
  return {
    id,
    text,
    entities: withConcepts(entities, lines),
    ...(Object.keys(extras).length > 0 ? { extras: { brat: extras } } : {}),
  };
}

function parseTextBound(line: string, number: number, reader: MentionReader, options: ReadOptions): Entity {
  const [, id = '', name = '', offsets = '', mention] = TEXT_BOUND.exec(line) ?? [];
  if (id === '') {
    throw new InputError(`expected a mention like "T1<TAB>Type 0 5<TAB>text", found ${quoted(line)}`, {
      file: reader.file,
      line: number,
    });
  }
  const fragments = offsets.split(';').map((pair): [number, number] => {
    const [start, end] = pair.split(' ').map(Number);
    return [start ?? NaN, end ?? NaN];
  });
  const spans = reader.spans(fragments, mention, number);
  const { type, sourceType } = mappedType(name, options.types ?? defaultTypes);
  const attributes: Record<string, string> = {};
  if (sourceType !== undefined) attributes['sourceType'] = sourceType;
  if (mention !== undefined && inlineMention(reader.text, spans) !== mention) attributes['mention'] = mention;
  return { id, type, spans, ...(Object.keys(attributes).length > 0 ? { attributes } : {}) };
}

function withConcepts(entities: readonly Entity[], lines: readonly ExtraLine[]): Entity[] {
  const concepts = new Map<string, string>();
  for (const { line } of lines) {
    const [, target = '', concept = ''] = NORMALISATION.exec(line) ?? [];
    if (target !== '' && !concepts.has(target)) concepts.set(target, concept);
  }
  return entities.map((entity) => {
    const concept = concepts.get(entity.id ?? '');
    return concept === undefined ? entity : { ...entity, attributes: { ...entity.attributes, concept } };
  });
}

function* formatDocument(document: Document, name: string, losses: LossReport): Generator<Piece, void> {
  const { text } = document;
  const { crlf, unterminated, lines: kept } = keptExtras(document, 'brat');
  losses.details(document, { attributes: ['concept', 'sourceType', 'mention'], extras: ['brat'] });
  const offset = offsetWriter(text, 'codepoint');
  const extras = keptLines(kept);
  const ids = mentionIds(document.entities, extras);
  const mentions = document.entities.map((entity, k) => {
    const fragments = entity.spans.map(({ start, end }) => `${offset(start)} ${offset(end)}`).join(';');
    const { sourceType, mention } = entity.attributes ?? {};
    const type = (sourceType ?? entity.type).replace(/\s+/g, '_');
    const own = inlineMention(text, entity.spans);
    const written = mention !== undefined && sameMention(own, mention) ? mention : own;
    return `${ids[k]}\t${type} ${fragments}\t${written}`;
  });
  const own = new Set(ids.filter((id, k) => id === document.entities[k]?.id));
  const lines = survivingLines(document, extras, own, losses);
  lines.push(...newReferences(document.entities, ids, lines));
  lines.sort((a, b) => a.after - b.after);
  const written = interleaved(mentions, lines);
  const lineBreak = crlf === true ? '\r\n' : '\n';
  yield { file: `${name}.txt`, text };
  yield {
    file: `${name}.ann`,
    text: written.join(lineBreak) + (written.length > 0 && unterminated !== true ? lineBreak : ''),
  };
}

/**
 * The mentions' own `T` identifiers, and free ones for those that have none or a second one; an identifier that a kept
 * line is about is not free, or the line would be about another mention.
 */
function mentionIds(entities: readonly Entity[], kept: readonly ExtraLine[]): string[] {
  const taken = new Set([...entities.map(({ id }) => id), ...kept.flatMap(({ line }) => targets(line))]);
  const used = new Set<string>();
  let serial = 0;
  return entities.map(({ id = '' }) => {
    let chosen = id;
    if (!/^T\d\S*$/.test(id) || used.has(id)) {
      do chosen = `T${(serial += 1)}`;
      while (taken.has(chosen));
    }
    used.add(chosen);
    return chosen;
  });
}

/** The kept lines whose mentions are all still there; the others are reported, and those that refer to them go too. */
function survivingLines(
  document: Document,
  lines: readonly ExtraLine[],
  ids: ReadonlySet<string>,
  losses: LossReport,
): ExtraLine[] {
  const gone = new Set<string>();
  let left = [...lines];
  for (let before = -1; before !== left.length;) {
    before = left.length;
    left = left.filter(({ line }) => {
      const alive = targets(line).every((target) => !gone.has(target) && (!/^T\d/.test(target) || ids.has(target)));
      const [id = '*'] = line.split('\t', 1);
      if (!alive && id !== '*') gone.add(id);
      return alive;
    });
  }
  if (left.length < lines.length) {
    losses.detail(document, `${lines.length - left.length} lines about mentions that are no longer there`);
  }
  return left;
}

/** The identifiers that a line is about: `R1 Type Arg1:T1 Arg2:T2`, `E1 Type:T1 Theme:E2`, `A1 Negation E1`, ... */
function targets(line: string): string[] {
  const [id = '', body = ''] = line.split('\t', 2);
  const words = body.split(' ');
  if (/^[NAM#]/.test(id)) return words.slice(1, 2);
  return words.filter((word, k) => k > 0 || word.includes(':')).map((word) => word.slice(word.lastIndexOf(':') + 1));
}

/** `N` lines for concepts that no kept line states. */
function newReferences(entities: readonly Entity[], ids: readonly string[], kept: readonly ExtraLine[]): ExtraLine[] {
  const stated = new Set(kept.map(({ line }) => NORMALISATION.exec(line)?.[1]));
  const used = new Set(kept.map(({ line }) => line.split('\t', 1)[0]));
  let serial = 0;
  return entities.flatMap(({ attributes }, k) => {
    const concept = attributes?.['concept']?.replace(/\s+/g, ' ').trim();
    const id = ids[k];
    if (!concept || id === undefined || stated.has(id)) return [];
    do serial += 1;
    while (used.has(`N${serial}`));
    return [{ after: k + 1, line: `N${serial}\tReference ${id} ${concept}` }];
  });
}

/** A document's identifier as a file name. */
function fileName(id: string): string {
  const name = id.replace(/[\u0000-\u001f\u007f<>:"/\\|?*]/g, '_');
  return /^\.*$/.test(name) ? `_${name}` : name;
}
