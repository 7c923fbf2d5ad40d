import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { BatchObserver } from './batcher.js';
import type { Models } from './models.js';

const seconds = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30];
const counts = [1, 2, 4, 8, 16, 32, 64, 128];

/** What Prometheus reads from /metrics; every server has its own. */
export class Metrics {
  readonly registry = new Registry();
  readonly #registers = [this.registry];

  readonly requests = new Histogram({
    name: 'ebiobert_request_seconds',
    help: 'Seconds from the arrival of a request to its answer.',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: seconds,
    registers: this.#registers,
  });

  readonly problems = new Counter({
    name: 'ebiobert_problems_total',
    help: 'Requests answered with a problem, by its code.',
    labelNames: ['code'] as const,
    registers: this.#registers,
  });

  readonly documents = this.#counter('documents', 'Documents tagged.');
  readonly characters = this.#counter('characters', 'Characters of the documents tagged.');

  readonly entities = new Counter({
    name: 'ebiobert_entities_total',
    help: 'Entities found, by type.',
    labelNames: ['type'] as const,
    registers: this.#registers,
  });

  readonly #queue = new Histogram({
    name: 'ebiobert_queue_seconds',
    help: 'Seconds from joining the queue to the first run of the model.',
    buckets: seconds,
    registers: this.#registers,
  });

  readonly #batchSeconds = new Histogram({
    name: 'ebiobert_batch_seconds',
    help: 'Seconds of a run of the model.',
    buckets: seconds,
    registers: this.#registers,
  });

  readonly #batchRequests = new Histogram({
    name: 'ebiobert_batch_requests',
    help: 'Requests that shared a run of the model.',
    buckets: counts,
    registers: this.#registers,
  });

  readonly #sentences = this.#counter('sentences', 'Sentences that went through a model.');
  readonly #words = this.#counter('words', 'Words that went through a model.');

  /** For the batchers of the models. */
  readonly observer: BatchObserver = {
    onStart: (waited) => {
      this.#queue.observe(waited);
    },
    onBatch: (batch) => {
      this.#batchSeconds.observe(batch.seconds);
      this.#batchRequests.observe(batch.requests);
      this.#sentences.inc(batch.sentences);
      this.#words.inc(batch.words);
    },
  };

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  /** Adds the gauges of the queues. */
  watch(models: Models): void {
    const gauge = (name: string, help: string, value: (model: Models['all'][number]) => number): void => {
      new Gauge({
        name: `ebiobert_${name}`,
        help,
        labelNames: ['model'] as const,
        registers: this.#registers,
        collect() {
          for (const model of models.all) this.set({ model: model.about.name }, value(model));
        },
      });
    };
    gauge('waiting_requests', 'Requests that wait for a model.', ({ batcher }) => batcher.waiting);
    gauge('waiting_words', 'Words that wait for a model.', ({ batcher }) => batcher.queuedWords);
    gauge('running_batches', 'Runs of a model that go on now.', ({ batcher }) => batcher.running);
  }

  #counter(name: string, help: string): Counter {
    return new Counter({ name: `ebiobert_${name}_total`, help, registers: this.#registers });
  }
}
