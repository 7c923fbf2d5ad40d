import type { Case, CasesResult } from '../cases.js';
import { escaped, table } from './text.js';

/** The case study (Fig. 9) in Markdown. */
export function casesText(result: CasesResult | undefined): string {
  const parts = [
    '## Case study (Fig. 9)',
    'What do the systems find in the same sentence?',
    '```sh\nebiobert experiment cases\n```',
  ];
  if (result === undefined) return [...parts, 'Not run.'].join('\n\n');
  const { corpus, split, systems, sentences, counts, cases } = result;
  parts.push(
    `${corpus}, ${split}: of ${sentences} sentences with a mention, annotated or found, which systems are exactly right ` +
      `(models of one seed, ${String(systems[0]?.seed)}):`,
    table([
      [...systems.map(({ title }) => title), 'sentences'],
      ...Object.entries(counts).map(([pattern, count]) => [
        ...[...pattern].map((bit) => (bit === '1' ? 'right' : '')),
        String(count),
      ]),
    ]),
    `Right altogether: ${systems.map(({ title }, k) => `${rightOf(counts, k)} (${title})`).join(', ')}.`,
    'For each way in which the systems disagree, the first sentence of the corpus with at most 30 words; mentions in bold. The ' +
      "paper's own case is a sentence of BC5CDR-Chem.",
    ...cases.map((each) => caseText(each, result)),
  );
  return parts.join('\n\n');
}

/** Sentences that a system has exactly right, whatever the others have. */
function rightOf(counts: CasesResult['counts'], system: number): number {
  return Object.entries(counts).reduce((sum, [pattern, count]) => sum + (pattern[system] === '1' ? count : 0), 0);
}

function caseText(each: Case, { systems }: CasesResult): string {
  return table([
    ['', 'sentence'],
    ['annotated', marked(each, each.gold)],
    ...systems.map(({ title }, k) => {
      const found = each.found[k] ?? [];
      return [isRight(each, found) ? `${title} (right)` : title, marked(each, found)];
    }),
  ]);
}

/** Whether exactly the annotated mentions were found. */
function isRight({ gold }: Case, found: Case['gold']): boolean {
  const keys = (mentions: Case['gold']): string => mentions.map(({ type, words }) => `${type} ${words.join()}`).sort().join(); // prettier-ignore
  return keys(gold) === keys(found);
}

/** The words with the mentions in bold; of a discontinuous mention each piece is. */
function marked({ words }: Case, mentions: Case['gold']): string {
  const owner = words.map((_, k) => mentions.find((mention) => mention.words.includes(k)));
  return words
    .map((word, k) => {
      const text = escaped(word);
      const opens = owner[k] !== undefined && owner[k] !== owner[k - 1];
      const closes = owner[k] !== undefined && owner[k] !== owner[k + 1];
      return `${opens ? '**' : ''}${text}${closes ? '**' : ''}`;
    })
    .join(' ');
}
