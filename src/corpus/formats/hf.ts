import { InputError, type Location } from '../../errors.js';
import type { Span } from '../../text/span.js';
import type { Document, Entity } from '../document.js';
import { compact, keptExtras } from '../extras.js';
import { tolerated } from '../faults.js';
import type { Format, ReadOptions } from '../format.js';
import { edited, isObject, jsonNodes, parseObject, topFields, wrongField, type JsonObject } from '../json.js';
import { framed, type Frame, type KeptSource } from '../kept-source.js';
import { lineBatches, stem } from '../lines.js';
import { LossReport } from '../losses.js';
import { sameMentions } from '../mentions.js';
import { unchangedTypes } from '../types.js';
import { TagReader } from './iob-tags.js';
import { wordTags } from './word-tags.js';

const tagFields = ['ner_tags', 'tags', 'labels'];

/**
 * One JSON object a line, as Hugging Face `datasets` writes token classification sets: `{"id", "tokens": ["Lithium",
 * ...], "ner_tags": ["B-Chemical", ...]}`; `tags` and `labels` are understood too. Tags are those of `iob`, or numbers
 * whose names the option `tagNames` gives. Tokens without tags have no mentions yet. The text is the tokens joined by
 * spaces, one sentence. Other fields are kept.
 * https://huggingface.co/docs/datasets/loading#json and https://huggingface.co/docs/transformers/tasks/token_classification
 */
export const hf: Format = {
  name: 'hf',
  description: 'JSON lines of Hugging Face datasets: tokens and ner_tags',
  loses:
    'nested and discontinuous mentions, mentions inside of words, the spacing of the text, sentences, scores, concepts',
  extensions: ['.hf.jsonl'],
  matches: (head) => {
    const [first = ''] = head.trimStart().split('\n', 1);
    const fields = first.startsWith('{') ? topFields(first) : new Set<string>();
    const isTagged = tagFields.some((name) => fields.has(name));
    return fields.has('tokens') && !fields.has(isTagged ? 'entities' : 'text');
  },

  async *read(source, options) {
    let held: { document: Document; kept: Omit<KeptSource, 'tail'> } | undefined;
    let head: string | undefined;
    let blanks = '';
    let index = 0;
    let terminated = true;
    for await (const batch of lineBatches(source, options.maxBytes)) {
      terminated = batch.terminated;
      let line = batch.first;
      for (const text of batch.lines) {
        if (text.trim() === '') {
          blanks += `${text}\n`;
        } else {
          if (held !== undefined) yield withSource(held.document, held.kept);
          head ??= blanks;
          const kept = { format: 'hf', file: source.name, index, head, before: index === 0 ? '' : `\n${blanks}`, text };
          const at = { file: source.name, line };
          const document = tolerated(options, () => parseRecord(text, options, at));
          held = document === undefined ? undefined : { document, kept };
          blanks = '';
          index += 1;
        }
        line += 1;
      }
    }
    if (held === undefined) return;
    const tail = `\n${blanks}`;
    yield withSource(held.document, { ...held.kept, tail: terminated ? tail : tail.slice(0, -1) });
  },

  async *write(documents, { onLoss }) {
    const losses = new LossReport('hf', onLoss);
    const frame: Frame = {
      format: 'hf',
      head: (_first, kept) => ({ text: kept?.head ?? '', isOwn: true }),
      separator: () => '\n',
      tail: () => '\n',
      empty: '',
      document: (document, kept) => {
        losses.details(document, { attributes: ['sourceType'], extras: ['hf'] });
        return (kept === undefined ? undefined : updated(document, kept, losses)) ?? newRecord(document, losses);
      },
    };
    yield* framed(documents, frame);
  },
};

function withSource(document: Document, source: KeptSource): Document {
  return { ...document, extras: { ...document.extras, source } };
}

/** The document of one line. */
function parseRecord(line: string, options: ReadOptions, at: Location): Document {
  const record = parseObject(line, at);
  const { id, tokens } = record;
  const tagField = tagFieldOf(record);
  const tags: unknown = record[tagField];
  if (!isStrings(tokens)) throw wrongField('an array "tokens" of strings', tokens, at);
  if (tags !== undefined && !Array.isArray(tags)) throw wrongField(`an array "${tagField}"`, tags, at);
  if (tags !== undefined && tags.length !== tokens.length) {
    throw new InputError(`expected a tag for each of ${tokens.length} tokens, found ${tags.length}`, at);
  }
  const numbered = tags?.some((tag) => typeof tag === 'number');
  const entities: Entity[] = [];
  const reader = new TagReader(at.file ?? '<hf>', options, (entity) => entities.push(entity));
  const words: Span[] = [];
  let offset = 0;
  tokens.forEach((token, k) => {
    const span = { start: offset, end: offset + token.length };
    offset = span.end + 1;
    const tag = tags === undefined ? 'O' : tagName(tags[k], options, at);
    if (token.trim() === '') return;
    words.push(span);
    reader.add(tag, span, at.line ?? 1);
  });
  reader.end();
  const known = new Set(['id', 'tokens', tagField]);
  const fields = Object.fromEntries(Object.entries(record).filter(([name]) => !known.has(name)));
  const extras = compact({
    tagField: tagField === 'ner_tags' ? undefined : tagField,
    tagNames: numbered === true ? options.tagNames : undefined,
    fields: Object.keys(fields).length > 0 ? fields : undefined,
  });
  return {
    id: typeof id === 'string' || typeof id === 'number' ? String(id) : `${stem(at.file ?? 'hf')}:${at.line ?? 1}`,
    text: tokens.join(' '),
    entities,
    sentences: [{ words }],
    ...(Object.keys(extras).length > 0 ? { extras: { hf: extras } } : {}),
  };
}

function tagFieldOf(record: JsonObject): string {
  return tagFields.find((name) => Array.isArray(record[name])) ?? 'ner_tags';
}

function tagName(tag: unknown, { tagNames }: ReadOptions, at: Location): string {
  if (typeof tag === 'string') return tag;
  const name = typeof tag === 'number' ? tagNames?.[tag] : undefined;
  if (name !== undefined) return name;
  if (tagNames === undefined) throw wrongField('tags as strings, or --tag-names for their numbers', tag, at);
  throw wrongField(`one of ${tagNames.length} tags`, tag, at);
}

/** The line as it was, with new tags where the mentions are others; undefined when the text is another. */
function updated(document: Document, kept: KeptSource, losses: LossReport): string | undefined {
  const at = { file: kept.file };
  const { tagNames } = keptExtras(document, 'hf');
  const names = isStrings(tagNames) ? tagNames : undefined;
  const options = { types: unchangedTypes, repairTags: true, ...(names === undefined ? {} : { tagNames: names }) };
  const record = parseObject(kept.text, at);
  const before = parseRecord(kept.text, options, at);
  if (before.text !== document.text) return undefined;
  if (sameMentions(before.entities, document.entities)) return kept.text;
  const { tags } = wordTags({ ...document, sentences: before.sentences ?? [] }, losses);
  let word = 0;
  const aligned = (isStrings(record['tokens']) ? record['tokens'] : []).map((token) => {
    if (token.trim() === '') return 'O';
    word += 1;
    return tags[word - 1] ?? 'O';
  });
  const place = jsonNodes(kept.text).members?.get(tagFieldOf(record));
  if (place === undefined) return undefined;
  const separator = /,\s/.test(kept.text.slice(place.start, place.end)) ? ', ' : ',';
  const text = `[${encoded(document, aligned, names, losses)
    .map((tag) => JSON.stringify(tag))
    .join(separator)}]`;
  return edited(kept.text, [{ ...place, text }]);
}

function newRecord(document: Document, losses: LossReport): string {
  const { text } = document;
  const { tagField, tagNames, fields } = keptExtras(document, 'hf');
  const { sentences, tags } = wordTags(document, losses);
  const tokens = sentences.flatMap(({ words }) => words.map(({ start, end }) => text.slice(start, end)));
  if (sentences.length > 1) losses.detail(document, 'the ends of sentences');
  if (tokens.join(' ') !== text) losses.detail(document, 'the spacing of the text');
  return JSON.stringify({
    id: document.id,
    tokens,
    [typeof tagField === 'string' ? tagField : 'ner_tags']: encoded(
      document,
      tags,
      isStrings(tagNames) ? tagNames : undefined,
      losses,
    ),
    ...(isObject(fields) ? fields : {}),
  });
}

/** Tags as the record has them: by their numbers where these have names. */
function encoded(
  document: Document,
  tags: readonly string[],
  names: readonly string[] | undefined,
  losses: LossReport,
): (string | number)[] {
  if (names === undefined) return [...tags];
  const absent = new Set(tags.filter((tag) => tag !== 'O' && !names.includes(tag)).map((tag) => tag.slice(2)));
  for (const entity of document.entities) {
    const name = (entity.attributes?.['sourceType'] ?? entity.type).replace(/\s/g, '_');
    if (absent.has(name)) losses.entity(document, entity, 'without a number among the tag names');
  }
  const none = Math.max(names.indexOf('O'), 0);
  return tags.map((tag) => (names.includes(tag) ? names.indexOf(tag) : none));
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
