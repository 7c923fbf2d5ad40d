import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readFileDocuments } from '../../src/corpus/corpora.js';
import { findAbbreviations } from '../../src/text/index.js';

const pairs = (text: string): string[] =>
  findAbbreviations(text).map(
    ({ short, long }) => `${text.slice(short.start, short.end)} = ${text.slice(long.start, long.end)}`,
  );

describe('findAbbreviations', () => {
  test.each([
    ['Heat shock transcription factor (HSF) binds DNA.', 'HSF = Heat shock transcription factor'],
    ['We used methyl methanesulfonate sulfate (MMS).', 'MMS = methyl methanesulfonate sulfate'],
    ['Gcn5-related N-acetyltransferase (GNAT) is one.', 'GNAT = Gcn5-related N-acetyltransferase'],
    ['The 3-hydroxy-3-methylglutaryl coenzyme A (HMG CoA) level.', 'HMG CoA = 3-hydroxy-3-methylglutaryl coenzyme A'],
    ['Activated by the c-Jun N-terminal kinase (JNK) pathway.', 'JNK = c-Jun N-terminal kinase'],
    ['JNK (c-Jun N-terminal kinase) was active.', 'JNK = c-Jun N-terminal kinase'],
    ['FISH (fluorescence in situ hybridization) showed it.', 'FISH = fluorescence in situ hybridization'],
    [
      'The adult respiratory distress syndrome (ARDS, or shock lung) kills.',
      'ARDS = adult respiratory distress syndrome',
    ],
    ['The tumor\nnecrosis factor (TNF; a cytokine) rose.', 'TNF = tumor\nnecrosis factor'],
    ['Patients with non-Hodgkin lymphoma (NHL) improved.', 'NHL = non-Hodgkin lymphoma'],
    ['Serum beta-human chorionic gonadotropin (beta-hCG) rose.', 'beta-hCG = beta-human chorionic gonadotropin'],
    ['Blood was poly(ADP-ribose) polymerase (PARP) positive.', 'PARP = poly(ADP-ribose) polymerase'],
  ])('%j', (text, pair) => {
    expect(pairs(text)).toEqual([pair]);
  });

  test.each([
    'The patients (n = 12) were old.',
    'As shown before (Fig. 2), and later (2003).',
    'The level rose (P < 0.05) in mice (P<0.01).',
    'A protein (XYZ) of no known name.',
    'A kinase(CK) without a blank before.',
    'Breast cancer (breast cancer) again.',
    'It was (AB',
    'AB) it was',
    '()',
    '( )',
    '',
    'The word of one sentence. (TWO) the next.',
  ])('nothing is explained in %j', (text) => {
    expect(pairs(text)).toEqual([]);
  });

  test('several in one text, in its order, at their places', () => {
    const text = 'Breast cancer (BC) and ovarian cancer (OC).\n\nThe BC gene 1 (BG1) is one.';
    expect(pairs(text)).toEqual(['BC = Breast cancer', 'OC = ovarian cancer', 'BG1 = BC gene 1']);
  });

  test('the long form is no longer than the paper allows', () => {
    const words = Array.from({ length: 40 }, () => 'cell').join(' ');
    expect(pairs(`Some alpha ${words} beta (AB).`)).toEqual([]);
  });

  test('is what it says for any text: a short form in or before brackets, a longer long form beside it', () => {
    const unit = fc.constantFrom('a', 'b', 'A', 'B', '1', ' ', '-', '(', ')', '.', '\n', 'é', '😀', ',');
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 60 }), (units) => {
        const text = units.join('');
        for (const { short, long } of findAbbreviations(text)) {
          expect(short.end - short.start).toBeGreaterThan(1);
          expect(short.end - short.start).toBeLessThanOrEqual(10);
          expect(long.end - long.start).toBeGreaterThan(short.end - short.start);
          expect(long.end <= short.start || short.end <= long.start).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('takes time that is linear in the text, brackets without end and all', () => {
    const time = (text: string): number => {
      const started = performance.now();
      findAbbreviations(text);
      return performance.now() - started;
    };
    const sentence = 'Heat shock factor (HSF) binds (and does not (ever) leave) it. ';
    time(sentence.repeat(500));
    for (const part of [sentence, '( a ', 'a ) ', '(AB) ']) {
      expect(time(part.repeat(20_000))).toBeLessThan(30 * time(part.repeat(2000)) + 200);
    }
  });
});

const file = fileURLToPath(new URL('../../../shared/corpora/raw/CDR_DevelopmentSet.PubTator.txt', import.meta.url));
describe.skipIf(!existsSync(file))('abstracts (skipped without ../shared/corpora)', () => {
  test('hundreds are found, and those of entities are right', async () => {
    const found = new Map<string, Set<string>>();
    let agreed = 0;
    let judged = 0;
    for await (const { text, entities } of readFileDocuments(file)) {
      const concepts = new Map(entities.map(({ spans, attributes }) => [spans[0].end, attributes?.['concept']]));
      for (const { short, long } of findAbbreviations(text)) {
        const form = text.slice(short.start, short.end);
        found.set(form, (found.get(form) ?? new Set()).add(text.slice(long.start, long.end).toLowerCase()));
        const [one, other] = [concepts.get(short.end), concepts.get(long.end)];
        if (one === undefined || other === undefined || [one, other].includes('-1')) continue;
        judged += 1;
        if (one === other) agreed += 1;
      }
    }
    expect(found.size).toBeGreaterThan(250);
    expect([...(found.get('CHF') ?? [])]).toContain('congestive heart failure');
    expect([...(found.get('NO') ?? [])]).toContain('nitric oxide');
    expect([...(found.get('SHR') ?? [])]).toContain('spontaneously hypertensive rats');
    expect(judged).toBeGreaterThan(100);
    expect(agreed / judged).toBeGreaterThan(0.97);
  });
});
