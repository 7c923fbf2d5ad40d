import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { InputError } from '../../errors.js';
import type { Choice, Engine, Findings, Text } from './engine.js';

/** What a worker is started with. */
export interface WorkerSettings {
  /** Folder of the model. */
  readonly model: string;
  /** Threads of the model in each worker. */
  readonly threads: number;
  readonly options: Choice;
  readonly lexicon?: string | undefined;
}

export type Request = readonly Text[] | 'close';

export type Reply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'findings'; readonly findings: Findings }
  | { readonly kind: 'failure'; readonly name: string; readonly message: string; readonly stack: string };

interface Job {
  readonly texts: readonly Text[];
  readonly resolve: (findings: Findings) => void;
  readonly reject: (error: unknown) => void;
}

/** Worker threads with one loaded model each; a call goes to the first of them that is free. */
export class WorkerPool implements Engine {
  readonly #free: Member[];
  readonly #waiting: Job[] = [];
  #closed: Promise<unknown> | undefined;

  private constructor(readonly members: readonly Member[]) {
    this.#free = [...members];
  }

  /** @throws InputError when the model cannot be loaded */
  static async start(workers: number, settings: WorkerSettings): Promise<WorkerPool> {
    const members = Array.from({ length: workers }, () => new Member(settings));
    try {
      await Promise.all(members.map((member) => member.ready));
    } catch (error) {
      await Promise.all(members.map((member) => member.stop()));
      throw error;
    }
    return new WorkerPool(members);
  }

  get width(): number {
    return this.members.length;
  }

  tag(texts: readonly Text[]): Promise<Findings> {
    return new Promise((resolve, reject) => {
      if (this.#closed !== undefined) throw ended();
      this.#waiting.push({ texts, resolve, reject });
      this.#next();
    });
  }

  async close(): Promise<void> {
    for (const { reject } of this.#waiting.splice(0)) reject(ended());
    this.#closed ??= Promise.all(this.members.map((member) => member.close()));
    await this.#closed;
  }

  #next(): void {
    const member = this.#free[0];
    const job = this.#waiting[0];
    if (member === undefined || job === undefined) return;
    this.#free.shift();
    this.#waiting.shift();
    void member
      .tag(job.texts)
      .then(job.resolve, job.reject)
      .then(() => {
        this.#free.push(member);
        this.#next();
      });
  }
}

/** One worker thread, which does one thing at a time. */
class Member {
  readonly ready: Promise<unknown>;
  readonly #worker: Worker;
  #isEnded = false;

  constructor(settings: WorkerSettings) {
    this.#worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: settings });
    this.#worker.once('exit', () => {
      this.#isEnded = true;
    });
    this.ready = this.#reply();
  }

  async tag(texts: readonly Text[]): Promise<Findings> {
    const reply = this.#reply();
    this.#worker.postMessage(texts satisfies Request);
    const message = await reply;
    if (message.kind !== 'findings') throw new Error(`expected findings of a worker, found ${message.kind}`);
    return message.findings;
  }

  /** Lets it give up what it does, free its model and end: cut off inside the engine, it would end the process. */
  async close(): Promise<void> {
    if (this.#isEnded) return;
    const ended = once(this.#worker, 'exit');
    this.#worker.postMessage('close' satisfies Request);
    await ended;
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }

  /** The next message; the end of the thread is a failure. */
  #reply(): Promise<Exclude<Reply, { kind: 'failure' }>> {
    return new Promise((resolve, reject) => {
      if (this.#isEnded) throw new Error('expected a worker to answer, found that it has ended');
      const onMessage = (message: Reply): void => {
        off();
        if (message.kind !== 'failure') resolve(message);
        else reject(failure(message));
      };
      const onError = (error: unknown): void => {
        off();
        reject(error instanceof Error ? error : new Error(String(error)));
      };
      const onExit = (status: number): void => {
        off();
        reject(new Error(`expected a worker to go on, found that it ended with ${status}`));
      };
      const off = (): void => {
        this.#worker.off('message', onMessage).off('error', onError).off('exit', onExit);
      };
      this.#worker.on('message', onMessage).on('error', onError).on('exit', onExit);
    });
  }
}

function ended(): Error {
  return new Error('expected workers to go on, found that they were ended');
}

function failure({ name, message, stack }: Extract<Reply, { kind: 'failure' }>): Error {
  const error = name === 'InputError' ? new InputError(message) : new Error(message);
  error.stack = stack;
  return error;
}
