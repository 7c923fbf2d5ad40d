import { Worker } from 'node:worker_threads';
import type { Document, Entity } from '../corpus/index.js';
import { InternalError } from '../errors.js';
import type { Engine } from './engine.js';

/** What a worker is started with. */
export interface WorkerModel {
  readonly model: string;
  readonly threads?: number;
  readonly float32?: boolean;
}

/** To the worker: documents to tag, or the end of a call. */
export type WorkerCall =
  | { readonly kind: 'tag'; readonly call: number; readonly documents: readonly Document[] }
  | { readonly kind: 'abort'; readonly call: number }
  | { readonly kind: 'dispose' };

/** From the worker: ready, or the result of a call. */
export type WorkerReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'found'; readonly call: number; readonly entities: readonly (readonly Entity[])[] }
  | { readonly kind: 'failed'; readonly call: number; readonly error: unknown };

interface Call {
  resolve(entities: readonly (readonly Entity[])[]): void;
  reject(error: unknown): void;
}

/**
 * A model in a thread of its own: this one goes on answering while it runs.
 * @throws what loading the model throws
 */
export async function workerEngine(model: WorkerModel): Promise<Engine> {
  const worker = new Worker(new URL('./engine-worker.js', import.meta.url), { workerData: model });
  await new Promise<void>((resolve, reject) => {
    worker.once('message', () => {
      resolve();
    });
    worker.once('error', reject);
  });
  worker.removeAllListeners('error');
  return new WorkerEngine(worker);
}

class WorkerEngine implements Engine {
  readonly #calls = new Map<number, Call>();
  #next = 0;
  #dead: unknown;

  constructor(private readonly worker: Worker) {
    worker.on('message', (reply: WorkerReply) => {
      if (reply.kind === 'ready') return;
      const call = this.#calls.get(reply.call);
      this.#calls.delete(reply.call);
      if (reply.kind === 'found') call?.resolve(reply.entities);
      else call?.reject(reply.error);
    });
    worker.on('error', (error) => {
      this.#fail(error);
    });
    worker.on('exit', (code) => {
      this.#fail(new InternalError(`expected the model's thread to go on, found exit code ${code}`));
    });
  }

  async tag(documents: readonly Document[], signal: AbortSignal): Promise<readonly (readonly Entity[])[]> {
    signal.throwIfAborted();
    if (this.#dead !== undefined) throw this.#dead;
    const call = this.#next++;
    const abort = (): void => {
      this.#post({ kind: 'abort', call });
    };
    signal.addEventListener('abort', abort);
    try {
      return await new Promise((resolve, reject) => {
        this.#calls.set(call, { resolve, reject });
        this.#post({ kind: 'tag', call, documents });
      });
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  async dispose(): Promise<void> {
    if (this.#dead !== undefined) return;
    const exited = new Promise((resolve) => this.worker.once('exit', resolve));
    this.#post({ kind: 'dispose' });
    await exited;
  }

  #post(call: WorkerCall): void {
    this.worker.postMessage(call);
  }

  #fail(error: unknown): void {
    this.#dead ??= error;
    for (const { reject } of this.#calls.values()) reject(error);
    this.#calls.clear();
  }
}
