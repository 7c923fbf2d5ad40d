import type { Document, Entity, Sentence } from './document.js';
import { hull, mentionText } from './mentions.js';
import { documentSentences } from './sentences.js';

/** How long something is, in words. */
export interface Lengths {
  readonly mean: number;
  readonly median: number;
  readonly max: number;
}

/** Mentions of one type. */
export interface TypeStatistics {
  readonly mentions: number;
  /** Different mentions: compared without regard to case and blanks. */
  readonly unique: number;
}

/** What Table 1 of Guan and Zhou (2023) says of a data set, and more. */
export interface SetStatistics {
  readonly documents: number;
  readonly sentences: number;
  readonly words: number;
  readonly mentions: number;
  /** Different mentions of one type; the sum over the types. */
  readonly unique: number;
  readonly types: Readonly<Record<string, TypeStatistics>>;
  readonly sentencesWithMentions: number;
  readonly sentenceWords: Lengths;
  readonly mentionWords: Lengths;
  /** Mentions of one word. */
  readonly single: number;
  /** Mentions whose extent lies within that of another, or is the same. */
  readonly nested: number;
  /** Mentions that begin within another and end after it. */
  readonly crossing: number;
  readonly discontinuous: number;
}

/** How much of one set's mentions is known from another. Shares are in [0, 1], 0 where there are no mentions. */
export interface MentionOverlap {
  readonly mentions: number;
  /** Mentions that also occur, with the same type, in the other set. */
  readonly known: number;
  /** known / mentions. */
  readonly share: number;
  /** Different mentions of one type; the sum over the types. */
  readonly unique: number;
  readonly knownUnique: number;
  /** knownUnique / unique. */
  readonly uniqueShare: number;
}

/** Statistics of a set of documents, added one by one; what is kept grows with the different mentions only. */
export class CorpusStatistics {
  readonly #mentions = new Map<string, Map<string, number>>();
  readonly #sentenceWords = new Histogram();
  readonly #mentionWords = new Histogram();
  #documents = 0;
  #sentencesWithMentions = 0;
  #nested = 0;
  #crossing = 0;
  #discontinuous = 0;

  /** Counts one document. */
  add(document: Document): void {
    const sentences = documentSentences(document);
    this.#documents += 1;
    for (const { words } of sentences) this.#sentenceWords.add(words.length);
    for (const entity of document.entities) this.#addMention(document, entity, sentences);
    this.#sentencesWithMentions += sentences.filter((sentence) => hasMention(sentence, document.entities)).length;
    const extents = document.entities.map(hull).sort((a, b) => a.start - b.start || b.end - a.end);
    let reached = 0;
    for (const { start, end } of extents) {
      if (end <= reached) this.#nested += 1;
      else if (start < reached) this.#crossing += 1;
      reached = Math.max(reached, end);
    }
  }

  /** The statistics of what was added so far. */
  result(): SetStatistics {
    const types = [...this.#mentions.keys()].sort().map((type): [string, TypeStatistics] => {
      const counts = [...(this.#mentions.get(type)?.values() ?? [])];
      return [type, { mentions: counts.reduce((a, b) => a + b, 0), unique: counts.length }];
    });
    const sum = (field: keyof TypeStatistics): number => types.reduce((total, [, of]) => total + of[field], 0);
    return {
      documents: this.#documents,
      sentences: this.#sentenceWords.count,
      words: this.#sentenceWords.sum,
      mentions: sum('mentions'),
      unique: sum('unique'),
      types: Object.fromEntries(types),
      sentencesWithMentions: this.#sentencesWithMentions,
      sentenceWords: this.#sentenceWords.lengths(),
      mentionWords: this.#mentionWords.lengths(),
      single: this.#mentionWords.countOf(1),
      nested: this.#nested,
      crossing: this.#crossing,
      discontinuous: this.#discontinuous,
    };
  }

  /** How many of these mentions are in any of the other sets. */
  overlapWith(others: readonly CorpusStatistics[]): MentionOverlap {
    const overlap = { mentions: 0, known: 0, unique: 0, knownUnique: 0 };
    for (const [type, counts] of this.#mentions) {
      for (const [key, count] of counts) {
        overlap.mentions += count;
        overlap.unique += 1;
        if (!others.some((other) => other.#mentions.get(type)?.has(key))) continue;
        overlap.known += count;
        overlap.knownUnique += 1;
      }
    }
    const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);
    return {
      ...overlap,
      share: share(overlap.known, overlap.mentions),
      uniqueShare: share(overlap.knownUnique, overlap.unique),
    };
  }

  #addMention({ text }: Document, { type, spans }: Entity, sentences: readonly Sentence[]): void {
    const counts = this.#mentions.get(type) ?? new Map<string, number>();
    this.#mentions.set(type, counts);
    const key = mentionText(text, spans).toLowerCase().replace(/\s+/g, '');
    counts.set(key, (counts.get(key) ?? 0) + 1);
    if (spans.length > 1) this.#discontinuous += 1;
    let words = 0;
    for (const sentence of sentences) {
      if (!hasMention(sentence, [{ type, spans }])) continue;
      words += sentence.words.filter((word) =>
        spans.some((span) => word.start < span.end && word.end > span.start),
      ).length;
    }
    this.#mentionWords.add(words);
  }
}

/** Whether any of the mentions has a character in the sentence. */
function hasMention({ words }: Sentence, entities: readonly Entity[]): boolean {
  const start = words[0]?.start ?? 0;
  const end = words.at(-1)?.end ?? 0;
  return entities.some(({ spans }) => spans.some((span) => span.start < end && span.end > start));
}

/** Whole numbers and how often each came. */
class Histogram {
  readonly #counts = new Map<number, number>();
  count = 0;
  sum = 0;

  add(value: number): void {
    this.#counts.set(value, this.countOf(value) + 1);
    this.count += 1;
    this.sum += value;
  }

  countOf(value: number): number {
    return this.#counts.get(value) ?? 0;
  }

  lengths(): Lengths {
    const values = [...this.#counts.keys()].sort((a, b) => a - b);
    return {
      mean: this.count === 0 ? 0 : this.sum / this.count,
      median: (this.#at(values, (this.count - 1) >> 1) + this.#at(values, this.count >> 1)) / 2,
      max: values.at(-1) ?? 0,
    };
  }

  /** The value at a rank from 0, in ascending order. */
  #at(values: readonly number[], rank: number): number {
    let before = 0;
    for (const value of values) {
      before += this.countOf(value);
      if (rank < before) return value;
    }
    return values.at(-1) ?? 0;
  }
}
