import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect } from 'vitest';

export const project = fileURLToPath(new URL('../../../', import.meta.url));

/** The built command; `npm test` builds it first. */
export const main = join(project, 'dist/cli/main.js');

export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Call {
  /** Standard input; empty where absent. */
  readonly input?: string | Uint8Array;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts `ebiobert` as a process of its own that sees no terminal, no user's cache and no network. */
export function start(args: readonly string[], { cwd, env = {} }: Call = {}): ChildProcess {
  if (!existsSync(main)) throw new Error('expected the command to be built: npm run build');
  return spawn(process.execPath, [main, ...args], {
    ...(cwd === undefined ? {} : { cwd }),
    env: {
      ...process.env,
      NO_COLOR: '1',
      EBIOBERT_CACHE: join(tmpdir(), 'ebiobert-no-cache'),
      HF_HUB_OFFLINE: '1',
      ...env,
    },
    stdio: 'pipe',
  });
}

/** Runs `ebiobert` to its end. */
export async function ebiobert(args: readonly string[], call: Call = {}): Promise<Outcome> {
  const child = start(args, call);
  const closed = new Promise<number | null>((resolve, reject) => child.on('close', resolve).on('error', reject));
  const [stdout, stderr] = [text(child.stdout), text(child.stderr)];
  child.stdin?.on('error', () => undefined).end(call.input ?? '');
  return { status: await closed, stdout: await stdout, stderr: await stderr };
}

/** Whether there is the command `script`, by which `onTerminal` makes a terminal. */
export const hasTerminal = process.platform === 'linux' && existsSync('/usr/bin/script');

/** Runs `ebiobert` on a terminal; returns all that it shows. */
export function onTerminal(args: readonly string[], cwd: string): string {
  const call = [process.execPath, main, ...args].map((word) => `'${word}'`).join(' ');
  return execFileSync('script', ['-qec', call, '/dev/null'], { cwd, encoding: 'utf8' });
}

/** Runs a command that must fail with status 1, one line on standard error and nothing else; returns the line. */
export async function failure(args: readonly string[], call: Call = {}): Promise<string> {
  const { status, stdout, stderr } = await ebiobert(args, call);
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  expect(stderr).toMatch(/^ebiobert: [^\n]+\n$/);
  return stderr.slice('ebiobert: '.length, -1);
}

async function text(stream: NodeJS.ReadableStream | null): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream ?? []) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

/** A folder for one test file, removed at its end. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ebiobert-cli-'));
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** The JSON objects of output with one on each line. */
export function jsonLines(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
