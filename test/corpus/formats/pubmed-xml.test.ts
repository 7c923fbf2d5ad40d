import { describe, expect, test } from 'vitest';
import type { Loss } from '../../../src/corpus/format.js';
import { guessFormat } from '../../../src/corpus/registry.js';
import { read, write } from '../support.js';

const article = `<PubmedArticle>
    <MedlineCitation Status="MEDLINE" Owner="NLM">
      <PMID Version="1">31452104</PMID>
      <Article PubModel="Print">
        <Journal><Title>Not this title</Title></Journal>
        <ArticleTitle>Role of <i>BRCA1</i> &amp; H<sub>2</sub>O<mml:math xmlns:mml="http://www.w3.org/1998/Math/MathML">
          <mml:mi>β</mml:mi>
        </mml:math> in cancer&#x1f600;.</ArticleTitle>
        <Abstract>
          <AbstractText Label="BACKGROUND" NlmCategory="BACKGROUND">Lithium is <![CDATA[<used>]]>.</AbstractText>
          <AbstractText Label="UNLABELLED">More text.</AbstractText>
          <AbstractText Label="RESULTS"/>
          <CopyrightInformation>© nobody</CopyrightInformation>
        </Abstract>
        <OtherAbstract Type="Publisher" Language="fre"><AbstractText>Pas celui-ci.</AbstractText></OtherAbstract>
      </Article>
      <MeshHeadingList><MeshHeading><DescriptorName UI="D000328">Adult</DescriptorName></MeshHeading></MeshHeadingList>
    </MedlineCitation>
  </PubmedArticle>`;
const book = `<PubmedBookArticle><BookDocument><PMID Version="1">20301295</PMID><Book><BookTitle book="gene">GeneReviews</BookTitle></Book><ArticleTitle book="gene">Cystic Fibrosis</ArticleTitle><Abstract><AbstractText>One.</AbstractText></Abstract></BookDocument></PubmedBookArticle>`;
const head = `<?xml version="1.0" ?>
<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle, 1st January 2025//EN" "https://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_250101.dtd">
<PubmedArticleSet>
  `;
const whole = `${head}${article}\r\n  <!-- next -->${book}<DeleteCitation><PMID>1</PMID></DeleteCitation></PubmedArticleSet>\n`;
const text = 'Role of BRCA1 & H2O β in cancer😀.\nBACKGROUND: Lithium is <used>.\nMore text.';

describe('pubmed-xml', () => {
  test('title without markup, sections with labels, PMID', async () => {
    const [first, second, ...rest] = await read('pubmed-xml', whole);
    expect(first).toMatchObject({ id: '31452104', text });
    expect(first?.passages?.map(({ kind, start, end }) => [kind, text.slice(start, end)])).toEqual(
      text.split('\n').map((line, k) => [k === 0 ? 'title' : 'abstract', line]),
    );
    expect(second).toMatchObject({ id: '20301295', text: 'Cystic Fibrosis\nOne.' });
    expect(rest).toEqual([]);
    expect(guessFormat(whole).name).toBe('pubmed-xml');
  });

  test('a single article is a file too', async () => {
    for (const single of [article, `<?xml version="1.0"?>\n${article}\n`]) {
      expect(guessFormat(single).name).toBe('pubmed-xml');
      const documents = await read('pubmed-xml', single);
      expect(documents).toMatchObject([{ id: '31452104', text }]);
      expect((await write('pubmed-xml', documents)).get('')).toBe(single);
    }
    const two = [
      ...(await read('pubmed-xml', article, {}, 'a.xml')),
      ...(await read('pubmed-xml', article, {}, 'b.xml')),
    ];
    const joined = (await write('pubmed-xml', two)).get('') ?? '';
    expect(joined).toMatch(/^<\?xml .*\n<PubmedArticleSet>\n<PubmedArticle>/);
    expect(await read('pubmed-xml', joined)).toMatchObject([{ text }, { text }]);
  });

  test('a file comes back byte for byte, and a part of it as XML', async () => {
    const [first, second] = await read('pubmed-xml', whole);
    if (first === undefined || second === undefined) throw new Error('expected two articles');
    expect((await write('pubmed-xml', [first, second])).get('')).toBe(whole);
    expect((await write('pubmed-xml', [second])).get('')).toBe(
      `${head}${book}<DeleteCitation><PMID>1</PMID></DeleteCitation></PubmedArticleSet>\n`,
    );
    const swapped = (await write('pubmed-xml', [second, first])).get('') ?? '';
    expect((await read('pubmed-xml', swapped)).map(({ id }) => id)).toEqual(['20301295', '31452104']);
  });

  test('mentions are refused, or reported', async () => {
    const [document] = await read('pubmed-xml', article);
    if (document === undefined) throw new Error('expected an article');
    const tagged = [{ ...document, entities: [{ type: 'Gene', spans: [{ start: 8, end: 13 }] as const }] }];
    await expect(write('pubmed-xml', tagged)).rejects.toThrow(/no place: Gene "BRCA1"/);
    const losses: Loss[] = [];
    expect((await write('pubmed-xml', tagged, { onLoss: (loss) => losses.push(loss) })).get('')).toBe(article);
    expect(losses).toMatchObject([{ kind: 'entity', document: '31452104' }]);
  });

  test.each([
    [
      '<PubmedArticleSet>\n<PubmedArticle></PubmedArticleSet>',
      'x.xml:2: expected well-formed XML, found unexpected close tag',
    ],
    ['<PubmedArticleSet>\n<PubmedArticle>', 'x.xml:2: expected well-formed XML, found unclosed tag: PubmedArticle'],
    ['<html></html>', /x\.xml:1: expected .*<PubmedArticleSet>.*, found <html>/],
  ])('%s is refused by file and line', async (content, message) => {
    await expect(read('pubmed-xml', content, {}, 'x.xml')).rejects.toThrow(message);
  });
});
