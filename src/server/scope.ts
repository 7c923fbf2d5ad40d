import type { FastifyReply } from 'fastify';
import { Problem } from './problem.js';

/** Runs work that ends when the client goes away or the time is over. */
export async function bounded<T>(
  reply: FastifyReply,
  maxTime: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const { raw } = reply;
  const onClose = (): void => {
    if (!raw.writableFinished) controller.abort(new Problem(499, 'cancelled', 'the client went away'));
  };
  const timer = setTimeout(() => {
    controller.abort(new Problem(504, 'timeout', `expected to answer within ${maxTime / 1000} s; send less at once`));
  }, maxTime);
  raw.once('close', onClose);
  if (raw.destroyed) onClose();
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
    raw.off('close', onClose);
  }
}
