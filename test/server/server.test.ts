import { Validator } from '@seriousme/openapi-schema-validator';
import { createServer as createHttp } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { stubServer, tagging } from './support.js';

const get = (url: string, headers: Readonly<Record<string, string>> = {}) => ({ method: 'GET' as const, url, headers });

test('says what it is: health, models, metrics', async () => {
  const { server } = stubServer();
  expect((await server.inject(get('/health'))).json()).toMatchObject({ status: 'ok', version: '1.2.3', waiting: 0 });
  const models = [{ name: 'stub', kind: 'sequence', types: ['Gene', 'Chemical'], flat: true, default: true }];
  expect((await server.inject(get('/models'))).json()).toEqual({ models });
  await server.inject(tagging({ text: 'A drug.' }));
  const { body } = await server.inject(get('/metrics'));
  expect(body).toContain('ebiobert_documents_total 1');
  expect(body).toContain('ebiobert_entities_total{type="Chemical"} 1');
  expect(body).toMatch(/ebiobert_request_seconds_count\{method="POST",route="\/tag",status="200"\} 1/);
});

test.each([undefined, 'secret'])('the OpenAPI document is valid and has every route (token %s)', async (token) => {
  const { server } = stubServer(token === undefined ? {} : { token });
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const document = (await server.inject(get('/openapi.json', headers))).json<{ paths: Record<string, object> }>();
  expect(await new Validator().validate(document)).toEqual({ valid: true });
  const paths = ['/health', '/metrics', '/models', '/openapi.json', '/publications/export/{format}', '/tag'];
  expect(Object.keys(document.paths).sort()).toEqual(paths);
  for (const path of paths) {
    const url = path.replace('{format}', ':format');
    expect(server.hasRoute({ method: path === '/tag' ? 'POST' : 'GET', url })).toBe(true);
  }
});

describe('with a token', () => {
  const { server } = stubServer({ token: 'secret' });
  test.each([
    ['/models', {}, 401],
    ['/models', { authorization: 'Bearer other' }, 401],
    ['/models', { authorization: 'Basic secret' }, 401],
    ['/models', { authorization: 'Bearer secret' }, 200],
    ['/metrics', {}, 401],
    ['/nowhere', {}, 401],
    ['/health', {}, 200],
  ])('%s with %o is answered with %i', async (url, headers: Record<string, string>, status) => {
    const answer = await server.inject(get(url, headers));
    expect(answer.statusCode).toBe(status);
    if (status === 401) expect(answer.headers['www-authenticate']).toBe('Bearer');
  });
});

test('pages of other origins read answers only where they are allowed', async () => {
  const allowed = async (origins?: string[]) => {
    const { server } = stubServer(origins === undefined ? {} : { origins });
    const { headers } = await server.inject(get('/health', { origin: 'https://lab.example' }));
    return headers['access-control-allow-origin'];
  };
  expect(await allowed()).toBeUndefined();
  expect(await allowed(['https://lab.example'])).toBe('https://lab.example');
  expect(await allowed(['https://other.example'])).not.toBe('https://lab.example');
});

describe('batches', () => {
  test('requests that wait together share a run, and each gets its own entities', async () => {
    const { server, engine } = stubServer();
    const release = engine.hold();
    const first = server.inject(tagging({ text: 'A drug.' }));
    await until(() => engine.calls.length === 1);
    const texts = ['One drug.', 'None.', 'The drug and the drug.'];
    const others = texts.map((text) => server.inject(tagging({ text })));
    await sleep(30);
    release();
    const counts = (await Promise.all(others)).map((answer) => answer.json<{ entities: object[] }>().entities.length);
    expect(counts).toEqual([1, 0, 2]);
    expect((await first).statusCode).toBe(200);
    expect(engine.calls.map((documents) => documents.length)).toEqual([1, 3]);
  });

  test('a full queue answers 503 and says when to come back', async () => {
    const { server, engine } = stubServer({ limits: { maxQueue: 1 } });
    const release = engine.hold();
    const running = server.inject(tagging({ text: 'A drug.' }));
    await until(() => engine.calls.length === 1);
    const waiting = server.inject(tagging({ text: 'A drug.' }));
    await sleep(20);
    const refused = await server.inject(tagging({ text: 'A drug.' }));
    expect(refused.statusCode).toBe(503);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect(refused.json()).toMatchObject({ code: 'queue-full' });
    release();
    expect([(await running).statusCode, (await waiting).statusCode]).toEqual([200, 200]);
  });

  test('a request over its time is answered, and its work ends', async () => {
    const { server, engine } = stubServer({ limits: { maxTime: 60 } });
    const release = engine.hold();
    const answer = await server.inject(tagging({ text: 'A drug.' }));
    expect(answer.statusCode).toBe(504);
    expect(engine.aborted).toEqual([0]);
    release();
  });
});

describe('over a socket', () => {
  test('a client that goes away is not worked for', async () => {
    const { server, engine, log } = stubServer();
    const address = await server.listen({ port: 0 });
    const release = engine.hold();
    const controller = new AbortController();
    const answer = post(address, controller.signal);
    await until(() => engine.calls.length === 1);
    controller.abort();
    await expect(answer).rejects.toThrow();
    await until(() => engine.aborted.length === 1);
    release();
    await until(() => log.some(({ problem }) => problem === 'cancelled'));
  });

  test('closing finishes what was accepted, refuses what comes, and frees the model', async () => {
    const { server, engine } = stubServer();
    const address = await server.listen({ port: 0 });
    const release = engine.hold();
    const accepted = post(address);
    await until(() => engine.calls.length === 1);
    const closed = server.close();
    await sleep(20);
    await expect(fetch(`${address}/health`)).rejects.toThrow();
    release();
    expect((await accepted).status).toBe(200);
    await closed;
    expect(engine.disposed).toBe(true);
  });
});

describe('exports as PubTator 3 has them', () => {
  const article = '1|t|A drug\n1|a|Text.\n1\t0\t1\tA\tGene\t9\n\n';
  const asked: string[] = [];
  const source = createHttp((request, response) => {
    asked.push(request.url ?? '');
    if (request.url?.includes('pmids=404') === true) response.writeHead(404).end();
    else response.end(article);
  });
  afterAll(() => source.close());

  test('articles of the source come back with the entities of this server', async () => {
    await new Promise<void>((resolve) => source.listen(0, '127.0.0.1', resolve));
    const { server } = stubServer({ articles: `http://127.0.0.1:${(source.address() as AddressInfo).port}/api/` });
    for (const prefix of ['', '/research/pubtator3-api']) {
      const answer = await server.inject(get(`${prefix}/publications/export/pubtator?pmids=1,2&full=true`));
      expect(answer.body).toBe('1|t|A drug\n1|a|Text.\n1\t2\t6\tdrug\tChemical\n\n');
    }
    expect(asked[0]).toBe('/api/publications/export/pubtator?pmids=1%2C2&full=true');
    const status = async (path: string) => (await server.inject(get(`/publications/export/${path}`))).statusCode;
    expect(await status('pubtator?pmids=404')).toBe(502);
    expect(await status('pubtator?pmids=x')).toBe(400);
    expect(await status('word?pmids=1')).toBe(404);
  });

  test('without a source there are none', async () => {
    const answer = await stubServer().server.inject(get('/publications/export/pubtator?pmids=1'));
    expect(answer.json()).toMatchObject({ status: 404, detail: expect.stringContaining('--articles') as string });
  });
});

function post(address: string, signal?: AbortSignal): Promise<Response> {
  const body = JSON.stringify({ text: 'A drug.' });
  const headers = { 'content-type': 'application/json' };
  return fetch(`${address}/tag`, { method: 'POST', headers, body, ...(signal === undefined ? {} : { signal }) });
}

/** Waits for a condition, some seconds at most. */
async function until(condition: () => boolean): Promise<void> {
  for (let k = 0; k < 500 && !condition(); k++) await sleep(10);
  expect(condition()).toBe(true);
}
