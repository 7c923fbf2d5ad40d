import { InputError } from '../errors.js';
import { scoreOf, type Counts, type Score, type Scores } from './strict.js';

/** Chunk scores as conlleval counts them, and how many tokens have the right tag. */
export interface ConllScores extends Scores {
  readonly tokens: number;
  readonly correctTokens: number;
  /** correctTokens / tokens, 0 where there are none. */
  readonly accuracy: number;
}

interface Tag {
  /** What stands before the first hyphen: `B`, `I`, `O`; also `E`, `[` and `]`. */
  readonly chunk: string;
  readonly type: string;
}

const outside: Tag = { chunk: 'O', type: '' };

/** Pairs of a chunk tag and the next, of one type, between which a chunk ends. */
const ends = new Set(['BB', 'BO', 'IB', 'IO', 'EE', 'EI', 'EO']);
/** Pairs between which one starts. */
const starts = new Set(['BB', 'IB', 'OB', 'OI', 'EE', 'EI', 'OE']);

/**
 * Chunk scores of IOB tags by the rules of the CoNLL-2000 shared task's `conlleval` in its default mode (Tjong Kim
 * Sang, version 2004-01-26). A chunk starts at B, at I (or E) after O, and wherever the type changes inside a chunk;
 * it ends before O, before B and where the type changes. So IOB1 and IOB2 are both read, `I-X` after `O` begins a
 * chunk, and `B-X I-Y` are two. A chunk is correct when both sides start and end it at the same tokens with one type.
 *
 * Besides B, I and O the rules know E, `[` and `]`; S is not among them: convert BIOES first.
 */
export class ConllEvaluation {
  readonly #types = new Map<string, { gold: number; predicted: number; correct: number }>();
  #tokens = 0;
  #correctTokens = 0;

  /**
   * Adds one sentence.
   * @throws InputError when there are more gold than guessed tags, or fewer
   */
  add(gold: readonly string[], guessed: readonly string[]): void {
    if (gold.length !== guessed.length) {
      throw new InputError(
        `expected ${gold.length} guessed tags for ${gold.length} gold ones, found ${guessed.length}`,
      );
    }
    let [lastGold, lastGuessed] = [outside, outside];
    let inCorrect = false;
    for (let k = 0; k <= gold.length; k++) {
      const [goldTag, guessedTag] = [gold[k], guessed[k]];
      const right = goldTag === undefined ? outside : tagOf(goldTag);
      const guess = guessedTag === undefined ? outside : tagOf(guessedTag);
      if (inCorrect) {
        const [goldEnds, guessEnds] = [endsBefore(lastGold, right), endsBefore(lastGuessed, guess)];
        if (goldEnds && guessEnds && lastGold.type === lastGuessed.type) this.#countsOf(lastGold.type).correct++;
        inCorrect = !goldEnds && !guessEnds && right.type === guess.type;
      }
      const [goldStarts, guessStarts] = [startsAt(lastGold, right), startsAt(lastGuessed, guess)];
      if (goldStarts && guessStarts && right.type === guess.type) inCorrect = true;
      if (goldStarts) this.#countsOf(right.type).gold++;
      if (guessStarts) this.#countsOf(guess.type).predicted++;
      if (k < gold.length && right.chunk === guess.chunk && right.type === guess.type) this.#correctTokens++;
      [lastGold, lastGuessed] = [right, guess];
    }
    this.#tokens += gold.length;
  }

  /** The scores over all sentences that were added so far. */
  result(): ConllScores {
    const overall = { gold: 0, predicted: 0, correct: 0 };
    for (const { gold, predicted, correct } of this.#types.values()) {
      overall.gold += gold;
      overall.predicted += predicted;
      overall.correct += correct;
    }
    const sorted = [...this.#types].sort(([a], [b]) => (a < b ? -1 : 1));
    return {
      overall: scoreOf(overall),
      types: Object.fromEntries(sorted.map(([type, counts]): [string, Score] => [type, scoreOf(counts)])),
      tokens: this.#tokens,
      correctTokens: this.#correctTokens,
      accuracy: this.#tokens === 0 ? 0 : this.#correctTokens / this.#tokens,
    };
  }

  #countsOf(type: string): { -readonly [K in keyof Counts]: number } {
    const known = this.#types.get(type);
    if (known !== undefined) return known;
    const counts = { gold: 0, predicted: 0, correct: 0 };
    this.#types.set(type, counts);
    return counts;
  }
}

/** The report that conlleval prints, in percent with two decimals, computed and rounded as there. */
export function formatConll({ overall, types, tokens, correctTokens }: ConllScores): string {
  const lines = [
    `processed ${tokens} tokens with ${overall.gold} phrases; ` +
      `found: ${overall.predicted} phrases; correct: ${overall.correct}.`,
  ];
  if (tokens > 0) lines.push(`accuracy: ${decimals(percent(correctTokens, tokens))}%; ${rates(overall)}`);
  for (const [type, score] of Object.entries(types)) {
    lines.push(`${type.padStart(17)}: ${rates(score)}  ${score.predicted}`);
  }
  return lines.map((line) => `${line}\n`).join('');
}

function rates({ gold, predicted, correct }: Counts): string {
  const [precision, recall] = [percent(correct, predicted), percent(correct, gold)];
  const f1 = correct === 0 ? 0 : (2 * precision * recall) / (precision + recall);
  return `precision: ${decimals(precision)}%; recall: ${decimals(recall)}%; FB1: ${decimals(f1)}`;
}

function percent(part: number, whole: number): number {
  return whole === 0 ? 0 : (100 * part) / whole;
}

/** `%6.2f` of C and Perl: a number halfway between two decimals, such as 78.125, goes to the even one. */
function decimals(value: number): string {
  const halfway = Number.isInteger(value * 8) && (value * 100) % 1 === 0.5;
  const rounded = halfway ? (2 * Math.round(value * 50)) / 100 : value;
  return rounded.toFixed(2).padStart(6);
}

function tagOf(tag: string): Tag {
  const hyphen = tag.indexOf('-');
  return hyphen < 0 ? { chunk: tag, type: '' } : { chunk: tag.slice(0, hyphen), type: tag.slice(hyphen + 1) };
}

function endsBefore(last: Tag, tag: Tag): boolean {
  if (last.chunk === '[' || last.chunk === ']') return true;
  return ends.has(last.chunk + tag.chunk) || (isInside(last) && last.type !== tag.type);
}

function startsAt(last: Tag, tag: Tag): boolean {
  if (tag.chunk === '[' || tag.chunk === ']') return true;
  return starts.has(last.chunk + tag.chunk) || (isInside(tag) && last.type !== tag.type);
}

function isInside({ chunk }: Tag): boolean {
  return chunk !== 'O' && chunk !== '.';
}
