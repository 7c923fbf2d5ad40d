import { describe, expect, test } from 'vitest';
import type { Document, Entity } from '../../src/corpus/document.js';
import { EntitySummary } from '../../src/corpus/summary.js';

/** A document with `[mentions](Type)`. */
function document(id: string, marked: string): Document {
  const entities: Entity[] = [];
  let text = '';
  for (const [, plain = '', mention = '', type = ''] of marked.matchAll(/([^[]*)(?:\[([^\]]*)\]\((\w+)\))?/g)) {
    text += plain;
    if (mention !== '') entities.push({ type, spans: [{ start: text.length, end: text.length + mention.length }] });
    text += mention;
  }
  return { id, text, entities };
}

function summary(...documents: readonly Document[]): EntitySummary {
  const result = new EntitySummary();
  for (const each of documents) result.add(each);
  return result;
}

const shown = (result: EntitySummary): string[] =>
  result.groups().map(({ type, name, mentions, documents }) => `${mentions}/${documents} ${type} ${name}`);

describe('EntitySummary', () => {
  test('counts names over documents, whatever their case and spacing', () => {
    const result = summary(
      document('1', '[Asthma](Disease), [asthma](Disease), [breast\ncancer](Disease) and [p53](Gene).'),
      document('2', '[Breast  cancer](Disease) is no [asthma](Disease).'),
    );
    expect(shown(result)).toEqual(['3/2 Disease Asthma', '2/2 Disease breast cancer', '1/1 Gene p53']);
    const [asthma] = result.groups();
    expect([...(asthma?.forms ?? [])]).toEqual([['Asthma', 1], ['asthma', 2]]); // prettier-ignore
    expect(asthma?.first).toEqual({ document: '1', start: 0, end: 6 });
  });

  test('one name of two types is two entities', () => {
    expect(shown(summary(document('1', '[insulin](Chemical) and [insulin](Gene)')))).toEqual([
      '1/1 Chemical insulin',
      '1/1 Gene insulin',
    ]);
  });

  test('an abbreviation counts as what its document explains it by, and has its type', () => {
    const result = summary(
      document('1', 'The [adult respiratory distress syndrome](Disease) ([ARDS](Gene)) is bad. [ARDS](Gene) kills.'),
      document('2', 'The [ARDS](Gene) gene.'),
    );
    expect(shown(result)).toEqual(['3/1 Disease adult respiratory distress syndrome', '1/1 Gene ARDS']);
    expect([...(result.groups()[0]?.forms ?? [])]).toEqual([
      ['adult respiratory distress syndrome', 1],
      ['ARDS', 2],
    ]);
  });

  test('a mention before the explanation, and one of a longer name than the explanation', () => {
    const result = summary(
      document('1', '[BC](Gene) is [hereditary breast cancer](Disease) (BC), and [BC](Gene) runs in families.'),
    );
    expect(shown(result)).toEqual(['3/1 Disease hereditary breast cancer']);
  });

  test('a mention inside of the long form is not what the abbreviation stands for', () => {
    const result = summary(
      document('1', 'Intermittent preventive treatment of [malaria](Disease) (IPTM) works; [IPTM](Chemical) is cheap.'),
    );
    expect(shown(result)).toEqual(['1/1 Chemical Intermittent preventive treatment of malaria', '1/1 Disease malaria']);
  });

  test('an abbreviation of what is no mention keeps its type and has its name', () => {
    const result = summary(document('1', 'We used the breathing support (BS), [BS](Chemical).'));
    expect(shown(result)).toEqual(['1/1 Chemical breathing support']);
  });

  test('places are counted in the unit asked for', () => {
    const result = new EntitySummary('codepoint');
    result.add(document('1', '😀 [p53](Gene)'));
    expect(result.groups()[0]?.first).toEqual({ document: '1', start: 2, end: 5 });
  });

  test('nothing is nothing', () => {
    expect(summary(document('1', 'Lithium (Li) helps.')).groups()).toEqual([]);
  });
});
