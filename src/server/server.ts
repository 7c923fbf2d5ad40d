import cors from '@fastify/cors';
import { fastify, LogController, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { checkLocalHost, isLoopback, tokenCheck } from './access.js';
import { tooLarge } from './body.js';
import type { ServerContext } from './context.js';
import { Batcher } from './batcher.js';
import { defaultLimits, type Limits } from './limits.js';
import type { LoadedModel } from './load.js';
import { Metrics } from './metrics.js';
import { Models } from './models.js';
import { Problem, problemOf } from './problem.js';
import { exportRoute } from './routes/export.js';
import { statusRoutes } from './routes/status.js';
import { tagRoute } from './routes/tag.js';

/** Where the log goes: a line of JSON for each event. */
export interface LogStream {
  write(line: string): void;
}

export interface ServerOptions {
  readonly limits?: Partial<Limits>;
  /** Required as `Authorization: Bearer` of everything but /health. */
  readonly token?: string;
  /** Origins whose web pages may read answers (CORS); `*` for all. None where absent. */
  readonly origins?: readonly string[];
  /** Address to bind; names of others are refused where it is a loopback address and there is no token. */
  readonly host?: string;
  readonly version?: string;
  /** Address of a PubTator 3 API that articles are fetched from by PMID; none where absent. */
  readonly articles?: string;
  /** No log where absent. */
  readonly log?: LogStream;
  readonly logLevel?: string;
}

/** The server of some models, the first of them the default; closing it frees their engines. */
export function createServer(loaded: readonly LoadedModel[], options: ServerOptions = {}): FastifyInstance {
  const limits = { ...defaultLimits, ...options.limits };
  const metrics = new Metrics();
  const models = new Models(
    loaded.map(({ engines, ...served }) => ({ ...served, batcher: new Batcher(engines, limits, metrics.observer) })),
  );
  metrics.watch(models);
  const context: ServerContext = {
    models,
    limits,
    metrics,
    version: options.version ?? '0',
    hasToken: options.token !== undefined,
    ...(options.articles === undefined ? {} : { articles: options.articles }),
  };
  const server = fastify({
    bodyLimit: limits.maxBody,
    requestTimeout: limits.maxTime,
    forceCloseConnections: 'idle',
    logController: new LogController({ disableRequestLogging: true }),
    logger: options.log === undefined ? false : { level: options.logLevel ?? 'info', stream: options.log },
  });
  let closing = false;

  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => {
    done(null, body);
  });
  server.decorateRequest('facts');
  server.addHook('onRequest', async (request) => {
    request.facts = {};
  });
  if (options.origins !== undefined && options.origins.length > 0) {
    void server.register(cors, {
      origin: options.origins.includes('*') ? '*' : [...options.origins],
      methods: ['GET', 'POST'],
      exposedHeaders: ['ebiobert-losses', 'retry-after'],
    });
  }
  const { token } = options;
  if (token !== undefined) {
    const check = tokenCheck(token);
    server.addHook('onRequest', async (request) => {
      if (request.routeOptions.url !== '/health') check(request);
    });
  } else if (isLoopback(options.host ?? '127.0.0.1')) {
    server.addHook('onRequest', async (request) => {
      checkLocalHost(request);
    });
  }

  const record = (request: FastifyRequest, { statusCode: status, elapsedTime }: FastifyReply): void => {
    const { method, routeOptions, facts } = request;
    const route = routeOptions.url ?? 'unknown';
    metrics.requests.observe({ method, route, status }, elapsedTime / 1000);
    request.log.info({ method, route, status, milliseconds: Math.round(elapsedTime * 10) / 10, ...facts }, 'request');
  };

  server.setErrorHandler((error, request, reply) => {
    const problem = errorCode(error) === 'FST_ERR_CTP_BODY_TOO_LARGE' ? tooLarge(limits.maxBody) : problemOf(error);
    request.facts.problem = problem.code;
    metrics.problems.inc({ code: problem.code });
    if (problem.status === 500) request.log.error(withoutMessage(error), 'failure');
    void reply.status(problem.status).headers(problem.headers).type('application/problem+json');
    // No response is going to end that would be recorded.
    if (problem.code === 'cancelled') record(request, reply);
    return reply.send(JSON.stringify(problem.body));
  });
  server.setNotFoundHandler(() => {
    throw new Problem(404, 'not-found', 'expected a path of /openapi.json');
  });
  server.addHook('onResponse', async (request, reply) => {
    if (request.facts.problem !== 'cancelled') record(request, reply);
  });
  server.addHook('preClose', async () => {
    closing = true;
  });
  server.addHook('onClose', async () => {
    await Promise.all(models.all.map(({ batcher }) => batcher.dispose()));
  });

  void server.register(async (routes) => {
    statusRoutes(routes, context, () => closing);
    tagRoute(routes, context);
    exportRoute(routes, context);
  });
  return server;
}

/** What failed and where, but not the message, which might quote a text. */
function withoutMessage(error: unknown): { error: string; stack: string[] } {
  if (!(error instanceof Error)) return { error: typeof error, stack: [] };
  const stack = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  return { error: error.name, stack: stack.map((line) => line.trim()) };
}

function errorCode(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
