/** The program of a worker thread: loads a model, says so, and answers each list of texts with what it finds. */
import { parentPort, workerData } from 'node:worker_threads';
import { InputError } from '../../errors.js';
import { loadTagger } from '../../node.js';
import { findIn } from './engine.js';
import type { Reply, Request, WorkerSettings } from './worker-pool.js';

const port = parentPort;
if (port === null) throw new Error('expected to run as a worker thread');

const { model, threads, options, lexicon } = workerData as WorkerSettings;
const reply = (message: Reply): void => {
  port.postMessage(message);
};
const fail = (error: unknown): void => {
  const { name, message, stack = '' } = error instanceof Error ? error : new Error(String(error));
  reply({ kind: 'failure', name: error instanceof InputError ? 'InputError' : name, message, stack });
};

try {
  const tagger = await loadTagger(model, { threads, ...(lexicon === undefined ? {} : { lexicon }) });
  const ending = new AbortController();
  const { signal } = ending;
  let last: Promise<void> = Promise.resolve();
  port.on('message', (request: Request) => {
    if (request === 'close') ending.abort();
    last = last.then(async () => {
      if (request === 'close') {
        await tagger.dispose();
        port.close();
      } else {
        reply({ kind: 'findings', findings: await findIn(tagger, request, { ...options, signal }) });
      }
    });
    last = last.catch(fail);
  });
  reply({ kind: 'ready' });
} catch (error) {
  fail(error);
}
