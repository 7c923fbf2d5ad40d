/** The pages of the project and the code in them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { project } from '../../cli/support/run.js';

/** A fenced block of a page. */
export interface Block {
  /** `docs/tagging.md:8`: the line of its fence. */
  readonly place: string;
  readonly page: string;
  readonly language: string;
  readonly code: string;
}

/** Every page that a user reads, by its path in the project. */
export const pages: readonly string[] = [
  'README.md',
  'ARCHITECTURE.md',
  'examples/README.md',
  'experiments/README.md',
  ...readdirSync(join(project, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

export function pageText(page: string): string {
  return readFileSync(join(project, page), 'utf8');
}

const fence = /^```(\w*)\n([\s\S]*?)^```$/gm;

function lineOf(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}

/** The blocks of all pages whose fence names one of the languages. */
export function blocks(...languages: readonly string[]): Block[] {
  return pages.flatMap((page) => {
    const text = pageText(page);
    return [...text.matchAll(fence)]
      .filter(([, language = '']) => languages.includes(language))
      .map(({ 1: language = '', 2: code = '', index }) => ({
        place: `${page}:${lineOf(text, index)}`,
        page,
        language,
        code,
      }));
  });
}

/** Commands in the running text and the tables of a page: `ebiobert tag notes.txt`. */
export function inlineCommands(): Block[] {
  return pages.flatMap((page) => {
    const text = pageText(page);
    const prose = text.replaceAll(fence, (block) => block.replaceAll(/[^\n]/g, ' '));
    return [...prose.matchAll(/`(ebiobert\s[^`]+)`/g)].map(({ 1: code = '', index }) => ({
      place: `${page}:${lineOf(text, index)}`,
      page,
      language: 'sh',
      code: code.replaceAll(/\s+/g, ' '),
    }));
  });
}

/** The commands of a script, each with the lines that a backslash or an open quote joins to it. */
export function logicalLines(script: string): string[] {
  const lines: string[] = [];
  let open = '';
  for (const line of script.split('\n')) {
    open += open === '' ? line : `\n${line}`;
    const quotes = open.replaceAll(/(?<=\s)#.*$/gm, '').match(/'/g)?.length ?? 0;
    if (open.endsWith('\\') || quotes % 2 === 1) continue;
    if (open.trim() !== '') lines.push(open);
    open = '';
  }
  return lines;
}
