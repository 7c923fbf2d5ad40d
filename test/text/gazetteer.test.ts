import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InputError } from '../../src/errors.js';
import { Gazetteer, parseNames, placedNames, PLACES, type GazetteerName } from '../../src/text/index.js';
import { hashMore, EMPTY_HASH, finishHash, NameHashes, packHashes, unpackHashes } from '../../src/text/name-hashes.js';

const names: GazetteerName[] = [
  { class: 'Chemical', name: 'Aspirin' },
  { class: 'Chemical', name: 'cyclosporin A' },
  { class: 'Chemical', name: 'NF-kappa B inhibitor' },
  { class: 'Disease', name: 'breast cancer' },
  { class: 'Disease', name: 'cancer' },
  { class: 'Disease', name: 'AIDS' },
  { class: 'Disease', name: 'Sjögren' },
  { class: 'Chemical', name: 'delta-9-THC' },
  { class: 'Chemical', name: '5 μM' },
  { class: 'Gene', name: 'BRCA1', exact: true },
  { class: 'Gene', name: 'Large', exact: true },
  { class: 'Gene', name: 'IL-2', exact: true },
  { class: 'Gene', name: 'tumor necrosis factor alpha' },
];
const gazetteer = Gazetteer.fromNames(names);

/** Words with what is marked at them: `Chemical first`. */
function marked(text: string, from = gazetteer): string[] {
  const words = text.split(' ');
  const marks = from.marks(words);
  expect(marks).toHaveLength(words.length);
  const places = new Map([
    [1, 'first'],
    [2, 'inner'],
    [4, 'last'],
    [8, 'only'],
  ]);
  return words.flatMap((word, k) =>
    from.classes.flatMap((name, c) => {
      const bits = ((marks[k] ?? 0) >> (PLACES * c)) & 15;
      if (bits === 0) return [];
      return [`${word}: ${name} ${places.get(bits) ?? 'several'}`];
    }),
  );
}

describe('marks', () => {
  test('the longest name of a class that begins first, in any case', () => {
    expect(marked('Breast Cancer after aspirin')).toEqual([
      'Breast: Disease first',
      'Cancer: Disease last',
      'aspirin: Chemical only',
    ]);
    expect(marked('cancer of the breast')).toEqual(['cancer: Disease only']);
  });

  test('names of several classes at the same words', () => {
    const both = Gazetteer.fromNames([...names, { class: 'Sign', name: 'cancer' }]);
    expect(marked('breast cancer', both)).toEqual([
      'breast: Disease first',
      'cancer: Disease last',
      'cancer: Sign only',
    ]);
  });

  test.each([
    ['hyphens, wherever words end', 'IL - 2', ['IL: Gene first', '-: Gene inner', '2: Gene last']],
    ['hyphens within a word', 'IL-2 and IL2', ['IL-2: Gene only', 'IL2: Gene only']],
    [
      'Greek letters',
      'tumor necrosis factor α',
      ['tumor: Gene first', 'necrosis: Gene inner', 'factor: Gene inner', 'α: Gene last'],
    ],
    ['letters of any form', 'tumor necrosis factor ϕ μ', []],
    ['what is not seen', 'as\u00adpirin and IL\u22122', ['as\u00adpirin: Chemical only', 'IL\u22122: Gene only']],
    ['letters and their marks apart', 'Sjo\u0308gren', ['Sjo\u0308gren: Disease only']],
    [
      'a capital Greek letter, and a sign that looks like one',
      'Δ9-THC 5 µM',
      ['Δ9-THC: Chemical only', '5: Chemical first', 'µM: Chemical last'],
    ],
    ['the plural', 'breast cancers', ['breast: Disease first', 'cancers: Disease last']],
    [
      'case where it counts',
      'aids AIDS large Large LARGE brca1',
      ['AIDS: Disease only', 'Large: Gene only', 'brca1: Gene only'],
    ],
    ['no part of a word', 'cancerous precancer cyclosporin', []],
  ])('%s', (_, text, expected) => {
    expect(marked(text)).toEqual(expected);
  });

  test('of no words', () => {
    expect(gazetteer.marks([])).toEqual(new Int32Array(0));
  });

  test('every name where it stands alone, whatever it is', () => {
    const word = fc.stringMatching(/^[A-Za-z0-9'αβ-]{2,9}$/).filter((text) => /\p{L}/u.test(text));
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 3 }), fc.boolean(), (words, exact) => {
        const one = Gazetteer.fromNames([{ class: 'Name', name: words.join(' '), exact }]);
        fc.pre(one.sizes[0] === 1);
        const marks = one.marks(words);
        const inner = words.slice(2).map(() => 2);
        expect([...marks]).toEqual(words.length === 1 ? [8] : [1, ...inner, 4]);
      }),
    );
  });
});

describe('placedNames', () => {
  test('are the names that were marked', () => {
    const words = 'IL - 2 and BRCA1 in breast cancer , AIDS'.split(' ');
    expect(placedNames(gazetteer.marks(words), gazetteer.classes)).toEqual([
      { class: 'Gene', start: 0, end: 3 },
      { class: 'Gene', start: 4, end: 5 },
      { class: 'Disease', start: 6, end: 8 },
      { class: 'Disease', start: 9, end: 10 },
    ]);
  });

  test('of a part of a sentence those that lie in it', () => {
    const marks = gazetteer.marks('IL - 2 and breast cancer'.split(' ')).slice(1, 5);
    expect(placedNames(marks, gazetteer.classes)).toEqual([]);
  });
});

describe('fromNames', () => {
  test('leaves out what cannot stand in a text', () => {
    const left = ['x', '-a', '1 2', '%', 'a b c d e f g h i'].map((name) => ({ class: 'Name', name }));
    expect(Gazetteer.fromNames([...left, { class: 'Name', name: 'kept' }]).sizes).toEqual([1]);
  });

  test('refuses no class, and more than there are bits for', () => {
    expect(() => Gazetteer.fromNames([])).toThrow('expected names of one to 7 classes, found 0');
    const eight = [...'abcdefgh'].map((name) => ({ class: name, name: 'name' }));
    expect(() => Gazetteer.fromNames(eight, 'names.tsv')).toThrow(
      'names.tsv: expected names of one to 7 classes, found 8',
    );
    expect(() => Gazetteer.fromNames([{ class: 'a\tb', name: 'name' }], 'names.tsv')).toThrow(
      'names.tsv: expected a class without tabs and line breaks, found "a\\tb"',
    );
  });
});

describe('bytes', () => {
  const bytes = gazetteer.toBytes();

  test('give the same gazetteer', () => {
    const again = Gazetteer.fromBytes(bytes, 'gazetteer.bin');
    expect(again.classes).toEqual(['Chemical', 'Disease', 'Gene']);
    expect(again.sizes).toEqual([5, 4, 4]);
    const words = 'breast cancer , aspirin , IL - 2 and BRCA1'.split(' ');
    expect(again.marks(words)).toEqual(gazetteer.marks(words));
    expect(again.toBytes()).toEqual(bytes);
    const long = Gazetteer.fromNames([{ class: 'Name of a class. '.repeat(100), name: 'name' }]);
    expect(Gazetteer.fromBytes(long.toBytes(), 'x').classes).toEqual(long.classes);
  });

  test.each([
    ['nothing', new Uint8Array(0), 'expected a gazetteer of this version'],
    ['another file', new TextEncoder().encode('{"model_type": "ebiobert"}\n'), 'expected a gazetteer of this version'],
    ['a part', bytes.slice(0, -1), 'expected lists of hashes'],
    ['the head alone', bytes.slice(0, 45), 'expected lists of hashes'],
    ['more', Uint8Array.of(...bytes, 0), 'expected the end of the gazetteer'],
  ])('refuses %s', (_, damaged, message) => {
    expect(() => Gazetteer.fromBytes(damaged, 'gazetteer.bin')).toThrow(`gazetteer.bin: ${message}`);
  });

  test('refuses every part of it, and never fails otherwise where a byte is another', () => {
    const lists = bytes.indexOf(0x0a, bytes.indexOf(0x0a) + 1) + 1;
    for (let length = 0; length < bytes.length; length++) {
      expect(() => Gazetteer.fromBytes(bytes.slice(0, length), 'x')).toThrow(InputError);
    }
    fc.assert(
      fc.property(fc.integer({ min: lists + 1, max: bytes.length - 1 }), fc.nat(255), (place, byte) => {
        const damaged = Uint8Array.from(bytes);
        damaged[place] = byte;
        let read: Gazetteer;
        try {
          read = Gazetteer.fromBytes(damaged, 'x');
        } catch (error) {
          expect(error).toBeInstanceOf(InputError);
          return;
        }
        expect(read.sizes).toEqual(gazetteer.sizes);
      }),
    );
  });
});

describe('NameHashes', () => {
  test('has what it was given, packed and unpacked, and nothing else', () => {
    const hash = fc.oneof(fc.nat(0xffffffff), fc.constantFrom(0, 1, 0xffff, 0x10000, 0xffffffff));
    fc.assert(
      fc.property(fc.uniqueArray(hash), hash, (list, other) => {
        const packed = packHashes(Uint32Array.from(list).sort());
        const { hashes, end } = unpackHashes(packed, 0, 'x');
        expect(end).toBe(packed.length);
        const set = new NameHashes(hashes);
        expect(list.every((each) => set.has(each))).toBe(true);
        expect(set.has(other)).toBe(list.includes(other));
      }),
    );
  });

  test('hashes go on, and are spread evenly over the buckets', () => {
    expect(hashMore(hashMore(EMPTY_HASH, 'breast '), 'cancer ')).toBe(hashMore(EMPTY_HASH, 'breast cancer '));
    const counts = new Array<number>(256).fill(0);
    for (let k = 0; k < 25_600; k++) {
      const upper = finishHash(hashMore(EMPTY_HASH, `gene ${k} `)) >>> 24;
      counts[upper] = (counts[upper] ?? 0) + 1;
    }
    expect(Math.min(...counts)).toBeGreaterThan(50);
    expect(Math.max(...counts)).toBeLessThan(150);
  });
});

describe('parseNames', () => {
  test('reads classes, names and "exact", past comments and empty lines', () => {
    const lines = ['# names', '', 'Gene\tLarge\texact', 'Disease\tbreast cancer \t'];
    expect([...parseNames(lines, 'names.tsv')]).toEqual([
      { class: 'Gene', name: 'Large', exact: true },
      { class: 'Disease', name: 'breast cancer', exact: false },
    ]);
  });

  test.each(['Gene', 'Gene\t', '\tp53', 'Gene\tp53\t0.5', 'Gene\tp53\texact\tmore'])(
    'refuses %j by its line',
    (line) => {
      expect(() => [...parseNames(['# names', line], 'names.tsv')]).toThrow(
        'names.tsv:2: expected a class, a name and perhaps "exact", divided by tabs, found ',
      );
    },
  );
});
