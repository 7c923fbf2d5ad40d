/** The thread of a `WorkerEngine`: loads a model and tags what it is sent, one call after the other. */
import { parentPort, workerData } from 'node:worker_threads';
import { InternalError } from '../errors.js';
import { loadTagger } from '../node.js';
import { taggerEngine } from './engine.js';
import type { WorkerCall, WorkerModel, WorkerReply } from './worker-engine.js';

const port = parentPort;
if (port === null) throw new InternalError('expected to run as a worker thread');

const { model, ...options } = workerData as WorkerModel;
const engine = taggerEngine(await loadTagger(model, options));
const running = new Map<number, AbortController>();

function reply(message: WorkerReply): void {
  port?.postMessage(message);
}

port.on('message', (message: WorkerCall) => {
  if (message.kind === 'abort') running.get(message.call)?.abort();
  else if (message.kind === 'dispose') void engine.dispose().then(() => port.close());
  else void tag(message.call, message.documents);
});

async function tag(call: number, documents: Extract<WorkerCall, { kind: 'tag' }>['documents']): Promise<void> {
  const controller = new AbortController();
  running.set(call, controller);
  try {
    reply({ kind: 'found', call, entities: await engine.tag(documents, controller.signal) });
  } catch (error) {
    reply({ kind: 'failed', call, error });
  } finally {
    running.delete(call);
  }
}

reply({ kind: 'ready' });
