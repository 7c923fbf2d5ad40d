import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Tagger, type Document, type Entity } from '../../src/index.js';
import { temporaryFolder } from '../cli/support/run.js';
import { FOUND, SAMPLE, writeModel } from '../cli/support/tiny.js';

const folder = temporaryFolder();
let grid: Tagger;
let sequence: Tagger;

beforeAll(async () => {
  for (const kind of ['word-pair', 'sequence'] as const) await writeModel(kind, join(folder, kind));
  grid = await Tagger.load(join(folder, 'word-pair'), { threads: 1 });
  sequence = await Tagger.load(join(folder, 'sequence'), { threads: 1 });
}, 120_000);
afterAll(async () => {
  await grid.dispose();
  await sequence.dispose();
});

const mentions = (text: string, entities: readonly Entity[]): string[] =>
  entities.map(({ type, spans }) => `${type} ${spans.map(({ start, end }) => text.slice(start, end)).join(' ')}`);
const texts = [SAMPLE, `𝛼 ${SAMPLE}`, 'BRCA1 causes asthma .', 'TP53 causes breast cancer .'];

describe('Tagger', () => {
  test('is a class: what load gives is an instance', () => {
    expect(grid).toBeInstanceOf(Tagger);
  });

  test('two of different models work side by side, and each takes many calls at once', async () => {
    const alone: Entity[][] = [];
    for (const tagger of [grid, sequence]) for (const text of texts) alone.push([...(await tagger.tag(text))]);
    expect(mentions(SAMPLE, alone[0] ?? [])).toEqual(FOUND);
    expect(mentions(SAMPLE, alone[texts.length] ?? [])).toEqual(FOUND);
    const calls = [grid, sequence].flatMap((tagger) => texts.map((text) => ({ tagger, text })));
    for (let round = 0; round < 3; round++) {
      expect(await Promise.all(calls.map(({ tagger, text }) => tagger.tag(text)))).toEqual(alone);
    }
  });

  test('can be disposed of while another of the same model goes on', async () => {
    const [one, other] = await Promise.all([1, 2].map(() => Tagger.load(join(folder, 'sequence'), { threads: 1 })));
    await one?.dispose();
    expect(mentions(SAMPLE, (await other?.tag(SAMPLE)) ?? [])).toEqual(FOUND);
    await other?.dispose();
    await expect(one?.tag(SAMPLE)).rejects.toThrow(/disposed/);
  });

  test('stops with the reason of an aborted signal, between documents too', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    let given = 0;
    const documents = function* (): Generator<Document> {
      for (; given < 1000; given++) yield { id: String(given), text: SAMPLE, entities: [] };
    };
    const reason = new Error('the client went away');
    let seen = 0;
    const reading = (async () => {
      for await (const { entities } of sequence.tagDocuments(documents(), { signal })) {
        expect(entities).toHaveLength(FOUND.length);
        seen += 1;
        controller.abort(reason);
      }
    })();
    await expect(reading).rejects.toBe(reason);
    expect(seen).toBeGreaterThan(0);
    expect(given).toBeLessThan(200);
    await expect(grid.tagBatch(texts, { signal })).rejects.toBe(reason);
    expect(mentions(SAMPLE, await grid.tag(SAMPLE))).toEqual(FOUND);
  });

  test('reports the types and scores that are asked for', async () => {
    const all = await sequence.tag(SAMPLE);
    const diseases = await sequence.tag(SAMPLE, { types: ['Disease'] });
    expect(diseases).toEqual(all.filter(({ type }) => type === 'Disease'));
    const middle = [...all].map(({ score = 0 }) => score).sort((a, b) => a - b)[2] ?? 0;
    expect(await sequence.tag(SAMPLE, { minScore: middle })).toEqual(all.filter(({ score = 0 }) => score >= middle));
  });
});
