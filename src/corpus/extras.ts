import type { Document } from './document.js';

/** A line of a source that is no mention, and how many mentions came before it. */
export interface ExtraLine {
  readonly after: number;
  readonly line: string;
}

/** What the reader of `format` kept for its writer; empty when the document came from elsewhere. */
export function keptExtras(document: Document, format: string): Readonly<Record<string, unknown>> {
  const kept = document.extras?.[format];
  return typeof kept === 'object' && kept !== null ? (kept as Readonly<Record<string, unknown>>) : {};
}

/** The extra lines in a kept field; what is not one (extras may come from a JSONL file) is left out. */
export function keptLines(value: unknown): ExtraLine[] {
  return Array.isArray(value) ? value.filter(isExtraLine) : [];
}

/** Mention lines with the extra lines back in their places. */
export function interleaved(mentions: readonly string[], extras: readonly ExtraLine[]): string[] {
  const lines: string[] = [];
  let next = 0;
  for (let written = 0; written <= mentions.length; written += 1) {
    const last = written === mentions.length;
    for (let extra = extras[next]; extra !== undefined && (last || extra.after <= written); extra = extras[next]) {
      lines.push(extra.line);
      next += 1;
    }
    const mention = mentions[written];
    if (mention !== undefined) lines.push(mention);
  }
  return lines;
}

/** A fresh copy of `fields` without those that are undefined, false or empty arrays. */
export function compact(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).filter(
      ([, value]) => value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0),
    ),
  );
}

function isExtraLine(value: unknown): value is ExtraLine {
  if (typeof value !== 'object' || value === null) return false;
  const { after, line } = value as Partial<Record<keyof ExtraLine, unknown>>;
  return typeof after === 'number' && typeof line === 'string';
}
