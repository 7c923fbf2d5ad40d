import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Span } from '../../src/text/index.js';

const SHARED = new URL('../../../shared/', import.meta.url);

/** Corpora and encoders lie beside the repository; tests that need them are skipped where they do not. */
export const hasShared = existsSync(fileURLToPath(SHARED));

export function readShared(path: string): string {
  return readFileSync(new URL(path, SHARED), 'utf8');
}

export interface CorpusWord {
  readonly text: string;
  readonly tag: string;
}

/** Sentences of an IOB corpus file, by its path below `corpora/`. */
export function readSentences(path: string): CorpusWord[][] {
  return readShared(`corpora/${path}`)
    .split('\n\n')
    .map((block) =>
      block
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => {
          const [text = '', tag = ''] = line.split('\t');
          return { text, tag };
        }),
    )
    .filter((words) => words.length > 0);
}

export function slices(text: string, spans: readonly Span[]): string[] {
  return spans.map(({ start, end }) => text.slice(start, end));
}
