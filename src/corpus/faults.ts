import { InputError } from '../errors.js';
import type { ReadOptions } from './format.js';

/**
 * What reading one document gives; undefined where the input is at fault and `onFault` was told of it.
 * @throws InputError when nobody listens to faults
 */
export function tolerated<T>({ onFault }: ReadOptions, readOne: () => T): T | undefined {
  try {
    return readOne();
  } catch (error) {
    if (onFault === undefined || !(error instanceof InputError)) throw error;
    onFault(error, 'document');
    return undefined;
  }
}
