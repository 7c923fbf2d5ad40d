import type { Limits } from './limits.js';
import type { Metrics } from './metrics.js';
import type { Models } from './models.js';

/** What every route of one server works with. */
export interface ServerContext {
  readonly models: Models;
  readonly limits: Limits;
  readonly metrics: Metrics;
  readonly version: string;
  /** Where articles come from: the address of a PubTator 3 API. */
  readonly articles?: string;
  readonly hasToken: boolean;
}

/** What a request's line in the log says of its work: counts, never texts. */
export interface RequestFacts {
  model?: string;
  documents?: number;
  characters?: number;
  entities?: number;
  problem?: string;
}

declare module 'fastify' {
  interface FastifyRequest {
    facts: RequestFacts;
  }
}
