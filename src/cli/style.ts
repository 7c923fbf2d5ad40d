import pc from 'picocolors';
import { mentionText, type Document, type Entity } from '../corpus/index.js';

type Paint = (text: string) => string;

const paints: Readonly<Record<string, Paint>> = { Gene: pc.green, Chemical: pc.cyan, Disease: pc.red };

export function paintOf(type: string): Paint {
  return paints[type] ?? pc.yellow;
}

/** A document for a terminal: its text with the entities coloured, and a line for each of them. */
export function documentTable({ id, text, entities }: Document): string {
  const lines = [pc.bold(id), ...wrap(highlighted(text, entities), process.stdout.columns), ''];
  const width = Math.max(0, ...entities.map((entity) => mentionText(text, entity.spans).length));
  for (const entity of entities) {
    const { type, spans, score } = entity;
    const mention = mentionText(text, spans).replace(/\s+/g, ' ').padEnd(Math.min(width, 48));
    const where = spans.map(({ start, end }) => `${start}-${end}`).join(',');
    lines.push(`  ${paintOf(type)(type.padEnd(9))} ${mention}  ${pc.dim(where.padEnd(11))} ${score?.toFixed(2) ?? ''}`);
  }
  if (entities.length === 0) lines.push(pc.dim('  no entities'));
  return `${lines.join('\n')}\n\n`;
}

function highlighted(text: string, entities: readonly Entity[]): string {
  const spans = entities
    .flatMap(({ type, spans }) => spans.map((span) => ({ ...span, type })))
    .sort((a, b) => a.start - b.start);
  let result = '';
  let position = 0;
  for (const { start, end, type } of spans) {
    if (start < position) continue;
    result += text.slice(position, start) + pc.underline(paintOf(type)(text.slice(start, end)));
    position = end;
  }
  return result + text.slice(position);
}

const ESCAPE = String.fromCharCode(27);
const escapes = new RegExp(`${ESCAPE}\\[[0-9;]*m`, 'g');

/** Breaks lines at blanks, colour codes not counted. */
function wrap(text: string, columns = 100): string[] {
  const width = Math.max(40, Math.min(columns, 120)) - 2;
  return text.split(/\r?\n/).flatMap((line) => {
    const lines: string[] = [];
    let current = '';
    let length = 0;
    for (const word of line.split(' ')) {
      const size = word.replace(escapes, '').length;
      if (length > 0 && length + 1 + size > width) {
        lines.push(current);
        current = '';
        length = 0;
      }
      current += (length > 0 ? ' ' : '') + word;
      length += size + (length > 0 ? 1 : 0);
    }
    return [...lines, current].map((part) => `  ${part}`);
  });
}

/** Columns of text, the first left-aligned and the others right-aligned. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, k) => Math.max(...rows.map((row) => row[k]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row.map((cell, k) => (k === 0 ? cell.padEnd(widths[k] ?? 0) : cell.padStart(widths[k] ?? 0))).join('  ');
  return `${rows.map(line).join('\n')}\n`;
}
