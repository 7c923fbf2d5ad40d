/**
 * `npm run bench -- --server [--quick]`: a load test of `ebiobert serve` with the bundled model: requests per second and
 * times of answers at 1, 8 and 64 clients, and resident memory after 10,000 requests against after 100.
 */
import autocannon from 'autocannon';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { row } from './measure.js';

const quick = process.argv.includes('--quick');
const [first, last] = quick ? [20, 100] : [100, 10_000];
const seconds = quick ? 2 : 10;

/** Sentences of the examples, one a request, in turn. */
const texts = ['xmrv-chronic-fatigue', 'malaria-prevention'].flatMap(sentencesOf);

const child = spawn(process.execPath, ['dist/cli/main.js', 'serve', '--port', '0', '--log-level', 'info'], {
  stdio: ['ignore', 'inherit', 'pipe'],
});
try {
  const url = await address();
  let next = 0;
  const load = (options: Partial<autocannon.Options>) =>
    autocannon({
      url: `${url}/tag`,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      requests: [
        {
          setupRequest: (request) => ({ ...request, body: JSON.stringify({ text: texts[next++ % texts.length] }) }),
        },
      ],
      ...options,
    });

  await load({ connections: 8, amount: first });
  const before = await residentMemory(url);
  for (const connections of [1, 8, 64]) {
    const { requests, latency, non2xx, errors } = await load({ connections, duration: seconds });
    const failed = non2xx + errors > 0 ? `, ${non2xx + errors} failed` : '';
    row(
      `${connections} clients`,
      `${requests.average.toFixed(0)} requests/s`,
      `p50 ${latency.p50} ms, p99 ${latency.p99} ms${failed}`,
    );
  }
  await load({ connections: 8, amount: last });
  const after = await residentMemory(url);
  const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MB`;
  row(`memory after ${first} requests`, megabytes(before));
  row(`after the runs above and ${last} more`, megabytes(after), `${(after / before).toFixed(2)} times`);
} finally {
  child.kill('SIGTERM');
}

async function address(): Promise<string> {
  for await (const line of createInterface({ input: child.stderr })) {
    const found = /listening on (http:\/\/[^"]+)/.exec(line)?.[1];
    if (found === undefined) continue;
    child.stderr.resume();
    return found;
  }
  throw new Error('expected the server to listen');
}

async function residentMemory(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^process_resident_memory_bytes (\S+)$/m.exec(text)?.[1]);
}

function sentencesOf(name: string): string[] {
  const text = readFileSync(new URL(`../examples/${name}.txt`, import.meta.url), 'utf8');
  return text.split(/(?<=\.)\s+/).filter((sentence) => sentence.length > 20);
}
