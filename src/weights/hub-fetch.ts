import { InputError } from '../errors.js';
import { errorCode } from './file-errors.js';

/** The hub gave no answer, or none for now: the network, or status 429 or 5xx. Trying again may help. */
export class HubUnreachable extends InputError {}

export interface HubConnection {
  /** `https://huggingface.co` or a mirror, without a slash at the end. */
  readonly endpoint: string;
  readonly token: string | undefined;
  readonly fetch: typeof fetch;
  readonly signal: AbortSignal | undefined;
}

/**
 * A `fetch` that sends the token, and turns every answer but success into one clear error about the model.
 *
 * @param model its id, for error messages
 * @returns a function that throws HubUnreachable or InputError; an abort by the signal stays what it is
 */
export function hubFetch(connection: HubConnection, model: string): typeof fetch {
  const { endpoint, token, signal } = connection;
  return async (input, init) => {
    const headers = new Headers(init?.headers);
    if (token !== undefined) headers.set('Authorization', `Bearer ${token}`);
    let response: Response;
    try {
      response = await connection.fetch(input, { ...init, headers, ...(signal ? { signal } : {}) });
    } catch (error) {
      throw networkError(error, connection, model);
    }
    if (response.ok) return response;
    await response.body?.cancel();
    throw statusError(response, endpoint, model, token !== undefined);
  };
}

/** A failed connection as HubUnreachable, with the reason that Node hides in `cause`. */
export function networkError(error: unknown, { endpoint, signal }: HubConnection, model: string): unknown {
  if (signal?.aborted || !(error instanceof Error)) return error;
  const cause = error.cause instanceof AggregateError ? error.cause.errors[0] : error.cause;
  const reason = errorCode(cause) ?? (cause instanceof Error ? cause.message : error.message);
  return new HubUnreachable(`cannot reach ${endpoint} (${reason})`, { file: model }, { cause: error });
}

function statusError(response: Response, endpoint: string, model: string, hasToken: boolean): InputError {
  const { status, headers } = response;
  const where = { file: model };
  const code = headers.get('X-Error-Code');
  const message = headers.get('X-Error-Message');
  if (code === 'GatedRepo') {
    const advice = `accept its terms at ${endpoint}/${model} and set HF_TOKEN to a token of that account`;
    return new InputError(`the model is gated: ${advice}`, where);
  }
  if (message === 'Invalid credentials in Authorization header') {
    return new InputError(`expected a valid token in HF_TOKEN, ${endpoint} refused this one`, where);
  }
  if (code === 'RevisionNotFound')
    return new InputError(`expected a revision of the model, found none by that name`, where);
  if (code === 'EntryNotFound')
    return new InputError(`expected ${new URL(response.url).pathname}, found no such file`, where);
  if (status === 401 || status === 404) {
    const secret = hasToken ? 'or HF_TOKEN has no access to it' : 'or it is private and needs HF_TOKEN';
    return new InputError(`expected a folder or a model on ${endpoint}, found none by that name (${secret})`, where);
  }
  if (status === 403) return new InputError(`${endpoint} refuses access (${message ?? 'status 403'})`, where);
  if (status === 429 || status >= 500) {
    return new HubUnreachable(`${endpoint} cannot answer now (status ${status})`, where);
  }
  return new InputError(`expected an answer from ${endpoint}, found status ${status}`, where);
}
