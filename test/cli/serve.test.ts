import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { beforeAll, describe, expect, test } from 'vitest';
import { ebiobert, start, temporaryFolder } from './support/run.js';
import { writeModel } from './support/tiny.js';

const folder = temporaryFolder();
const model = join(folder, 'tiny');
beforeAll(async () => {
  await writeModel('word-pair', model);
});

describe('ebiobert serve', () => {
  test('answers as tag does, one copy or two, and ends on SIGTERM', async () => {
    for (const workers of ['1', '2']) {
      const child = start(['serve', '--model', model, '--port', '0', '--workers', workers]);
      const address = await addressOf(child.stderr);
      const body = JSON.stringify({ text: 'BRCA1 causes breast cancer .' });
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(`${address}/tag`, { method: 'POST', headers, body });
      const { entities } = (await answer.json()) as { entities: { type: string; text: string }[] };
      expect(entities.map(({ type, text }) => `${type} ${text}`)).toEqual(['Gene BRCA1', 'Disease breast cancer']);
      child.kill('SIGTERM');
      expect(await once(child, 'close')).toEqual([0, null]);
    }
  });

  test.each([
    [['--port', 'x'], 'expected a whole number from 0 to 65535 for --port, found x'],
    [['--token', 'a b'], 'expected a token of visible ASCII characters without blanks, found another'],
    [['--log-level', 'loud'], 'expected --log-level among debug, info, warn, error, silent, found loud'],
    [['--articles', 'ncbi', '--port', '0'], 'expected the address of a PubTator 3 API for --articles, found ncbi'],
  ])('%o is wrong usage', async (args, message) => {
    const { status, stderr } = await ebiobert(['serve', '--model', model, ...args]);
    expect({ status, stderr }).toEqual({ status: 2, stderr: `ebiobert: ${message}\n` });
  });
});

/** The address in the line of the log that names it. */
async function addressOf(log: NodeJS.ReadableStream | null): Promise<string> {
  if (log === null) throw new Error('expected a log');
  for await (const line of createInterface({ input: log })) {
    const address = /listening on (http:\/\/[^"]+)/.exec(line)?.[1];
    if (address !== undefined) {
      log.resume();
      return address;
    }
  }
  throw new Error('expected an address in the log');
}
