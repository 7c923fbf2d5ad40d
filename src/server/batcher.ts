import type { Entity } from '../corpus/index.js';
import { inDocument, type Chunk } from './chunks.js';
import type { Engine } from './engine.js';
import type { Limits } from './limits.js';
import { Problem } from './problem.js';

/** What one run of the model was, for the metrics. */
export interface BatchRecord {
  readonly requests: number;
  readonly sentences: number;
  readonly words: number;
  /** Seconds of the run itself. */
  readonly seconds: number;
}

/** Told of what the queue does. */
export interface BatchObserver {
  /** A request's first chunk goes to the model after `seconds` in the queue. */
  readonly onStart?: (seconds: number) => void;
  readonly onBatch?: (record: BatchRecord) => void;
}

/** A request in the queue. */
interface Job {
  readonly chunks: readonly Chunk[];
  readonly found: Entity[][];
  readonly arrived: number;
  /** The first chunk that no batch has taken. */
  next: number;
  /** Chunks whose entities are not there yet. */
  missing: number;
  settled: boolean;
  readonly finish: (error?: unknown) => void;
}

interface Item {
  readonly job: Job;
  readonly index: number;
  readonly chunk: Chunk;
}

/** Weight of the newest batch in the estimate of the speed. */
const SMOOTHING = 0.2;

/**
 * Joins the chunks of many requests to batches. Requests take turns, a chunk each, so that a long document does not
 * hold up short ones. A batch starts when it is full, when as many requests wait as took part lately, or when the
 * first has waited for `maxWait`: a client alone never waits, and many in step share their runs.
 */
export class Batcher {
  readonly #free: Engine[];
  readonly #jobs: Job[] = [];
  #queuedWords = 0;
  #running = 0;
  /** How many requests are likely to be there for the next batch. */
  #expected = 1;
  #wordsPerSecond = 1000;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly engines: readonly Engine[],
    private readonly limits: Limits,
    private readonly observer: BatchObserver = {},
  ) {
    this.#free = [...engines];
  }

  /** Requests with chunks that no batch has taken. */
  get waiting(): number {
    return this.#jobs.length;
  }

  get queuedWords(): number {
    return this.#queuedWords;
  }

  /** Batches that run now. */
  get running(): number {
    return this.#running;
  }

  /** Throws 503 with Retry-After, from the words that wait and the speed so far, when the queue is full. */
  admit(): void {
    const { maxQueue, maxQueuedWords } = this.limits;
    if (this.#jobs.length < maxQueue && this.#queuedWords < maxQueuedWords) return;
    const seconds = Math.min(60, Math.max(1, Math.ceil(this.#queuedWords / this.#wordsPerSecond)));
    throw new Problem(503, 'queue-full', 'too many requests wait; try again later', { 'retry-after': String(seconds) });
  }

  /**
   * The entities of each chunk, in offsets of the chunk's own document.
   * @throws Problem 503 when the queue is full; the signal's reason once it is aborted
   */
  async tag(chunks: readonly Chunk[], signal: AbortSignal): Promise<Entity[][]> {
    signal.throwIfAborted();
    if (chunks.length === 0) return [];
    this.admit();
    return new Promise((resolve, reject) => {
      const cancel = (): void => {
        job.finish(signal.reason);
      };
      const job: Job = {
        chunks,
        found: chunks.map(() => []),
        arrived: performance.now(),
        next: 0,
        missing: chunks.length,
        settled: false,
        finish: (error) => {
          if (job.settled) return;
          job.settled = true;
          signal.removeEventListener('abort', cancel);
          this.#drop(job);
          if (error === undefined) resolve(job.found);
          else reject(error instanceof Error ? error : new Error(String(error)));
        },
      };
      signal.addEventListener('abort', cancel);
      this.#jobs.push(job);
      this.#queuedWords += wordsOf(chunks);
      this.#pump();
    });
  }

  /** Frees the engines; what still waits is refused. */
  async dispose(): Promise<void> {
    clearTimeout(this.#timer);
    for (const job of [...this.#jobs]) job.finish(new Problem(503, 'closing', 'the server is shutting down'));
    await Promise.all(this.engines.map((engine) => engine.dispose()));
  }

  /** Takes what is left of a request out of the queue. */
  #drop(job: Job): void {
    const place = this.#jobs.indexOf(job);
    if (place >= 0) this.#jobs.splice(place, 1);
    this.#queuedWords -= wordsOf(job.chunks.slice(job.next));
    job.next = job.chunks.length;
    if (job.missing > 0) this.#abandon(job);
  }

  /** Aborts the batches that work for settled requests only. */
  #abandon(job: Job): void {
    for (const [items, controller] of this.#batches) {
      if (items.some((item) => item.job === job) && items.every((item) => item.job.settled)) controller.abort();
    }
  }

  readonly #batches = new Map<readonly Item[], AbortController>();

  #pump(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#free.length > 0) {
      const [oldest] = this.#jobs;
      if (oldest === undefined) return;
      const full = this.#queuedWords >= this.limits.batchWords || this.#jobs.length >= this.#expected;
      const left = oldest.arrived + this.limits.maxWait - performance.now();
      if (!full && left > 0) {
        this.#timer = setTimeout(() => {
          this.#pump();
        }, left);
        return;
      }
      const engine = this.#free.pop();
      if (engine !== undefined) void this.#run(engine, this.#take());
    }
  }

  /** One chunk of each request in turn, until the batch is full. */
  #take(): Item[] {
    const items: Item[] = [];
    let words = 0;
    for (let job = this.#jobs.shift(); job !== undefined; job = this.#jobs.shift()) {
      const chunk = job.chunks[job.next];
      if (chunk === undefined) continue;
      if (words > 0 && words + chunk.words > this.limits.batchWords) {
        this.#jobs.unshift(job);
        break;
      }
      if (job.next === 0) this.observer.onStart?.((performance.now() - job.arrived) / 1000);
      items.push({ job, index: job.next, chunk });
      words += chunk.words;
      job.next += 1;
      if (job.next < job.chunks.length) this.#jobs.push(job);
    }
    this.#queuedWords -= words;
    return items;
  }

  async #run(engine: Engine, items: readonly Item[]): Promise<void> {
    const controller = new AbortController();
    this.#batches.set(items, controller);
    this.#running += 1;
    const start = performance.now();
    try {
      const found = await engine.tag(
        items.map(({ chunk }) => chunk.document),
        controller.signal,
      );
      this.#record(items, (performance.now() - start) / 1000);
      for (const [k, { job, index, chunk }] of items.entries()) {
        job.found[index] = inDocument(found[k] ?? [], chunk.offset);
        job.missing -= 1;
        if (job.missing === 0) job.finish();
      }
    } catch (error) {
      for (const { job } of items) job.finish(error);
    } finally {
      this.#batches.delete(items);
      this.#running -= 1;
      this.#free.push(engine);
      this.#pump();
    }
  }

  #record(items: readonly Item[], seconds: number): void {
    const requests = new Set(items.map(({ job }) => job));
    const words = items.reduce((sum, { chunk }) => sum + chunk.words, 0);
    const sentences = items.reduce((sum, { chunk }) => sum + (chunk.document.sentences?.length ?? 0), 0);
    const waiting = this.#jobs.filter((job) => !requests.has(job)).length;
    this.#expected = requests.size + waiting;
    const speed = (words / Math.max(seconds, 1e-6)) * this.engines.length;
    this.#wordsPerSecond += SMOOTHING * (speed - this.#wordsPerSecond);
    this.observer.onBatch?.({ requests: requests.size, sentences, words, seconds });
  }
}

function wordsOf(chunks: readonly Chunk[]): number {
  return chunks.reduce((sum, { words }) => sum + words, 0);
}
