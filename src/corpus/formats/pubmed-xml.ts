import type { Document, Passage } from '../document.js';
import type { Format } from '../format.js';
import { framed, type Frame, type KeptSource } from '../kept-source.js';
import { stem } from '../lines.js';
import { LossReport } from '../losses.js';
import {
  childElements,
  descendant,
  escapeText,
  hasInvalidCharacters,
  parseXml,
  textContent,
  xmlRecords,
  type XmlElement,
} from '../xml.js';

const records = new Set(['PubmedArticle', 'PubmedBookArticle', 'MedlineCitation', 'BookDocument']);
const roots = new Set([...records, 'PubmedArticleSet', 'PubmedBookArticleSet', 'MedlineCitationSet']);

/**
 * PubMed XML: a `PubmedArticleSet` as PubMed's baseline and `efetch` give it, or single articles. The text is the title
 * and the sections of the abstract, each a line and a passage, a section with its label (`METHODS: ...`); markup (`<i>`,
 * `<sub>`, MathML) leaves its text. The identifier is the PMID. The format has no place for mentions: writing gives the
 * file back, or a minimal citation for a document that came from elsewhere, and reports every mention.
 * https://www.nlm.nih.gov/bsd/licensee/elements_descriptions.html, DTD of January 2025
 */
export const pubmedXml: Format = {
  name: 'pubmed-xml',
  description: 'PubMed XML: PubmedArticleSet or single articles, title and abstract',
  loses: 'all mentions, line breaks and double spaces',
  extensions: ['.pubmed.xml', '.xml'],
  matches: (head) =>
    /^\s*</.test(head) && /<(?:Pubmed(?:Book)?Article|MedlineCitation)(?:Set)?[\s>]|<BookDocument[\s>]/.test(head),

  async *read(source, { maxBytes }) {
    const prefix = stem(source.name);
    for await (const record of xmlRecords(source, { format: 'pubmed-xml', roots, records, maxBytes })) {
      const article = parseArticle(record.element);
      yield { ...article, id: article.id ?? `${prefix}:${record.source.index + 1}`, extras: { source: record.source } };
    }
  },

  async *write(documents, { onLoss }) {
    const losses = new LossReport('pubmed-xml', onLoss);
    const frame: Frame = {
      format: 'pubmed-xml',
      head: (_first, kept, alone) => {
        const isOwn = kept !== undefined && (alone || rootOf(kept.head) !== '');
        return { text: isOwn ? kept.head : HEAD, isOwn };
      },
      separator: () => '\n',
      tail: (head) => (rootOf(head) === '' ? '\n' : `\n</${rootOf(head)}>\n`),
      empty: `${HEAD}</PubmedArticleSet>\n`,
      document: (document, kept) => formatArticle(document, kept, losses),
    };
    yield* framed(documents, frame);
  },
};

const HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<PubmedArticleSet>\n';

/** The root element that a head opens; empty where the record is the root. */
function rootOf(head: string): string {
  return /<([A-Za-z]\w*Set)[\s>]/.exec(head)?.[1] ?? '';
}

function parseArticle(record: XmlElement): Omit<Document, 'id' | 'extras'> & { id: string | undefined } {
  const citation = descendant(record, 'MedlineCitation') ?? descendant(record, 'BookDocument') ?? record;
  const article = descendant(citation, 'Article') ?? citation;
  const title = descendant(article, 'ArticleTitle') ?? descendant(article, 'Book', 'BookTitle');
  const parts = [{ kind: 'title', text: title === undefined ? '' : inline(title) }];
  const abstract = descendant(article, 'Abstract');
  for (const section of abstract === undefined ? [] : childElements(abstract, 'AbstractText')) {
    const { Label: label = 'UNLABELLED' } = section.attributes;
    const text = inline(section);
    if (text !== '') parts.push({ kind: 'abstract', text: label === 'UNLABELLED' ? text : `${label}: ${text}` });
  }
  const passages: Passage[] = [];
  let start = 0;
  for (const { kind, text } of parts) {
    passages.push({ kind, start, end: start + text.length });
    start += text.length + 1;
  }
  const pmid = descendant(citation, 'PMID');
  return {
    id: pmid === undefined ? undefined : inline(pmid),
    text: parts.map(({ text }) => text).join('\n'),
    entities: [],
    passages,
  };
}

/** The text of an element on one line: MathML comes indented. */
function inline(element: XmlElement): string {
  return textContent(element)
    .replace(/[ \t\r\n]+/g, ' ')
    .replace(/^ | $/g, '');
}

function formatArticle(document: Document, kept: KeptSource | undefined, losses: LossReport): string {
  for (const entity of document.entities)
    losses.entity(document, entity, 'a mention, for which the format has no place');
  losses.details({ ...document, entities: [] }, { attributes: [], extras: [] });
  if (kept !== undefined) {
    const before = parseArticle(parseXml(kept.text, kept.file));
    if (before.text === document.text && (before.id ?? document.id) === document.id) return kept.text;
  }
  return newArticle(document, losses);
}

function newArticle(document: Document, losses: LossReport): string {
  const { id, text } = document;
  const [title = '', ...sections] = parts(document);
  if (/[ \t\r\n]{2}|[\t\r\n]|^ | $/m.test([title, ...sections].join('|'))) {
    losses.detail(document, 'line breaks and double spaces, read back as one space');
  }
  if (hasInvalidCharacters(text)) losses.detail(document, 'characters that XML has not, written as spaces or U+FFFD');
  const abstract = sections.map((section) => `<AbstractText>${escapeText(section)}</AbstractText>`).join('');
  return (
    `<PubmedArticle><MedlineCitation><PMID Version="1">${escapeText(id)}</PMID><Article>` +
    `<ArticleTitle>${escapeText(title)}</ArticleTitle>` +
    (abstract === '' ? '' : `<Abstract>${abstract}</Abstract>`) +
    '</Article></MedlineCitation></PubmedArticle>'
  );
}

/** The text cut after its passages, or after its first line where it has none: the title and sections that are not blank. */
function parts({ text, passages = [] }: Document): string[] {
  const ends = passages.length > 0 ? passages.map(({ end }) => end) : [(text + '\n').indexOf('\n')];
  const cuts = [...new Set([...ends, text.length])].sort((a, b) => a - b);
  return cuts
    .map((cut, k) => text.slice(cuts[k - 1] ?? 0, cut).replace(/^\n/, ''))
    .filter((part, k) => k === 0 || part.trim() !== '');
}
