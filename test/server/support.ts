import type { FastifyInstance } from 'fastify';
import { afterAll } from 'vitest';
import type { Document, Entity } from '../../src/corpus/index.js';
import { createServer, type Engine, type LoadedModel, type ServerOptions } from '../../src/server/index.js';

/** An engine that finds every `drug` and counts its calls; `hold` makes it wait. */
export class StubEngine implements Engine {
  readonly calls: (readonly Document[])[] = [];
  readonly aborted: number[] = [];
  disposed = false;
  #gate: Promise<void> = Promise.resolve();

  /** From now on calls wait until the returned function is called. */
  hold(): () => void {
    let open = (): void => undefined;
    this.#gate = new Promise((resolve) => {
      open = resolve;
    });
    return () => {
      this.#gate = Promise.resolve();
      open();
    };
  }

  async tag(documents: readonly Document[], signal: AbortSignal): Promise<Entity[][]> {
    const call = this.calls.push(documents) - 1;
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => {
        this.aborted.push(call);
        reject(new Error('aborted'));
      });
    });
    await Promise.race([this.#gate, aborted]);
    return documents.map(({ text }) => drugsIn(text));
  }

  async dispose(): Promise<void> {
    this.disposed = true;
    return Promise.resolve();
  }
}

function drugsIn(text: string): Entity[] {
  return [...text.matchAll(/\bdrug\b/g)].map(({ index }) => ({
    type: 'Chemical',
    spans: [{ start: index, end: index + 4 }],
    score: 0.9,
  }));
}

export function stubModel(engine: Engine, name = 'stub'): LoadedModel {
  return { about: { name, kind: 'sequence', types: ['Gene', 'Chemical'], flat: true }, engines: [engine] };
}

export interface Stub {
  readonly server: FastifyInstance;
  readonly engine: StubEngine;
  /** The lines of the log. */
  readonly log: Record<string, unknown>[];
}

/** A server over a stub engine, closed at the end of the test file. */
export function stubServer(options: ServerOptions = {}): Stub {
  const engine = new StubEngine();
  const log: Record<string, unknown>[] = [];
  const stream = {
    write(line: string) {
      log.push(JSON.parse(line) as Record<string, unknown>);
    },
  };
  const server = createServer([stubModel(engine)], { log: stream, version: '1.2.3', ...options });
  afterAll(async () => {
    await server.close();
  });
  return { server, engine, log };
}

/** The body of `POST /tag` with JSON. */
export function tagging(payload: object, headers: Readonly<Record<string, string>> = {}) {
  return {
    method: 'POST' as const,
    url: '/tag',
    headers: { 'content-type': 'application/json', ...headers },
    payload: JSON.stringify(payload),
  };
}
