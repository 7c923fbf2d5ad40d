import { describe, expect, test } from 'vitest';
import { SentenceEncoder } from '../../src/tag/index.js';
import { WordPieceTokenizer } from '../../src/text/index.js';
import type { Unannotated } from '../../src/train/config.js';
import { encodeExamples, sizeOfExample, trainingBatch, type LabelledSentence } from '../../src/train/data.js';
import { tinySequence, tinyWordPair } from '../model/support/tiny.js';

const tokenizer = WordPieceTokenizer.fromVocabulary('[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n##a\n', {
  lowercase: true,
});
const GENE = 0;

/** Four words, the middle two a gene; the corpus annotates genes only. */
const genes: LabelledSentence = {
  words: ['a', 'aa', 'a', 'a'],
  entities: [{ type: GENE, words: [1, 2] }],
  annotated: [GENE],
};

function labels(config: ReturnType<typeof tinySequence>, ...sentences: LabelledSentence[]) {
  return labelsWhere('absent-in-mentions', config, ...sentences);
}

function labelsWhere(
  unannotated: Unannotated,
  config: ReturnType<typeof tinySequence>,
  ...sentences: LabelledSentence[]
) {
  const examples = encodeExamples(sentences, new SentenceEncoder({ tokenizer }, config));
  const { inputs } = trainingBatch(examples, config, tokenizer, unannotated);
  return { dims: inputs['labels']?.dims, data: [...(inputs['labels']?.data ?? [])] };
}

/** Every second number: the labels of one of two types. */
const ofType = (data: readonly (number | bigint)[], type: number) => data.filter((_, k) => k % 2 === type);

describe('trainingBatch', () => {
  test('a type that the corpus does not annotate is unknown, but absent inside mentions of others', () => {
    const { dims, data } = labels(tinySequence({ labels: 'typed' }), genes);
    expect(dims).toEqual([1, 4, 2]);
    expect(ofType(data, GENE)).toEqual([0, 1, 2, 0]);
    expect(ofType(data, 1)).toEqual([-1, 0, 0, -1]);
  });

  test('so it is in the grid', () => {
    const { dims, data } = labels(tinyWordPair({ labels: 'typed' }), genes);
    expect(dims).toEqual([1, 4, 4, 2]);
    // Row 1: next word at column 2; row 2: tail of the entity whose head is column 1.
    expect(ofType(data, GENE)).toEqual([0, 0, 0, 0, 0, 0, 1, 0, 0, 2, 0, 0, 0, 0, 0, 0]);
    expect(ofType(data, 1)).toEqual([-1, -1, -1, -1, -1, 0, 0, -1, -1, 0, 0, -1, -1, -1, -1, -1]);
  });

  test('where it is unknown throughout, mentions of others say nothing of it either', () => {
    const sequence = labelsWhere('unknown', tinySequence({ labels: 'typed' }), genes);
    expect(ofType(sequence.data, GENE)).toEqual([0, 1, 2, 0]);
    expect(ofType(sequence.data, 1)).toEqual([-1, -1, -1, -1]);
    expect(ofType(labelsWhere('unknown', tinyWordPair({ labels: 'typed' }), genes).data, 1)).toEqual(
      new Array(16).fill(-1),
    );
  });

  test('where it is absent, as if the corpus annotated it', () => {
    const { data } = labelsWhere('absent', tinySequence({ labels: 'typed' }), genes);
    expect(ofType(data, GENE)).toEqual([0, 1, 2, 0]);
    expect(ofType(data, 1)).toEqual([0, 0, 0, 0]);
  });

  test('joint labels leave nothing out', () => {
    expect(labels(tinySequence({ labels: 'joint' }), genes).data).toEqual([0, 1, 2, 0]);
  });

  test('neighbours share a window, and each keeps its own labels', () => {
    const config = tinySequence({ labels: 'joint', context: 20 });
    const both = [genes, { ...genes, entities: [], follows: true }];
    const examples = encodeExamples(both, new SentenceEncoder({ tokenizer }, config));
    expect(examples.map(sizeOfExample)).toEqual([{ pieces: 12, words: 4, sentences: 2 }]);
    expect(labels(config, ...both)).toEqual({ dims: [2, 4, 1], data: [0, 1, 2, 0, 0, 0, 0, 0] });
  });
});
