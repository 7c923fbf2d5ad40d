import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import type { ServerContext } from '../context.js';
import { openApi } from '../openapi.js';
import type { healthSchema, modelsSchema } from '../schemas.js';

/** `GET /health`, `/models`, `/metrics`, `/openapi.json`: what the server says of itself. */
export function statusRoutes(
  server: FastifyInstance,
  { models, metrics, version, hasToken }: ServerContext,
  isClosing: () => boolean,
): void {
  server.get('/health', async (_, reply): Promise<z.infer<typeof healthSchema>> => {
    const closing = isClosing();
    void reply.header('cache-control', 'no-store').status(closing ? 503 : 200);
    return { status: closing ? 'closing' : 'ok', version, waiting: models.waiting, uptime: process.uptime() };
  });

  server.get('/models', async (): Promise<z.infer<typeof modelsSchema>> => ({
    models: models.all.map(({ about }, k) => ({ ...about, default: k === 0 })),
  }));

  server.get('/metrics', async (_, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  );

  const document = openApi(version, hasToken);
  server.get('/openapi.json', async () => document);
}
