import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isBlank, splitSentences, splitWords } from '../../src/text/index.js';
import { anyText } from './arbitrary.js';
import { slices } from './shared.js';

const sentences = (text: string): string[] => slices(text, splitSentences(text));

/** Writes `|` where a sentence is expected to end. */
function expectSplit(marked: string): void {
  const parts = marked.split('|');
  expect(sentences(parts.join(''))).toEqual(parts.map((part) => part.trim()));
}

describe('splitSentences', () => {
  it('gives nothing for nothing', () => {
    for (const text of ['', ' ', '\r\n\r\n', '\u00a0\0\u200b']) expect(splitSentences(text)).toEqual([]);
  });

  it.each([
    'It grew in E. coli and S. aureus. |The next.',
    'Given 5 mg/kg i.v. to rats. |Rats died.',
    'We gave 5 mg i.v. |The effect was small.',
    'We gave 5 mg i.p. MPTP daily.',
    'As in Fig. 2 and ref. 3, cf. Table 1. |No change.',
    'Smith et al. (1993) agree with Wu et al. Nature 1990.',
    'Seen by Smith et al. |However, we differ.',
    'Aspirin vs. Placebo, e.g. Tylenol, i.e. Paracetamol.',
    'Dr. Kniest and D. W. Melton came. |They left.',
    'Candida spp. were found. |Bacillus sp. 5 too.',
    'We used vitamin D. |Patients in group A. |Response was fast.',
    'At 37 degrees C. |Cells grew.',
    'P = 0.05 and 2. 11 times, P =. 02 or 19q13. 3 too.',
    'It fell in 1997. |In 1998 it rose.',
    'Two effects. |18 patients had none. |3 died.',
    'Tested in rats (SHR). |2. Conscious rats were used.',
    '1. First we did. |2. Then we did.',
    'Was it (see Fig. A. The second one.) here? |Yes! |No.',
    '(It was not seen. It was heard.) |Then it stopped.',
    'A pilot study? |Or a question? no.',
    'It was "good." |We left. |“Nice.” |Done.',
    'Levels rose. |mRNA fell. |p53 too. |c-Myc rose. |beta2(-/-) mice died. |α-Synuclein was seen.',
    'It ended . . . and then... |The rest.',
    'Known before.[12] |The rest was not.[1, 2-4] |We did this.12 |It is here.1,2 |Now.',
    'Fine 😀. |😀 Good! |👩‍🔬 Here.',
    'The de\u0301but. |E\u0301tude two.',
    'No\u00a0break.\u00a0|The next\u00a0one.',
    'All in the U.S. Food and Drug Administration. |It was.',
    'Values of 0.5, 1.5 and .7 mL. |The pH. |Ca. 5 of them.',
    '药物有效。|结果如下！|好。',
  ])('splits %s', expectSplit);

  it.each([
    'BACKGROUND: Mutations matter. |METHODS: We did it. |RESULTS: It worked.',
    'without a full stop |METHODS: we did|RESULTS AND DISCUSSION: good'.replace('did|', 'did |'),
    'Nothing was seen.|CONCLUSIONS: None.',
    'THE EFFECT IN PATIENTS: A STUDY IN RATS.',
    'seen before |PATIENTS AND METHODS: We had 5.',
  ])('starts sentences at section labels: %s', expectSplit);

  it.each([
    'A wrapped line of Hodgkin\nDisease and others that\nContinue on the next line.',
    'Wrapped at the full stop.\n|The next line.',
    'A title without a stop\n\n|An abstract',
    'A title\r\n\r\n|An abstract\r\nthat goes on',
    'A title\r\n \t\r\n|An abstract',
    'Short title\n|The abstract is a long line of text that was never wrapped at all by anyone.',
    'Side effects were these\n|- nausea\n|- headache after some days\n|2) vomiting',
    'One page\f|another page',
    'Some effects of the\nParkinson disease that were seen in many patients over the years before',
  ])('minds lines: %j', expectSplit);

  it('covers every character that is not blank, trimmed, in order, and keeps words whole', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        let at = 0;
        const covered = splitSentences(text);
        for (const { start, end } of covered) {
          expect(start).toBeGreaterThanOrEqual(at);
          expect(end).toBeGreaterThan(start);
          expect(isBlank(text.charCodeAt(start)) || isBlank(text.charCodeAt(end - 1))).toBe(false);
          for (let k = at; k < start; k++) expect(isBlank(text.charCodeAt(k))).toBe(true);
          at = end;
        }
        for (let k = at; k < text.length; k++) expect(isBlank(text.charCodeAt(k))).toBe(true);
        expect(covered.flatMap((sentence) => splitWords(text, sentence))).toEqual(splitWords(text));
      }),
      { numRuns: 2000 },
    );
  });

  it('splits a part of a text with offsets into the whole', () => {
    const text = 'A title. An abstract. It ends.';
    expect(slices(text, splitSentences(text, { start: 9, end: text.length }))).toEqual(['An abstract.', 'It ends.']);
  });

  it.each([
    ['prose', 'BACKGROUND: E. coli (see Fig. 2) grew. METHODS: We gave 0.5 mg/kg i.v. of it. '],
    ['no space', 'a'],
    ['dots', '.'],
    ['spaced dots', '. '],
    ['open brackets', '('],
    ['brackets', '()'],
    ['blank lines', '\n'],
    ['lines', 'A\n'],
    ['initials', 'A. '],
    ['full-width stops', '。'],
    ['quotes', '"'],
    ['soft hyphens', '\u00ada'],
    ['labels', 'RESULTS AND '],
    ['joiners', '\u200d'],
  ])('takes a million characters of %s', (_, unit) => {
    const text = unit.repeat(1_000_000 / unit.length);
    const started = performance.now();
    const found = splitSentences(text);
    const visible = text.replaceAll('\u200d', '').trim();
    expect(found.at(-1)?.end ?? 0).toBe(visible === '' ? 0 : text.trimEnd().length);
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});
