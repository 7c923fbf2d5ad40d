import { Command } from 'commander';
import { readFileSync } from 'node:fs';
import { UsageError } from '../../errors.js';
import { createServer, defaultLimits, isLoopback, loadModels, type Limits } from '../../server/index.js';
import { threadCount } from './tag.js';

interface Options {
  readonly model?: readonly string[];
  readonly host: string;
  readonly port: number;
  readonly token?: string;
  readonly cors?: readonly string[];
  readonly threads?: number;
  readonly workers: number;
  readonly float32?: boolean;
  readonly articles?: string;
  readonly maxBody: number;
  readonly maxText: number;
  readonly maxTime: number;
  readonly maxQueue: number;
  readonly maxWait: number;
  readonly logLevel: string;
}

const levels = ['debug', 'info', 'warn', 'error', 'silent'];

export const command = new Command('serve')
  .description('Answers over HTTP: POST /tag, GET /models, /health, /metrics and /openapi.json; see docs/server.md.')
  .option('--model <model...>', 'models to serve, the first is the default; the bundled one where absent')
  .option('--host <address>', 'address to bind', '127.0.0.1')
  .option('--port <n>', 'port to bind; 0 takes a free one', number('--port', 0, 65_535), 8080)
  .option('--token <token>', 'bearer token that requests must have; also as EBIOBERT_TOKEN in the environment')
  .option('--cors <origin...>', 'origins whose pages may read answers, * for all; none where absent')
  .option('--workers <n>', 'copies of each model, for requests side by side', number('--workers', 1, 256), 1)
  .option('--threads <n>', 'threads of each copy', threadCount)
  .option('--float32', 'use the float32 graph of the models, not the quantised one')
  .option('--articles <url>', 'a PubTator 3 API to fetch articles from by PMID, for /publications/export')
  .option('--max-body <bytes>', 'largest body', number('--max-body', 1), defaultLimits.maxBody)
  .option('--max-text <characters>', 'longest text', number('--max-text', 1), defaultLimits.maxText)
  .option('--max-time <ms>', 'longest time of a request', number('--max-time', 1), defaultLimits.maxTime)
  .option('--max-queue <n>', 'requests that may wait', number('--max-queue', 1), defaultLimits.maxQueue)
  .option('--max-wait <ms>', 'longest wait for others to share a run', number('--max-wait', 0), defaultLimits.maxWait)
  .option('--log-level <level>', `${levels.join(', ')}`, level, 'info')
  .action(run);

function number(option: string, least: number, most = Number.MAX_SAFE_INTEGER): (value: string) => number {
  return (value) => {
    const found = Number(value);
    if (value.trim() !== '' && Number.isInteger(found) && found >= least && found <= most) return found;
    const range = most === Number.MAX_SAFE_INTEGER ? `of ${least} or more` : `from ${least} to ${most}`;
    throw new UsageError(`expected a whole number ${range} for ${option}, found ${value}`);
  };
}

function level(value: string): string {
  if (levels.includes(value)) return value;
  throw new UsageError(`expected --log-level among ${levels.join(', ')}, found ${value}`);
}

async function run(options: Options): Promise<void> {
  const { host, port, model = [], workers, threads, float32, maxBody, maxText, maxTime, maxQueue, maxWait } = options;
  const token = options.token ?? process.env['EBIOBERT_TOKEN'];
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
    throw new UsageError('expected a token of visible ASCII characters without blanks, found another');
  }
  const articles = options.articles === undefined ? undefined : address(options.articles);
  const stop = stopRequest();
  const models = await loadModels(model, {
    workers,
    ...(threads === undefined ? {} : { threads }),
    ...(float32 === undefined ? {} : { float32 }),
  });
  const limits: Partial<Limits> = { maxBody, maxText, maxTime, maxQueue, maxWait };
  const server = createServer(models, {
    host,
    limits,
    origins: options.cors ?? [],
    version: version(),
    log: process.stderr,
    logLevel: options.logLevel,
    ...(token === undefined ? {} : { token }),
    ...(articles === undefined ? {} : { articles }),
  });
  try {
    await server.listen({ host, port, listenTextResolver: (address) => `listening on ${address}` }).catch(bindFailure);
    if (token === undefined && !isLoopback(host)) {
      server.log.warn('anyone who can reach this address can use the server: consider --token');
    }
    server.log.info({ signal: await stop }, 'stopping: requests that were accepted are finished');
  } finally {
    await server.close();
  }
}

function address(url: string): string {
  if (URL.canParse(url) && /^https?:/.test(url)) return url;
  throw new UsageError(`expected the address of a PubTator 3 API for --articles, found ${url}`);
}

function bindFailure(error: unknown): never {
  const found: Readonly<Record<string, string>> = {
    EADDRINUSE: 'one that is in use',
    EACCES: 'one without permission',
    EADDRNOTAVAIL: 'an address that this machine does not have',
    ENOTFOUND: 'an unknown name',
  };
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (found[code] === undefined) throw error;
  throw new UsageError(`expected an address and a port to bind, found ${found[code]}`);
}

/** The first signal to stop; another one ends the process at once. */
async function stopRequest(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const stop = (signal: NodeJS.Signals): void => {
      process.off('SIGTERM', stop).off('SIGINT', stop);
      resolve(signal);
    };
    process.on('SIGTERM', stop).on('SIGINT', stop);
  });
}

function version(): string {
  const file = new URL('../../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
