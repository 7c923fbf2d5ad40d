import type { WordEntity } from '../scheme/index.js';
import { findAbbreviations, type Span } from '../text/index.js';
import { REACH } from './discourse.js';
import type { WordSentence } from './encode.js';
import { Marks } from './marks.js';
import { textByText } from './texts.js';

/** Where a short form stands: its words, by number. */
interface Place {
  readonly sentence: number;
  readonly words: readonly number[];
}

/** Where a text explains a short form, and by which words. */
interface Definition extends Place {
  readonly long: readonly number[];
}

interface ShortForm {
  readonly words: readonly string[];
  /** In the order of the text. */
  readonly definitions: Definition[];
  readonly places: Place[];
}

/**
 * Short forms that the text explains (Schwartz and Hearst 2003) mean what their long forms mean: where exactly the long
 * form is an entity, the short form is one of its type, in that sentence and in those after, as far as the discourse
 * reaches or until it is explained again; where nothing of the long form is an entity, the short form alone is none.
 *
 * @param found entities of each sentence
 * @param flat whether entities may not overlap: the short form takes the place of what overlaps it; otherwise it is
 *   marked beside it
 * @returns the entities of each sentence, by their first words
 */
export function explainAbbreviations(
  sentences: readonly WordSentence[],
  found: readonly (readonly WordEntity[])[],
  flat = true,
): WordEntity[][] {
  return textByText(sentences, found, (text, inText) => explain(text, inText, flat));
}

function explain(
  text: readonly WordSentence[],
  found: readonly (readonly WordEntity[])[],
  flat: boolean,
): WordEntity[][] {
  const forms = shortForms(text);
  if (forms.length === 0) return found.map((entities) => [...entities]);
  const before = found.map((entities) => new Marks(entities));
  const after = found.map((entities) => new Marks(entities));
  for (const form of forms) {
    for (const [place, { sentence, long }] of governed(form)) {
      const explained = before[sentence]?.at(long);
      const marks = after[place.sentence];
      if (explained !== undefined) mark(marks, { ...explained, words: place.words }, flat);
      else if (before[sentence]?.overlapping(long).length === 0) {
        const entity = marks?.at(place.words);
        if (entity !== undefined) marks?.remove(entity);
      }
    }
  }
  return after.map((marks) => marks.inOrder());
}

/** Marks what is not within an entity of its type; without overlaps in the place of others, unless they are longer names. */
function mark(marks: Marks | undefined, entity: WordEntity, flat: boolean): void {
  const overlapping = marks?.overlapping(entity.words) ?? [];
  if (overlapping.some(({ type, words }) => type === entity.type || (flat && words.length > entity.words.length)))
    return;
  if (flat) for (const other of overlapping) marks?.remove(other);
  marks?.add(entity);
}

/** The short forms that a text explains, with all places where they stand. */
function shortForms(text: readonly WordSentence[]): ShortForm[] {
  const forms = new Map<string, ShortForm>();
  const byFirstWord = new Map<string, ShortForm[]>();
  for (const [sentence, { words }] of text.entries()) {
    for (const { short, long } of definitionsIn(words)) {
      const surface = short.map((word) => words[word] ?? '');
      const key = surface.join(' ');
      const form = forms.get(key) ?? { words: surface, definitions: [], places: [] };
      form.definitions.push({ sentence, words: short, long });
      if (forms.has(key)) continue;
      forms.set(key, form);
      const [first = ''] = surface;
      byFirstWord.set(first, [...(byFirstWord.get(first) ?? []), form]);
    }
  }
  for (const [sentence, { words }] of text.entries()) {
    for (const [first, word] of words.entries()) {
      for (const form of byFirstWord.get(word) ?? []) {
        if (form.words.some((part, k) => words[first + k] !== part)) continue;
        form.places.push({ sentence, words: form.words.map((_, k) => first + k) });
      }
    }
  }
  return [...forms.values()];
}

/** The places of a short form with the definition that counts there: the last one before, or the sentence's own. */
function* governed({ definitions, places }: ShortForm): Generator<[Place, Definition]> {
  let next = 0;
  for (const place of places) {
    const starts = (definition: Definition | undefined): boolean =>
      definition !== undefined &&
      (definition.sentence < place.sentence ||
        (definition.sentence === place.sentence && (definition.words[0] ?? 0) <= (place.words[0] ?? 0)));
    while (starts(definitions[next])) next += 1;
    const last = definitions[next - 1];
    const own = definitions[next]?.sentence === place.sentence ? definitions[next] : undefined;
    const definition = last !== undefined && last.sentence >= place.sentence - REACH ? last : own;
    if (definition !== undefined) yield [place, definition];
  }
}

function definitionsIn(words: readonly string[]): { readonly short: number[]; readonly long: number[] }[] {
  if (!words.includes('(')) return [];
  const { text, starts } = compactText(words);
  return findAbbreviations(text).map(({ short, long }) => ({
    short: within(short, starts),
    long: within(long, starts),
  }));
}

/** Words joined by blanks but around hyphens, so that `5 - HT` is one word whether or not the source says so. */
function compactText(words: readonly string[]): { readonly text: string; readonly starts: readonly number[] } {
  const parts: string[] = [];
  const starts: number[] = [];
  let length = 0;
  for (const [k, word] of words.entries()) {
    const blank = k > 0 && word !== '-' && words[k - 1] !== '-' ? ' ' : '';
    starts.push(length + blank.length);
    parts.push(blank, word);
    length += blank.length + word.length;
  }
  return { text: parts.join(''), starts };
}

/** The words that begin in a span, and the one that it begins in. */
function within({ start, end }: Span, starts: readonly number[]): number[] {
  let [low, high] = [0, starts.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= start) low = middle;
    else high = middle - 1;
  }
  const words: number[] = [];
  for (let word = low; (starts[word] ?? Infinity) < end; word++) words.push(word);
  return words;
}
