/** Where in an input something was found: a file (or a name for a stream) and a 1-based line. */
export interface Location {
  readonly file?: string;
  readonly line?: number;
}

/**
 * The input was at fault: one clear line that says what was expected, what was found, and where.
 * The command line prints it as `file:line: message` and exits with status 1.
 */
export class InputError extends Error {
  override readonly name: string = 'InputError';
  /** Where; the message begins with it. */
  readonly location: Location;

  constructor(message: string, location: Location = {}, options?: ErrorOptions) {
    super(`${formatLocation(location)}${message}`, options);
    this.location = location;
  }
}

/** The call was at fault (an unknown option, type, format or command); the command line exits with status 2. */
export class UsageError extends Error {
  override readonly name: string = 'UsageError';
}

/** The error for a broken invariant of this library, never caused by input. */
export class InternalError extends Error {
  override readonly name: string = 'InternalError';
}

function formatLocation({ file, line }: Location): string {
  if (file === undefined) return line === undefined ? '' : `line ${line}: `;
  return line === undefined ? `${file}: ` : `${file}:${line}: `;
}
