import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InputError } from '../../src/errors.js';
import type { WordEntity } from '../../src/scheme/index.js';
import { Lexicon, lexiconText, parseLexicon } from '../../src/tag/index.js';
import { collectLexicon, type LabelledSentence } from '../../src/train/index.js';

const TYPES = ['Gene', 'Chemical'];
const [GENE, CHEMICAL] = [0, 1];
const text = (...sentences: string[]) => sentences.map((sentence) => ({ words: sentence.split(' ') }));
const entity = (type: number, ...words: number[]): WordEntity => ({ type, words, score: 0.5 });
const brief = (found: readonly (readonly WordEntity[])[]) =>
  found.map((entities) => entities.map(({ type, words }) => [type, ...words]));

const lexicon = new Lexicon([
  { type: 'Chemical', name: 'aspirin', score: 0.9 },
  { type: 'Chemical', name: 'acetic acid', score: 0.8 },
  { type: 'Chemical', name: 'acid', score: 0.6 },
  { type: 'Chemical', name: 'NO', score: 0.7 },
  { type: 'Gene', name: 'DnaK', score: 0.75 },
]);

describe('a lexicon', () => {
  test('marks names where nothing is marked, with their scores', () => {
    const found = lexicon.mark(text('Aspirin and acid', 'the ASPIRIN'), [[], []], TYPES);
    expect(found[0]).toEqual([
      { type: CHEMICAL, words: [0], score: 0.9 },
      { type: CHEMICAL, words: [2], score: 0.6 },
    ]);
    expect(found[1], 'two capitals count').toEqual([]);
  });

  test('case counts in short words and in those with two capitals', () => {
    expect(brief(lexicon.mark(text('no NO dnak DnaK'), [[]], TYPES))).toEqual([[[CHEMICAL, 1], [GENE, 3]]]); // prettier-ignore
  });

  test('takes the longest name, and a part of it becomes the whole', () => {
    expect(brief(lexicon.mark(text('acetic acid'), [[]], TYPES))).toEqual([[[CHEMICAL, 0, 1]]]);
    const found = lexicon.mark(text('acetic acid'), [[entity(CHEMICAL, 0)]], TYPES);
    expect(found).toEqual([[{ type: CHEMICAL, words: [0, 1], score: 0.5 }]]);
  });

  test('a part stays beside the whole where entities may overlap', () => {
    const found = lexicon.mark(text('acetic acid'), [[entity(CHEMICAL, 0)]], TYPES, undefined, false);
    expect(brief(found)).toEqual([[[CHEMICAL, 0], [CHEMICAL, 0, 1]]]); // prettier-ignore
    const unsure = lexicon.mark(text('DnaK'), [[entity(CHEMICAL, 0)]], TYPES, undefined, false);
    expect(brief(unsure), 'another type still takes its place').toEqual([[[GENE, 0]]]);
  });

  test('leaves other entities as they are', () => {
    const given = [[{ ...entity(GENE, 1), score: 0.95 }, entity(CHEMICAL, 2, 3)]];
    expect(lexicon.mark(text('acetic acid aspirin tablet'), given, TYPES)).toEqual(given);
  });

  test('a name of another type gives an unsure entity its type', () => {
    const found = (score: number, ...words: number[]) =>
      brief(lexicon.mark(text('DnaK domain'), [[{ ...entity(CHEMICAL, ...words), score }]], TYPES));
    expect(found(0.8, 0)).toEqual([[[GENE, 0]]]);
    expect(found(0.9, 0), 'sure').toEqual([[[CHEMICAL, 0]]]);
    expect(found(0.8, 0, 1), 'not exactly the name').toEqual([[[CHEMICAL, 0, 1]]]);
    const given = [[entity(CHEMICAL, 0)]];
    expect(lexicon.mark(text('DnaK'), given, TYPES, [CHEMICAL]), 'only chemicals wanted').toEqual(given);
    const both = new Lexicon(['Gene', 'Chemical'].map((type) => ({ type, name: 'DnaK', score: 0.8 })));
    expect(both.mark(text('DnaK'), given, TYPES), 'a name of both').toEqual(given);
    const twice = new Lexicon([1, 2].map(() => ({ type: 'Gene', name: 'DnaK', score: 0.8 })));
    expect(brief(twice.mark(text('DnaK'), given, TYPES)), 'named twice').toEqual([[[GENE, 0]]]);
  });

  test('marks wanted types only, and those of the model', () => {
    expect(brief(lexicon.mark(text('aspirin DnaK'), [[]], TYPES, [GENE]))).toEqual([[[GENE, 1]]]);
    expect(brief(lexicon.mark(text('aspirin DnaK'), [[]], ['Chemical']))).toEqual([[[0, 0]]]);
  });

  test('adds no overlaps', () => {
    const sentences = fc.array(fc.constantFrom('acetic', 'acid', 'aspirin', 'of'), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(sentences, fc.nat(7), (words, first) => {
        const given = first < words.length ? [[entity(GENE, first)]] : [[]];
        const [found = []] = lexicon.mark([{ words }], given, TYPES);
        const taken = found.flatMap((each) => each.words);
        expect(new Set(taken).size).toBe(taken.length);
        expect(Math.max(-1, ...taken)).toBeLessThan(words.length);
      }),
    );
  });
});

describe('the text of a lexicon', () => {
  test('is read as it is written', () => {
    const names = [
      { type: 'Gene', name: 'p53', score: 0.67 },
      { type: 'Chemical', name: '5 - HT', score: 1 },
    ];
    expect(lexiconText(names)).toBe('Gene\tp53\t0.67\nChemical\t5 - HT\t1\n');
    expect(parseLexicon(lexiconText(names), TYPES, 'x')).toEqual(names);
    expect(parseLexicon('# mine\r\n\r\nChemical\taspirin\r\n', TYPES, 'x')).toEqual([
      { type: 'Chemical', name: 'aspirin', score: 1 },
    ]);
  });

  test.each([
    ['aspirin', 'expected a type, a name and perhaps a score above 0 and up to 1, divided by tabs, found "aspirin"'],
    ['Chemical\taspirin\t2', 'expected a type, a name'],
    ['Chemical\taspirin\t1\tmore', 'expected a type, a name'],
    ['Drug\taspirin', 'expected a type of the model (Gene, Chemical), found "Drug\\taspirin"'],
  ])('%j is an error with its line', (line, message) => {
    const read = () => parseLexicon(`Gene\tp53\n${line}\n`, TYPES, 'names.tsv');
    expect(read).toThrow(InputError);
    expect(read).toThrow(message);
    expect(read).toThrow('names.tsv:2');
  });
});

describe('collecting a lexicon', () => {
  const sentence = (words: string, annotated: readonly number[], ...entities: WordEntity[]): LabelledSentence => ({
    words: words.split(' '),
    annotated,
    entities,
  });
  const names = (...sentences: LabelledSentence[]) =>
    Object.fromEntries(collectLexicon(sentences, TYPES).map(({ type, name, score }) => [`${type} ${name}`, score]));

  test('keeps what is marked almost everywhere, by the shares of its places', () => {
    const marked = sentence('aspirin', [CHEMICAL], entity(CHEMICAL, 0));
    const bare = sentence('Aspirin', [CHEMICAL]);
    expect(names(marked)).toEqual({ 'Chemical aspirin': 2 / 3 });
    expect(names(...Array<LabelledSentence>(9).fill(marked), bare)).toEqual({ 'Chemical aspirin': 10 / 12 });
    expect(names(...Array<LabelledSentence>(8).fill(marked), bare)).toEqual({});
  });

  test('places where the type is not annotated, or inside a longer mention, do not count', () => {
    const marked = sentence('acid', [CHEMICAL], entity(CHEMICAL, 0));
    expect(names(marked, sentence('acid', [GENE]))).toEqual({ 'Chemical acid': 2 / 3 });
    const longer = sentence('acetic acid', [CHEMICAL], entity(CHEMICAL, 0, 1));
    expect(names(marked, longer)).toEqual({ 'Chemical acid': 2 / 3, 'Chemical acetic acid': 2 / 3 });
  });

  test('short names need a second place, discontinuous ones are left out', () => {
    const short = sentence('NO', [CHEMICAL], entity(CHEMICAL, 0));
    expect(names(short)).toEqual({});
    expect(names(short, short)).toEqual({ 'Chemical NO': 3 / 4 });
    expect(names(sentence('alpha and beta chains', [GENE], entity(GENE, 0, 3)))).toEqual({});
  });
});
