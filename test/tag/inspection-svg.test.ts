import { SaxesParser } from 'saxes';
import { describe, expect, test } from 'vitest';
import { inspectionSvg, type SentenceInspection } from '../../src/tag/index.js';

interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** The element's own text, its title first. */
  text: string;
}

/** The elements of an SVG image in their order; throws where it is not well-formed XML. */
function elementsOf(svg: string): Element[] {
  const elements: Element[] = [];
  const open: Element[] = [];
  const parser = new SaxesParser();
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', ({ name, attributes }) => {
    const element = { name, attributes: attributes as Record<string, string>, text: '' };
    elements.push(element);
    open.push(element);
  });
  parser.on('text', (text) => {
    const last = open.at(-1);
    if (last !== undefined) last.text += text.trim();
  });
  parser.on('closetag', () => open.pop());
  parser.write(svg).close();
  return elements;
}

const labels = [['None', 'NNW', 'THW-Gene', 'THW-Disease', 'THW-Species']];
const words = ['breast', 'cancer', '<b>'];

/** Probabilities of the joint classes in some cells; all other cells are None. */
function grid(cells: Readonly<Record<string, readonly number[]>>): SentenceInspection {
  const probabilities = words.flatMap((_, row) =>
    words.flatMap((_, column) => [...(cells[`${row} ${column}`] ?? [1, 0, 0, 0, 0])]),
  );
  const pieces = ['[CLS]', ...words, '[SEP]'];
  const looksAt = (row: number): number[] => Array.from({ length: 6 }, (_, column) => (column === row ? 0.9 : 0.02));
  const map = pieces.map((_, row) => looksAt(row));
  const own = { start: 1, end: 4 };
  return {
    words,
    pieces,
    own,
    names: [],
    cells: [],
    labels,
    probabilities,
    prefix: 1,
    attention: [
      [map, map],
      [map, map],
    ],
  };
}

const sentence = grid({
  '0 1': [0.1, 0.9, 0, 0, 0],
  '1 0': [0.02, 0, 0, 0.98, 0],
  '2 2': [0.6, 0, 0.3, 0, 0.1],
});
const titles = (elements: readonly Element[]): string[] =>
  elements.filter(({ name, text }) => name === 'title' && /\d\.\d{3}$/.test(text)).map(({ text }) => text);

describe('inspectionSvg', () => {
  test('draws the likely cells of the grid with their probabilities, and nothing that is unlikely', () => {
    const elements = elementsOf(inspectionSvg([sentence]));
    expect(titles(elements)).toEqual([
      'NNW breast → cancer 0.900',
      'THW-Disease cancer → breast 0.980',
      'THW-Species <b> → <b> 0.100',
      'THW-Gene <b> → <b> 0.300',
    ]);
    const marks = elements.filter(({ attributes }) => attributes['fill-opacity'] !== undefined).slice(0, 4);
    expect(marks.map(({ name, attributes }) => [name, attributes['fill-opacity']])).toEqual([
      ['circle', '0.900'],
      ['rect', '0.980'],
      ['rect', '0.100'],
      ['rect', '0.300'],
    ]);
    // The NNW is above the diagonal, the THW below it, at the same distance from the corner.
    const [nnw, thw] = marks.map(({ attributes }) => attributes);
    expect(Number(nnw?.['cx']) - Number(thw?.['x'])).toBeGreaterThan(22);
    expect(Number(thw?.['y']) - Number(nnw?.['cy'])).toBeGreaterThan(0);
  });

  test('writes a letter only where the label is the most probable, and explains all of them', () => {
    const texts = elementsOf(inspectionSvg([sentence])).filter(({ name }) => name === 'text');
    const letters = texts.filter(({ attributes }) => attributes['font-weight'] === 'bold').map(({ text }) => text);
    expect(letters).toEqual(['N', 'D', 'N', 'G', 'D', 'S']);
    const legend = texts.map(({ text }) => text).filter((text) => text.includes(': '));
    expect(legend.map((text) => text.split(':')[0])).toEqual(['NNW', 'THW-Gene', 'THW-Disease', 'THW-Species']);
    const drawn = texts.map(({ text }) => text);
    expect(words.map((word) => drawn.filter((text) => text === word).length)).toEqual([2, 2, 2]);
  });

  test('gives each type a colour of its own', () => {
    const legend = elementsOf(inspectionSvg([sentence])).filter(
      ({ attributes }) => attributes['fill-opacity'] === '1.000',
    );
    expect(new Set(legend.map(({ attributes }) => attributes['fill'])).size).toBe(4);
  });

  test('draws the labels of a sequence model on the diagonal', () => {
    const sequence: SentenceInspection = {
      ...sentence,
      labels: [['O', 'B-Disease', 'I-Disease']],
      probabilities: [0, 1, 0, 0.2, 0, 0.8, 1, 0, 0],
    };
    const elements = elementsOf(inspectionSvg([sequence]));
    expect(titles(elements)).toEqual(['B-Disease breast → breast 1.000', 'I-Disease cancer → cancer 0.800']);
  });

  test('draws the attention of each layer on request, the prefix first', () => {
    const elements = elementsOf(inspectionSvg([sentence], { grid: false, attention: true }));
    const texts = elements.filter(({ name }) => name === 'text').map(({ text }) => text);
    expect(texts.filter((text) => text.startsWith('Layer'))).toEqual([
      "Layer 1: attention of each row's piece, mean over 2 heads",
      "Layer 2: attention of each row's piece, mean over 2 heads",
    ]);
    expect(texts).toContain('prefix 1');
    const looks = elements.filter(({ text }) => text.includes('looks at')).map(({ text }) => text);
    expect(looks).toHaveLength(2 * 5);
    expect(looks[0]).toBe('[CLS] looks at prefix 1: 0.900');
  });

  test('is well-formed whatever the words are, and large enough for them', () => {
    const strange = { ...sentence, words: ['a"&b', '\u0000\ud800', 'x'.repeat(40)] };
    const [image, title] = elementsOf(inspectionSvg([strange, sentence]));
    expect(title?.text).toContain('a"&b \ufffd\ufffd xxx');
    expect(Number(image?.attributes['width'])).toBeGreaterThan(40 * 7 + 3 * 22);
    expect(Number(image?.attributes['height'])).toBeGreaterThan(40 * 7 + 2 * 3 * 22);
  });
});
