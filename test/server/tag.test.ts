import type { InjectOptions } from 'light-my-request';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { stubServer, tagging } from './support.js';

const { server, engine, log } = stubServer();
const entity = { id: 'T1', type: 'Chemical', start: 2, end: 6, text: 'drug', score: 0.9 };

describe('POST /tag with JSON', () => {
  test('tags one text', async () => {
    const answer = await server.inject(tagging({ text: 'A drug helps.' }));
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['content-type']).toMatch(/^application\/json/);
    expect(answer.json()).toEqual({ model: 'stub', offsets: 'codepoint', entities: [entity] });
  });

  test('tags several texts, with ids of the client', async () => {
    const answer = await server.inject(tagging({ texts: ['A drug.', { id: 'x', text: 'None.' }] }));
    expect(answer.json()).toEqual({
      model: 'stub',
      offsets: 'codepoint',
      documents: [
        { id: '0', entities: [entity] },
        { id: 'x', entities: [] },
      ],
    });
  });

  test('counts code points, or UTF-16 code units', async () => {
    const starts = async (offsets?: string) => {
      const answer = await server.inject(tagging({ text: '𝛼 drug', ...(offsets === undefined ? {} : { offsets }) }));
      return answer.json<{ entities: { start: number }[] }>().entities.map(({ start }) => start);
    };
    expect(await starts()).toEqual([2]);
    expect(await starts('utf16')).toEqual([3]);
  });

  test('leaves out types and low scores on request', async () => {
    const found = async (options: object) => {
      const answer = await server.inject(tagging({ text: 'A drug.', ...options }));
      return answer.json<{ entities: object[] }>().entities.length;
    };
    expect(await found({ types: ['Gene'] })).toBe(0);
    expect(await found({ types: ['Chemical'] })).toBe(1);
    expect(await found({ minScore: 0.95 })).toBe(0);
  });

  test('an empty text has no entities, and the model is not asked', async () => {
    const before = engine.calls.length;
    const answer = await server.inject(tagging({ text: '' }));
    expect(answer.json()).toMatchObject({ entities: [] });
    expect(engine.calls).toHaveLength(before);
  });

  test('a long document is cut into parts, and its offsets hold', async () => {
    const text = 'Nothing is said here in some words. '.repeat(100) + 'A drug helps.';
    const answer = await server.inject(tagging({ text }));
    const { entities } = answer.json<{ entities: { start: number; end: number }[] }>();
    expect(entities.map(({ start, end }) => text.slice(start, end))).toEqual(['drug']);
  });
});

describe('POST /tag with documents', () => {
  const pubtator = '1|t|A drug\n1|a|It is a drug.\n1\t0\t1\tA\tGene\t9\n\n';

  test('a PubTator file comes back as one, with the entities found', async () => {
    const answer = await server.inject({
      method: 'POST',
      url: '/tag',
      headers: { 'content-type': 'text/x-pubtator' },
      payload: pubtator,
    });
    expect(answer.statusCode).toBe(200);
    expect(answer.body).toBe('1|t|A drug\n1|a|It is a drug.\n1\t2\t6\tdrug\tChemical\n1\t15\t19\tdrug\tChemical\n\n');
  });

  test('Accept and ?to name the format of the answer', async () => {
    const request = { method: 'POST' as const, url: '/tag', payload: pubtator };
    const headers = { 'content-type': 'text/x-pubtator' };
    const accepted = await server.inject({ ...request, headers: { ...headers, accept: 'text/x-iob' } });
    expect(accepted.body.split('\n')).toContain('drug\tB-Chemical');
    const named = await server.inject({ ...request, url: '/tag?to=json', headers });
    expect(named.json<{ documents: { id: string }[] }>().documents.map(({ id }) => id)).toEqual(['1']);
  });

  test('a body of no stated type is recognised; gzip is undone', async () => {
    const answer = await server.inject({
      method: 'POST',
      url: '/tag?to=pubtator',
      headers: { 'content-type': 'application/octet-stream', 'content-encoding': 'gzip' },
      payload: gzipSync(pubtator),
    });
    expect(answer.body).toContain('1\t2\t6\tdrug\tChemical');
  });

  test('the example file goes through whole', async () => {
    const payload = readFileSync(new URL('../../examples/annotated.pubtator', import.meta.url));
    const headers = { 'content-type': 'text/x-pubtator' };
    const answer = await server.inject({ method: 'POST', url: '/tag', headers, payload });
    const lines = (text: string) => text.split('\n').filter((line) => /^\d+\|[ta]\|/.test(line));
    expect(lines(answer.body)).toEqual(lines(payload.toString('utf8')));
  });
});

describe('requests at fault', () => {
  const cases: [string, InjectOptions, number, string][] = [
    ['no JSON', { ...tagging({}), payload: '{' }, 400, 'expected JSON, found something else'],
    ['bytes that are no UTF-8', { ...tagging({}), payload: Buffer.from([0xff]) }, 400, 'expected JSON in UTF-8'],
    ['neither text nor texts', tagging({}), 400, 'the body.text'],
    ['an unknown field', tagging({ text: 'x', modell: 'y' }), 400, 'the body'],
    ['an unknown type', tagging({ text: 'x', types: ['Cell'] }), 400, 'expected types of the model (Gene, Chemical)'],
    ['an unknown model', tagging({ text: 'x', model: 'other' }), 404, 'expected a model (stub)'],
    ['an unknown path', { method: 'GET', url: '/tags' }, 404, 'expected a path of /openapi.json'],
    ['an unknown media type', { ...tagging({}), headers: { 'content-type': 'image/png' } }, 415, 'found image/png'],
    ['nothing acceptable', tagging({ text: 'x' }, { accept: 'image/png' }), 406, 'expected to answer as json'],
    ['a broken document', { method: 'POST', url: '/tag?from=pubtator', payload: 'x' }, 422, 'body'],
    ['a host of another name', tagging({ text: 'x' }, { host: 'evil.example' }), 421, 'expected localhost'],
  ];
  test.each(cases)('%s', async (_, request, status, detail) => {
    const answer = await server.inject(request);
    expect(answer.statusCode).toBe(status);
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(answer.json()).toMatchObject({ status, detail: expect.stringContaining(detail) as string });
  });

  test('bodies and texts over the limits', async () => {
    const small = stubServer({ limits: { maxBody: 200, maxText: 20 } }).server;
    expect((await small.inject(tagging({ text: 'x'.repeat(300) }))).statusCode).toBe(413);
    expect((await small.inject(tagging({ text: 'x'.repeat(30) }))).statusCode).toBe(413);
    const zipped = { ...tagging({}, { 'content-encoding': 'gzip' }), payload: gzipSync('x'.repeat(10_000)) };
    expect((await small.inject(zipped)).statusCode).toBe(413);
    expect((await small.inject(tagging({ text: 'A drug.' }))).statusCode).toBe(200);
  });
});

test('the log has a line for each request, without texts', async () => {
  await server.inject(tagging({ text: 'A secret drug.' }));
  const line = log.filter(({ msg }) => msg === 'request').at(-1);
  expect(line).toMatchObject({ method: 'POST', route: '/tag', status: 200, documents: 1, characters: 14, entities: 1 });
  expect(JSON.stringify(log)).not.toContain('secret');
});
