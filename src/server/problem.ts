import { InputError, UsageError } from '../errors.js';

/** What went wrong, in a word that programs can compare. */
export type ProblemCode =
  | 'bad-request'
  | 'bad-document'
  | 'unauthorised'
  | 'wrong-host'
  | 'not-found'
  | 'not-acceptable'
  | 'too-large'
  | 'unsupported-type'
  | 'cancelled'
  | 'internal'
  | 'upstream'
  | 'queue-full'
  | 'closing'
  | 'timeout';

const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  408: 'Request Timeout',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  421: 'Misdirected Request',
  422: 'Unprocessable Content',
  499: 'Client Closed Request',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};

/** A request that is answered with an error, as `application/problem+json` (RFC 9457). */
export class Problem extends Error {
  override readonly name: string = 'Problem';

  constructor(
    readonly status: number,
    readonly code: ProblemCode,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }

  get body(): { title: string; status: number; code: ProblemCode; detail: string } {
    return { title: titles[this.status] ?? 'Error', status: this.status, code: this.code, detail: this.message };
  }
}

/** The problem that any error is to a client; what the client did not cause is not explained to it. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof InputError) return new Problem(422, 'bad-document', error.message);
  if (error instanceof UsageError) return new Problem(400, 'bad-request', error.message);
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  if (status === 413) return new Problem(413, 'too-large', 'expected a smaller body');
  if (status === 503) return new Problem(503, 'closing', 'the server is shutting down', { 'retry-after': '5' });
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return new Problem(status, 'bad-request', error instanceof Error ? error.message : 'bad request');
  }
  return new Problem(500, 'internal', 'the server failed; its log says more');
}
