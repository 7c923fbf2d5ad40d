import { formats } from '../corpus/index.js';
import { mediaTypes, unsuitable } from './media-types.js';
import { componentSchemas } from './schemas.js';

type Json = Readonly<Record<string, unknown>>;

const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });
const json = (name: string): Json => ({ 'application/json': { schema: ref(name) } });
const string = (): Json => ({ type: 'string' });

/** Content in every format that a body can have. */
function documentContent(can: 'read' | 'write'): Json {
  const names = [...formats.values()].filter((format) => format[can] !== undefined && !unsuitable.has(format.name));
  const types = new Set(names.flatMap(({ name }) => mediaTypes(name)));
  types.delete('application/json');
  return Object.fromEntries([...types].sort().map((type) => [type, { schema: string() }]));
}

const problems: Readonly<Record<string, string>> = {
  400: 'The request is not what was expected.',
  401: 'The token is missing or wrong.',
  404: 'There is no such path, or no such model.',
  406: 'No acceptable format can be written.',
  413: 'The body or a text is too large.',
  415: 'The body is of an unknown type.',
  422: 'A document of the body is at fault.',
  502: 'The server that the articles come from failed.',
  503: 'Too many requests wait, or the server is closing; Retry-After says when to come back.',
  504: 'The answer took too long.',
};

function responses(success: Json, ...statuses: readonly number[]): Json {
  const content = { 'application/problem+json': { schema: ref('Problem') } };
  const failures = statuses.map((status): [string, Json] => {
    const retry = status === 503 ? { headers: { 'retry-after': { schema: { type: 'integer' } } } } : {};
    return [String(status), { description: problems[status] ?? '', ...retry, content }];
  });
  return Object.fromEntries([['200', success], ...failures]);
}

const query = (name: string, description: string, schema: Json = string()): Json => ({
  name,
  in: 'query',
  description,
  schema,
});

function tagPath(): Json {
  return {
    post: {
      operationId: 'tag',
      summary: 'Finds entities in texts, or in whole documents.',
      description:
        'JSON with `text` or `texts` is answered with entities. Any other body is a file in one of the formats, by ' +
        'its Content-Type or `from`; it comes back with entities in the format of Accept or `to`.',
      parameters: [
        query('from', 'Format of the body, before what Content-Type says.'),
        query('to', 'Format of the answer, before what Accept says; `json` for the entities alone.'),
        query('model', 'For a file: one of GET /models.'),
        query('types', 'For a file: types to find, separated by commas.'),
        query('minScore', 'For a file: entities with a lower score are left out.', { type: 'number' }),
        query('offsets', 'For a file: what offsets in JSON count.', { enum: ['codepoint', 'utf16'] }),
      ],
      requestBody: {
        required: true,
        content: {
          'application/json': { schema: { oneOf: [ref('TagOne'), ref('TagMany')] } },
          ...documentContent('read'),
        },
      },
      responses: responses(
        {
          description: 'The entities, or the documents with them.',
          headers: { 'ebiobert-losses': { description: 'Entities that the format cannot express.', schema: string() } },
          content: {
            'application/json': { schema: { oneOf: [ref('TaggedOne'), ref('TaggedMany')] } },
            ...documentContent('write'),
          },
        },
        ...[400, 401, 404, 406, 413, 415, 422, 503, 504],
      ),
    },
  };
}

function exportPath(): Json {
  return {
    get: {
      operationId: 'export',
      summary: "Articles by PMID with this server's entities, as PubTator 3 exports them.",
      parameters: [
        { name: 'format', in: 'path', required: true, schema: { enum: ['pubtator', 'biocxml', 'biocjson'] } },
        { ...query('pmids', 'PMIDs, separated by commas; at most 100.'), required: true },
        query('full', 'Full texts where there are any.', { type: 'boolean' }),
      ],
      responses: responses(
        {
          description: 'The articles.',
          content: {
            'text/plain': { schema: string() },
            'application/xml': { schema: string() },
            'application/json': { schema: {} },
          },
        },
        ...[400, 401, 404, 502, 503, 504],
      ),
    },
  };
}

const get = (operationId: string, summary: string, content: Json, ...statuses: readonly number[]): Json => ({
  get: { operationId, summary, responses: responses({ description: summary, content }, ...statuses) },
});

/** The OpenAPI 3.1 document of the server; with a token where it asks for one. */
export function openApi(version: string, hasToken: boolean): Json {
  const security = hasToken ? [{ bearer: [] }] : [];
  return {
    openapi: '3.1.0',
    info: {
      title: 'ebiobert',
      version,
      summary: 'Genes, chemicals and diseases in biomedical text.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security,
    paths: {
      '/tag': tagPath(),
      '/models': get('models', 'The models that the server answers with.', json('Models'), 401),
      '/publications/export/{format}': exportPath(),
      '/health': get('health', 'Whether the server takes requests.', json('Health')),
      '/metrics': get('metrics', 'Counters and times for Prometheus.', { 'text/plain': { schema: string() } }, 401),
      '/openapi.json': get('openapi', 'This document.', { 'application/json': { schema: { type: 'object' } } }, 401),
    },
    components: {
      schemas: componentSchemas(),
      ...(hasToken ? { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } } : {}),
    },
  };
}
