import { describe, expect, test } from 'vitest';
import type { WordEntity } from '../../src/scheme/index.js';
import { explainAbbreviations } from '../../src/tag/abbreviations.js';
import { decide } from '../../src/tag/decide.js';
import { Lexicon } from '../../src/tag/index.js';

const [GENE, CHEMICAL] = [0, 1];
const text = (...sentences: string[]) => sentences.map((s, k) => ({ words: s.split(' '), follows: k > 0 }));
const entity = (type: number, words: readonly number[], score = 0.9): WordEntity => ({ type, words, score });
const brief = (found: readonly (readonly WordEntity[])[]) =>
  found.map((entities) => entities.map(({ type, words }) => [type, ...words]));

describe('an explained abbreviation', () => {
  const sentences = text('we gave phenobarbital ( PB ) daily', 'PB was safe', 'levels of PB fell');

  test('is what its long form is, wherever it stands after', () => {
    const found = explainAbbreviations(sentences, [[entity(CHEMICAL, [2])], [], []]);
    expect(brief(found)).toEqual([[[CHEMICAL, 2], [CHEMICAL, 4]], [[CHEMICAL, 0]], [[CHEMICAL, 2]]]); // prettier-ignore
    expect(found[1]?.[0]?.score).toBe(0.9);
  });

  test('takes the place of another type, but not of a longer name', () => {
    const long = text('we gave phenobarbital ( PB ) daily', 'PB was safe', 'the PB receptor');
    const given = [[entity(CHEMICAL, [2])], [entity(GENE, [0])], [entity(GENE, [1, 2])]];
    expect(brief(explainAbbreviations(long, given))).toEqual([[[CHEMICAL, 2], [CHEMICAL, 4]], [[CHEMICAL, 0]], [[GENE, 1, 2]]]); // prettier-ignore
  });

  test('stands beside what it overlaps where entities may overlap', () => {
    const long = text('we gave phenobarbital ( PB ) daily', 'PB was safe', 'the PB receptor');
    const given = [[entity(CHEMICAL, [2])], [entity(GENE, [0])], [entity(GENE, [1, 2])]];
    const [, second, third] = brief(explainAbbreviations(long, given, false));
    expect(second).toEqual([[GENE, 0], [CHEMICAL, 0]]); // prettier-ignore
    expect(third).toEqual([[GENE, 1, 2], [CHEMICAL, 1]]); // prettier-ignore
  });

  test('is no entity where its long form is none', () => {
    const given = [[entity(GENE, [4])], [entity(GENE, [0])], []];
    expect(brief(explainAbbreviations(sentences, given))).toEqual([[], [], []]);
  });

  test('is left alone where the long form is an entity in part', () => {
    const part = text('renal cell carcinoma ( RCC ) grew', 'RCC');
    const given = [[entity(GENE, [0])], [entity(GENE, [0])]];
    expect(explainAbbreviations(part, given)).toEqual(given);
  });

  test('means nothing before its explanation, in other texts, or far away', () => {
    const before = text('PB is old', 'phenobarbital ( PB )');
    expect(brief(explainAbbreviations(before, [[], [entity(CHEMICAL, [0])]]))[0]).toEqual([]);
    const other = [...text('phenobarbital ( PB )'), ...text('PB')];
    expect(brief(explainAbbreviations(other, [[entity(CHEMICAL, [0])], []]))[1]).toEqual([]);
    const far = text('phenobarbital ( PB )', ...Array<string>(12).fill('and'), 'PB');
    const found = explainAbbreviations(
      far,
      far.map((_, k) => (k === 0 ? [entity(CHEMICAL, [0])] : [])),
    );
    expect(found.at(-1)).toEqual([]);
  });

  test('may have hyphens, which split words', () => {
    const serotonin = text('5 - hydroxytryptamine ( 5 - HT ) rose', '5 - HT fell');
    const found = explainAbbreviations(serotonin, [[entity(CHEMICAL, [0, 1, 2])], []]);
    expect(brief(found)).toEqual([[[CHEMICAL, 0, 1, 2], [CHEMICAL, 4, 5, 6]], [[CHEMICAL, 0, 1, 2]]]); // prettier-ignore
  });
});

describe('deciding', () => {
  const types = ['Gene', 'Chemical'];
  const given = [[entity(GENE, [0, 1], 0.9), entity(CHEMICAL, [1], 0.8)], []];
  const sentences = text('dopamine transporter', 'aspirin');

  test('resolves overlaps by score among the wanted types alone', () => {
    const flat = { types, flat: true, discourse: false };
    expect(brief(decide(sentences, given, flat))).toEqual([[[GENE, 0, 1]], []]);
    expect(brief(decide(sentences, given, { ...flat, wanted: ['Chemical'] }))).toEqual([[[CHEMICAL, 1]], []]);
    expect(brief(decide(sentences, given, { types, flat: false, discourse: false }))).toEqual(brief(given));
  });

  test('the lexicon comes after the model, and what it marks takes part in the vote', () => {
    const lexicon = new Lexicon([{ type: 'Chemical', name: 'aspirin', score: 0.95 }]);
    const found = decide(sentences, given, { types, flat: true, lexicon, discourse: true });
    expect(brief(found)).toEqual([[[GENE, 0, 1]], [[CHEMICAL, 0]]]);
  });
});
