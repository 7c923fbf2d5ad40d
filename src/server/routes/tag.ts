import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { offsetWriter, writeDocuments, type Document } from '../../corpus/index.js';
import { entitiesToJson } from '../../corpus/formats/entity-json.js';
import { checkTexts, decoded, documentsOf, parseJson } from '../body.js';
import type { ServerContext } from '../context.js';
import { answerType, API_JSON, bodyFormat } from '../media-types.js';
import { tagDocuments, type ServedModel } from '../models.js';
import { Problem } from '../problem.js';
import { bounded } from '../scope.js';
import { documentQuerySchema, tagManySchema, tagOneSchema, type TagRequest } from '../schemas.js';

type Offsets = 'codepoint' | 'utf16';

/** `POST /tag`: texts in JSON, or a whole document in any format. */
export function tagRoute(server: FastifyInstance, context: ServerContext): void {
  server.post('/tag', { onRequest: async () => context.models.admit() }, (request, reply) =>
    bounded(reply, context.limits.maxTime, async (signal) => {
      const query = parsed(documentQuerySchema, request.query, 'the query');
      const bytes = await decoded(request.body, request.headers['content-encoding'], context.limits);
      const format = bodyFormat(query.from, request.headers['content-type'], () => bytes.toString('utf8', 0, 65_536));
      return format === API_JSON
        ? tagTexts(request, reply, context, bytes, signal)
        : tagFile(request, reply, context, { ...query, bytes, from: format }, signal);
    }),
  );
}

async function tagTexts(
  request: FastifyRequest,
  reply: FastifyReply,
  context: ServerContext,
  bytes: Buffer,
  signal: AbortSignal,
): Promise<FastifyReply> {
  const json = parseJson(bytes);
  const many = typeof json === 'object' && json !== null && 'texts' in json;
  const asked: TagRequest = parsed<TagRequest>(many ? tagManySchema : tagOneSchema, json, 'the body');
  answerType(undefined, request.raw, API_JSON);
  const model = context.models.named(asked.model);
  const texts = 'texts' in asked ? asked.texts : [asked.text];
  const documents = texts.map((text, k): Document =>
    typeof text === 'string' ? { id: String(k), text, entities: [] } : { ...text, entities: [] },
  );
  const tagged = await tag(request, context, model, documents, asked, signal);
  const { offsets = 'codepoint' } = asked;
  const [first] = tagged;
  const answer = { model: model.about.name, offsets };
  const body =
    'texts' in asked
      ? { ...answer, documents: tagged.map((document) => answered(document, offsets)) }
      : { ...answer, entities: first === undefined ? [] : answered(first, offsets).entities };
  return reply.type('application/json').send(JSON.stringify(body));
}

async function tagFile(
  request: FastifyRequest,
  reply: FastifyReply,
  context: ServerContext,
  { bytes, from, ...query }: z.infer<typeof documentQuerySchema> & { bytes: Buffer; from: string },
  signal: AbortSignal,
): Promise<FastifyReply> {
  const { format, mediaType } = answerType(query.to, request.raw, from);
  const model = context.models.named(query.model);
  const documents = await documentsOf(bytes, from, context.limits);
  const types = query.types?.split(',').map((type) => type.trim());
  const tagged = await tag(request, context, model, documents, { types, minScore: query.minScore }, signal);
  const { offsets = 'codepoint' } = query;
  if (format === API_JSON) {
    const body = { model: model.about.name, offsets, documents: tagged.map((document) => answered(document, offsets)) };
    return reply.type('application/json').send(JSON.stringify(body));
  }
  const { text, losses } = await written(tagged, format, offsets);
  if (losses > 0) void reply.header('ebiobert-losses', String(losses));
  return reply.type(`${mediaType}; charset=utf-8`).header('vary', 'accept').send(text);
}

async function tag(
  { facts }: FastifyRequest,
  { limits, metrics }: ServerContext,
  model: ServedModel,
  documents: readonly Document[],
  options: { readonly types?: readonly string[] | undefined; readonly minScore?: number | undefined },
  signal: AbortSignal,
): Promise<Document[]> {
  checkTexts(documents, limits);
  facts.model = model.about.name;
  facts.documents = documents.length;
  facts.characters = documents.reduce((sum, { text }) => sum + text.length, 0);
  const tagged = await tagDocuments(model, documents, options, signal);
  facts.entities = tagged.reduce((sum, { entities }) => sum + entities.length, 0);
  metrics.documents.inc(facts.documents);
  metrics.characters.inc(facts.characters);
  for (const { entities } of tagged) for (const { type } of entities) metrics.entities.inc({ type });
  return tagged;
}

function answered(document: Document, offsets: Offsets): { id: string; entities: object[] } {
  return { id: document.id, entities: entitiesToJson(document, offsetWriter(document.text, offsets)) };
}

/** Documents in a format, and how many entities it could not express. */
export async function written(
  documents: readonly Document[],
  format: string,
  offsets: Offsets = 'codepoint',
): Promise<{ text: string; losses: number }> {
  let losses = 0;
  const parts: string[] = [];
  const onLoss = ({ kind }: { kind: string }): void => {
    if (kind === 'entity') losses += 1;
  };
  for await (const { text } of writeDocuments(documents, format, { offsets, onLoss })) parts.push(text);
  return { text: parts.join(''), losses };
}

/** @throws Problem 400 that names the field; it quotes no value */
export function parsed<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = [what, ...(issue?.path ?? [])].join('.');
  throw new Problem(400, 'bad-request', `${where}: ${issue?.message ?? 'not what was expected'}`);
}
