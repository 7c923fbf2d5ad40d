/** Runs the scripts of the pages: for their words alone, or for real. */
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { main, type Outcome } from '../../cli/support/run.js';

const RECORDED = ['ebiobert', 'npm', 'npx', 'node', 'curl', 'cat', 'mkdir', 'python3', 'ls', 'pip', 'unzip'];

/**
 * A shell whose commands do nothing but note what they were called with, so that quotes, variables and pipes are the
 * shell's own business.
 */
export class RecordingShell {
  readonly #bin: string;
  readonly #folder: string;
  #scripts = 0;

  constructor(folder: string) {
    this.#bin = join(folder, 'recorders');
    this.#folder = folder;
    mkdirSync(this.#bin, { recursive: true });
    for (const name of RECORDED) {
      const file = join(this.#bin, name);
      writeFileSync(file, `#!/bin/sh\nprintf '%s\\037' "\${0##*/}" "$@" >> "$NOTES"\nprintf '\\036' >> "$NOTES"\n`);
      chmodSync(file, 0o755);
    }
  }

  /** The words of each command that a script calls. */
  async words(script: string): Promise<string[][]> {
    const notes = join(this.#folder, `recorded-${this.#scripts++}`);
    writeFileSync(notes, '');
    const { status, stderr } = await run('/bin/sh', ['-euc', script], {
      cwd: this.#bin,
      env: { PATH: this.#bin, NOTES: notes },
    });
    if (status !== 0 || stderr !== '') throw new Error(`expected a script that sh runs, found ${stderr}\n${script}`);
    const calls = readFileSync(notes, 'utf8').split('\u001e').slice(0, -1);
    return calls.map((call) => call.split('\u001f').slice(0, -1));
  }
}

/** A shell in which `ebiobert` is the built command; it sees no user's cache and no network. */
export class RealShell {
  readonly #bin: string;

  constructor(folder: string) {
    this.#bin = join(folder, 'bin');
    mkdirSync(this.#bin, { recursive: true });
    const file = join(this.#bin, 'ebiobert');
    writeFileSync(file, `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`);
    chmodSync(file, 0o755);
  }

  async run(script: string, cwd: string): Promise<Outcome> {
    return run('/bin/sh', ['-euc', script], {
      cwd,
      env: {
        ...process.env,
        PATH: `${this.#bin}${delimiter}${process.env['PATH'] ?? ''}`,
        NO_COLOR: '1',
        HF_HUB_OFFLINE: '1',
        EBIOBERT_CACHE: join(tmpdir(), 'ebiobert-no-cache'),
      },
    });
  }
}

/** Runs a program to its end, with empty standard input. */
export async function run(
  file: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv },
): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = execFile(file, args, { ...options, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      const status = error === null ? 0 : typeof error.code === 'number' ? error.code : null;
      resolve({ status, stdout, stderr });
    });
    child.stdin?.end();
  });
}
