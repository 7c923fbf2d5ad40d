import { CommanderError } from 'commander';
import { InputError, UsageError } from '../errors.js';

/** 1: the input was at fault; 2: the call was; 130: interrupted. */
export function exitStatus(error: unknown): number {
  if (error instanceof UsageError || error instanceof CommanderError) return 2;
  if (error instanceof Error && error.name === 'AbortError') return 130;
  return 1;
}

/** One line on standard error that says what was expected, what was found, and where; the stack on request. */
export function reportError(error: unknown, verbose: boolean): void {
  const known = error instanceof InputError || error instanceof UsageError;
  if (error instanceof CommanderError) {
    const message = error.message.replace(/^error: /, '').replaceAll('\n', ' ');
    process.stderr.write(`ebiobert: ${message}; see ebiobert --help\n`);
  } else if (error instanceof Error) {
    const message = error.message.replaceAll('\n', ' ');
    process.stderr.write(`ebiobert: ${known || error.name === 'AbortError' ? '' : `${error.name}: `}${message}\n`);
    if (verbose) process.stderr.write(`${error.stack ?? ''}\n`);
  } else {
    process.stderr.write(`ebiobert: ${String(error)}\n`);
  }
}
