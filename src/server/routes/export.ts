import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { documentsOf } from '../body.js';
import type { ServerContext } from '../context.js';
import { tagDocuments } from '../models.js';
import { Problem } from '../problem.js';
import { bounded } from '../scope.js';
import { parsed, written } from './tag.js';

/** The names of PubTator 3's exports, our formats, and their media types. */
const exports: Readonly<Record<string, { readonly format: string; readonly type: string }>> = {
  pubtator: { format: 'pubtator', type: 'text/plain; charset=utf-8' },
  biocxml: { format: 'bioc-xml', type: 'application/xml; charset=utf-8' },
  biocjson: { format: 'bioc-json', type: 'application/json; charset=utf-8' },
};

const querySchema = z.object({
  pmids: z.string().regex(/^\d{1,10}(,\d{1,10}){0,99}$/, 'expected 1 to 100 PMIDs, separated by commas'),
  full: z.enum(['true', 'false']).optional(),
});

/**
 * `GET /publications/export/:format?pmids=`, as PubTator 3 has it (also under its own prefix): articles from the server
 * of `--articles`, with the entities of this one in place of theirs.
 * Wei et al. 2024, PubTator 3.0.
 */
export function exportRoute(server: FastifyInstance, context: ServerContext): void {
  for (const prefix of ['', '/research/pubtator3-api']) {
    server.get<{ Params: { format: string } }>(`${prefix}/publications/export/:format`, (request, reply) =>
      bounded(reply, context.limits.maxTime, async (signal) => {
        const wanted = exports[request.params.format];
        if (wanted === undefined) throw new Problem(404, 'not-found', 'expected pubtator, biocxml or biocjson');
        const query = parsed(querySchema, request.query, 'the query');
        const bytes = await fetched(context, request.params.format, query, signal);
        const documents = await documentsOf(bytes, wanted.format, context.limits);
        const model = context.models.named(undefined);
        const tagged = await tagDocuments(model, documents, {}, signal);
        Object.assign(request.facts, { model: model.about.name, documents: tagged.length });
        return reply.type(wanted.type).send((await written(tagged, wanted.format)).text);
      }),
    );
  }
}

/** An export of the server that has the articles. */
async function fetched(
  { articles, limits }: ServerContext,
  format: string,
  { pmids, full }: z.infer<typeof querySchema>,
  signal: AbortSignal,
): Promise<Buffer> {
  if (articles === undefined) {
    throw new Problem(404, 'not-found', 'this server has no source of articles: start it with --articles');
  }
  const query = new URLSearchParams({ pmids, ...(full === undefined ? {} : { full }) });
  const url = `${articles.replace(/\/+$/, '')}/publications/export/${format}?${query.toString()}`;
  const response = await fetch(url, { signal }).catch((error: unknown) => {
    signal.throwIfAborted();
    throw new Problem(502, 'upstream', `expected the source of articles to answer: ${causeOf(error)}`);
  });
  if (!response.ok) {
    throw new Problem(502, 'upstream', `expected articles of their source, found status ${response.status}`);
  }
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.length;
    if (size > limits.maxBody) throw new Problem(502, 'upstream', 'expected fewer or shorter articles at once');
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function causeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error && 'code' in cause ? String(cause.code) : 'no connection';
}
