import type { z } from 'zod';
import { InputError, type Location } from '../errors.js';

/** The first thing that a schema finds wrong, as one line: where in the file, and what. */
export function schemaError(error: z.ZodError, at: Location): InputError {
  const [issue] = error.issues;
  const place = issue === undefined || issue.path.length === 0 ? '' : `${issue.path.join('.')}: `;
  if (issue?.code === 'unrecognized_keys') {
    const keys = issue.keys.map((key) => JSON.stringify(key)).join(', ');
    return new InputError(`${place}expected known settings only, found ${keys}`, at);
  }
  return new InputError(`${place}${issue?.message ?? 'expected other settings'}`, at);
}
