import { BEFORE_LETTER_NAME, NEVER_FINAL, SOMETIMES_FINAL, STARTERS } from './sentence-words.js';

/** Longest stretch looked at on either side of a gap: keeps the decision constant-time. */
const REACH = 48;

const CITATION = /(?<=\p{Ll}{3}[.?!])(?:\[\d[\d,\u2013\- ]*\]|\d{1,3}(?:[,\u2013-]\d{1,3})*)$/u;
const QUOTES = /["'\u2019\u201d\u00bb]+$/;
const CLOSERS = /["'\u2019\u201d\u00bb)\]}]+$/;
const OPENER = /^[([{]/;
const TERMINATOR = /[.!?\u2026\u3002\uff01\uff1f\uff61]+$/;
const ONLY_ENUMERATOR = /^[([]?(?:\d{1,2}|\p{L}|[ivxIVX]{1,4})$/u;

const NEXT = /^["'\u2018\u201c\u00ab([{\u00bf\u00a1]{0,3}/;
const LIST_NUMBER = /^\d{1,2}[.)]\s+["([]?\p{Lu}/u;
const CAPITALISED = /^\p{Lu}(?:\p{Ll}|$|\s)/u;
/** `mRNA`, `qRT-PCR`, `p53`, `c-Myc`, `wt-VHL`, `beta2(-/-)`, `gamma-ENaC`, `α-synuclein`: lower case, yet they open sentences. */
const GENE_LIKE =
  /^(?:\p{Ll}{1,4}\p{Lu}|p\d{2}|\p{Ll}{1,2}-\p{Lu}|(?:alpha|beta|gamma|delta|kappa|[\u03b1-\u03c9])[-\d(]|(?:cis|trans|tert|sec|iso)-\p{L})/u;

/**
 * Whether a sentence ends at a gap between words: the text before the gap ends in a full stop, question or exclamation
 * mark (quotes and citations may follow it), the mark is not that of an abbreviation, initial, decimal or list number,
 * and what comes after the gap can open a sentence.
 *
 * @param sentenceStart Where the current sentence starts.
 * @param gapStart End of the last word before the gap.
 * @param gapEnd Start of the first word after the gap.
 */
export function endsBeforeGap(text: string, sentenceStart: number, gapStart: number, gapEnd: number): boolean {
  const tail = text.slice(Math.max(sentenceStart, gapStart - REACH), gapStart).replace(CITATION, '');
  const bracketedSentence = OPENER.test(text.charAt(sentenceStart));
  const closed = tail.replace(bracketedSentence ? CLOSERS : QUOTES, '');
  const marks = TERMINATOR.exec(closed)?.[0];
  if (marks === undefined) return false;

  const before = closed.slice(0, closed.length - marks.length);
  const after = text.slice(gapEnd, gapEnd + REACH);
  const opener = NEXT.exec(after)?.[0] ?? '';
  const first = after.slice(opener.length);
  if (/[\u3002\uff01\uff1f\uff61]/.test(marks)) return true;
  if (/^[\p{Lo}\p{So}\u2022]/u.test(first) || /^[*\u2022-]\s/.test(first)) return true;
  if (marks !== '.') return /^[\p{Lu}\p{Lt}\p{Nd}]/u.test(first) || GENE_LIKE.test(first);
  if (gapStart - sentenceStart <= 6 && ONLY_ENUMERATOR.test(before)) return false;

  const previous = lastToken(before);
  if (/^\p{Nd}/u.test(first)) return !/\s$/.test(before) && endsBeforeNumber(previous, first);
  if (/^\p{Ll}/u.test(first)) return GENE_LIKE.test(first) && isOrdinary(previous);
  if (!/^[\p{Lu}\p{Lt}]/u.test(first)) return false;
  return endsBeforeCapital(previous, before, first, opener);
}

/** The last stretch without blanks or `/`, opening brackets and quotes removed; a blank before the mark is skipped. */
function lastToken(before: string): string {
  return /([^\s/([{"\u201c\u2018]*)\s?$/u.exec(before)?.[1] ?? '';
}

function isOrdinary(token: string): boolean {
  if (isAbbreviation(token)) return false;
  return /(?:\p{Ll}{3}|[)\]}%\u2019'"]|\p{Nd}|\p{Lu}{2})$/u.test(token);
}

function isDotted(token: string): boolean {
  return /^(?:\p{L}\.)+\p{L}$/u.test(token);
}

function isAbbreviation(token: string): boolean {
  const lower = token.toLowerCase();
  return NEVER_FINAL.has(lower) || SOMETIMES_FINAL.has(lower) || isDotted(token) || /^\p{L}$/u.test(token);
}

/** `7. 5 of embryogenesis` and `Fig. 2` go on, `effects. 18 patients` and `1997. 2. Dopamine` do not. */
function endsBeforeNumber(previous: string, first: string): boolean {
  if (isAbbreviation(previous)) return false;
  if (/\p{Nd}$/u.test(previous)) return /^\d{1,4}$/.test(previous) && LIST_NUMBER.test(first);
  return /[\p{L}\p{M})\]}%"'\u2019]$/u.test(previous);
}

function endsBeforeCapital(previous: string, before: string, first: string, opener: string): boolean {
  const word = /^[\p{L}\p{M}]+/u.exec(first)?.[0] ?? '';
  const isStarter = STARTERS.has(word) && opener === '';
  if (/(?:^|\.-?)\p{Lu}$/u.test(previous)) {
    const named = /(\p{L}+)\s+\p{Lu}\s?$/u.exec(before)?.[1]?.toLowerCase() ?? '';
    return isStarter || BEFORE_LETTER_NAME.has(named);
  }
  const lower = previous.toLowerCase();
  const isAcronym = previous.length > 1 && previous === previous.toUpperCase() && previous !== lower;
  if (NEVER_FINAL.has(lower) && !isAcronym) return false;
  if (lower === 'al') return isStarter;
  if (lower === 'no') return true;
  if (isDotted(previous) || SOMETIMES_FINAL.has(lower)) return isStarter || (opener === '' && CAPITALISED.test(first));
  return true;
}
