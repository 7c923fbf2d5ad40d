import { fileError } from '../weights/file-errors.js';
import { exitStatus, reportError } from './failure.js';

const running = new Set<() => Promise<void>>();
let ending = false;

/**
 * Notes what has to be ended before the process may: a thread that is cut off inside ONNX Runtime aborts the process.
 * @returns takes the note back
 */
export function beforeExit(end: () => Promise<void>): () => void {
  running.add(end);
  return () => {
    running.delete(end);
  };
}

/** Whether the process is ending because of its standard output; what fails by that is nobody's business. */
export function isEnding(): boolean {
  return ending;
}

/**
 * Ends the process when its standard output takes no more: quietly with status 0 where the reader has seen enough
 * (`| head`), else with a line that says why.
 */
export async function endWithoutOutput(error: NodeJS.ErrnoException, verbose: boolean): Promise<void> {
  if (ending) return;
  ending = true;
  await Promise.allSettled([...running].map((end) => end()));
  if (error.code === 'EPIPE') process.exit(0);
  const failure = fileError(error, '<stdout>', 'write');
  reportError(failure, verbose);
  process.exit(exitStatus(failure));
}
