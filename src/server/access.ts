import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { Problem } from './problem.js';

/**
 * Checks `Authorization: Bearer TOKEN`. Digests of equal length are compared in constant time, so that neither the
 * characters nor the length of the token can be measured.
 */
export function tokenCheck(token: string): (request: FastifyRequest) => void {
  const expected = digest(token);
  return ({ headers: { authorization = '' } }) => {
    const found = /^Bearer +(\S+) *$/i.exec(authorization)?.[1];
    const equal = timingSafeEqual(digest(found ?? ''), expected);
    if (found !== undefined && equal) return;
    throw new Problem(401, 'unauthorised', 'expected Authorization: Bearer with the token of this server', {
      'www-authenticate': 'Bearer',
    });
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i;

/** Whether an address is reachable from this machine only. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host) || host === '::1';
}

/**
 * For a server on a loopback address without a token: refuses names that are not this machine's own, with which a web
 * page could have its visitor's browser speak to the server as if to the page's (DNS rebinding).
 */
export function checkLocalHost({ headers: { host = '' } }: FastifyRequest): void {
  if (LOOPBACK.test(host)) return;
  throw new Problem(421, 'wrong-host', 'expected localhost as Host; for other names start the server with --token');
}
