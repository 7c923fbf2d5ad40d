import { InputError } from '../errors.js';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left on the disk',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file would be larger than allowed',
  EISDIR: 'expected a file, found a folder',
  ENOTDIR: 'expected a folder, found a file',
  EEXIST: 'it exists already',
  ENOTEMPTY: 'the folder is not empty',
  EMFILE: 'too many open files',
  ELOOP: 'too many symbolic links',
  ENAMETOOLONG: 'the name is too long',
  EIO: 'the disk reported an error',
  EBUSY: 'it is in use',
};

/** The code of an operating system error (`ENOENT`), undefined for any other error. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined;
  return error.code;
}

/**
 * An error of the file system as an InputError that names the file, what was tried (`read`, `write`) and why it failed;
 * any other error unchanged.
 */
export function fileError(error: unknown, file: string, action: string): unknown {
  const code = errorCode(error);
  const reason = code === undefined ? undefined : REASONS[code];
  return reason === undefined
    ? error
    : new InputError(`cannot ${action}: ${reason} (${code})`, { file }, { cause: error });
}

/** Awaits a file operation and turns its errors into `fileError`s. */
export async function attempt<T>(file: string, action: string, operation: Promise<T>): Promise<T> {
  try {
    return await operation;
  } catch (error) {
    throw fileError(error, file, action);
  }
}
