import type { SentenceInspection } from './inspect.js';

/** What of an inspection is drawn. */
export interface InspectionSvgOptions {
  /** The word-pair grid (of a sequence model, its labels on the diagonal); true where absent. */
  readonly grid?: boolean;
  /** The attention of each layer, the mean over its heads; false where absent. */
  readonly attention?: boolean;
}

/** A drawing with its size in pixels. */
interface Panel {
  readonly width: number;
  readonly height: number;
  readonly content: string;
}

/** Okabe and Ito (2008): colours that are told apart with any colour vision. */
const COLOURS: Readonly<Record<string, string>> = { Gene: '#009e73', Chemical: '#0072b2', Disease: '#d55e00' };
const OTHER_COLOURS = ['#cc79a7', '#e69f00', '#56b4e9', '#f0e442'];
/** Of NNW where it belongs to no type. */
const JOINT_COLOUR = '#595959';

const CELL = 22;
const GAP = 16;
const FONT = 12;
/** Width of a character of a monospaced font of that size. */
const ADVANCE = 0.6 * FONT;
/** Chances below this are not drawn. */
const FAINTEST = 0.05;

/**
 * Sentences as one SVG image. In the row of word i and the column of word j of a grid, a circle is NNW (j comes after i
 * in an entity), a square THW (an entity has the last word i and the first word j); its strength is the probability, and
 * a letter stands where the label is the most probable. Colours are told apart with any colour vision.
 */
export function inspectionSvg(inspections: readonly SentenceInspection[], options: InspectionSvgOptions = {}): string {
  const { grid = true, attention = false } = options;
  const types = typesOf(inspections);
  const panels = inspections.flatMap((inspection) => [
    ...(grid ? [gridPanel(inspection, types)] : []),
    ...(attention ? inspection.attention.map((heads, layer) => attentionPanel(inspection, heads, layer)) : []),
  ]);
  if (grid) panels.push(legend(inspections, types));
  const width = Math.ceil(Math.max(0, ...panels.map((panel) => panel.width)) + 2 * GAP);
  let top = GAP;
  const placed = panels.map(({ content, height }) => {
    const place = `<g transform="translate(${GAP} ${top})">\n${content}\n</g>`;
    top += Math.ceil(height) + GAP;
    return place;
  });
  const title = inspections.map(({ words }) => words.join(' ')).join(' ');
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${top}" viewBox="0 0 ${width} ${top}" role="img" font-family="monospace" font-size="${FONT}">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${width}" height="${top}" fill="#ffffff"/>`,
    ...placed,
    '</svg>\n',
  ].join('\n');
}

function gridPanel(inspection: SentenceInspection, types: readonly string[]): Panel {
  const { words } = inspection;
  const size = words.length * CELL;
  const { left, top, axes } = axesOf(words, words);
  const marks: string[] = [];
  for (let row = 0; row < words.length; row++) {
    for (let column = 0; column < words.length; column++) {
      const chances = chancesOf(inspection, row, column).sort((a, b) => a.probability - b.probability);
      for (const { label, probability, decided } of chances) {
        const about = `${label} ${words[row] ?? ''} → ${words[column] ?? ''} ${probability.toFixed(3)}`;
        const shape = markShape(label, colourOf(label, types), left + column * CELL, top + row * CELL);
        const letter = decided ? markLetter(label, left + column * CELL, top + row * CELL) : '';
        marks.push(`<g><title>${escaped(about)}</title>${shape(probability)}${letter}</g>`);
      }
    }
  }
  return { width: left + size, height: top + size, content: [axes, ...marks].join('\n') };
}

function attentionPanel(
  { pieces, prefix }: SentenceInspection,
  heads: readonly (readonly (readonly number[])[])[],
  layer: number,
): Panel {
  const columns = [...Array.from({ length: prefix }, (_, k) => `prefix ${k + 1}`), ...pieces];
  const caption = FONT + 8;
  const { left, top, axes } = axesOf(pieces, columns);
  const cells = pieces.flatMap((piece, row) =>
    columns.map((name, column) => {
      const mean = heads.reduce((sum, map) => sum + (map[row]?.[column] ?? 0), 0) / Math.max(1, heads.length);
      if (mean < FAINTEST) return '';
      const place = `x="${left + column * CELL}" y="${top + row * CELL}" width="${CELL}" height="${CELL}"`;
      const about = `${piece} looks at ${name}: ${mean.toFixed(3)}`;
      return `<rect ${place} fill="#0072b2" fill-opacity="${mean.toFixed(3)}"><title>${escaped(about)}</title></rect>`;
    }),
  );
  return {
    width: left + columns.length * CELL,
    height: caption + top + pieces.length * CELL,
    content: [
      `<text y="${FONT}">Layer ${layer + 1}: attention of each row's piece, mean over ${heads.length} heads</text>`,
      `<g transform="translate(0 ${caption})">`,
      axes,
      ...cells.filter((cell) => cell !== ''),
      '</g>',
    ].join('\n'),
  };
}

/** Names at the left and, upright, on top, with the lines between the cells; `left` and `top` are the grid's corner. */
function axesOf(
  rows: readonly string[],
  columns: readonly string[],
): { readonly left: number; readonly top: number; readonly axes: string } {
  const widest = (names: readonly string[]): number => Math.max(0, ...names.map((name) => name.length)) * ADVANCE + 6;
  const [left, top] = [Math.ceil(widest(rows)), Math.ceil(widest(columns))];
  const [right, bottom] = [left + columns.length * CELL, top + rows.length * CELL];
  const middle = CELL / 2 + FONT / 3;
  const lines = [
    ...Array.from({ length: rows.length + 1 }, (_, k) => `M${left} ${top + k * CELL}H${right}`),
    ...Array.from({ length: columns.length + 1 }, (_, k) => `M${left + k * CELL} ${top}V${bottom}`),
  ];
  const axes = [
    `<path d="${lines.join('')}" stroke="#d9d9d9" fill="none"/>`,
    ...rows.map(
      (name, k) => `<text x="${left - 4}" y="${top + k * CELL + middle}" text-anchor="end">${escaped(name)}</text>`,
    ),
    ...columns.map((name, k) => {
      const place = `translate(${left + k * CELL + middle} ${top - 4}) rotate(-90)`;
      return `<text transform="${place}">${escaped(name)}</text>`;
    }),
  ].join('\n');
  return { left, top, axes };
}

interface Chance {
  readonly label: string;
  readonly probability: number;
  /** Whether it is the most probable class of its head. */
  readonly decided: boolean;
}

/** The labels of a cell other than None (or O) that have a chance. */
function chancesOf({ words, labels, probabilities }: SentenceInspection, row: number, column: number): Chance[] {
  const heads = labels.length;
  const classes = labels[0]?.length ?? 0;
  const isGrid = probabilities.length === words.length ** 2 * heads * classes;
  if (!isGrid && row !== column) return [];
  const cell = isGrid ? row * words.length + column : row;
  return labels.flatMap((names, head) => {
    const at = (k: number): number => probabilities[(cell * heads + head) * classes + k] ?? 0;
    const best = Math.max(...names.map((_, k) => at(k)));
    return names.flatMap((label, k) => {
      const probability = at(k);
      return k === 0 || probability < FAINTEST ? [] : [{ label, probability, decided: probability === best }];
    });
  });
}

function legend(inspections: readonly SentenceInspection[], types: readonly string[]): Panel {
  const labels = [
    ...new Set(inspections.flatMap((inspection) => inspection.labels.flatMap((names) => names.slice(1)))),
  ];
  const meaning: Readonly<Record<string, string>> = {
    NNW: 'the word of the column comes next',
    THW: 'last word in the row, first word in the column',
  };
  const lines = labels.map((label, k) => {
    const shape = markShape(label, colourOf(label, types), 0, k * CELL)(1);
    const [kind = ''] = label.split('-');
    const text = meaning[kind] === undefined ? label : `${label}: ${meaning[kind]}`;
    const words = `<text x="${CELL + 6}" y="${k * CELL + CELL / 2 + FONT / 3}">${escaped(text)}</text>`;
    return { text, content: `${shape}${markLetter(label, 0, k * CELL)}${words}` };
  });
  return {
    width: CELL + 6 + Math.max(0, ...lines.map(({ text }) => text.length)) * ADVANCE,
    height: lines.length * CELL,
    content: lines.map(({ content }) => content).join('\n'),
  };
}

/** A circle for NNW, a square for all else, with the strength of a probability. */
function markShape(label: string, colour: string, x: number, y: number): (probability: number) => string {
  return (probability) => {
    const paint = `fill="${colour}" fill-opacity="${probability.toFixed(3)}"`;
    if (!label.startsWith('NNW'))
      return `<rect x="${x + 1}" y="${y + 1}" width="${CELL - 2}" height="${CELL - 2}" ${paint}/>`;
    return `<circle cx="${x + CELL / 2}" cy="${y + CELL / 2}" r="${CELL / 2 - 2}" ${paint}/>`;
  };
}

/** `N` of NNW, the first letter of a THW's type, and `B`, `I`, `E`, `S`. */
function markLetter(label: string, x: number, y: number): string {
  const [kind = '', type = ''] = label.split('-');
  const letter = (kind === 'THW' ? type : kind).slice(0, 1);
  const place = `x="${x + CELL / 2}" y="${y + CELL / 2 + FONT / 3}"`;
  return `<text ${place} text-anchor="middle" font-weight="bold" fill="#ffffff" stroke="#262626" stroke-width="3" paint-order="stroke">${escaped(letter)}</text>`;
}

/** The type of a label: what follows its first hyphen; none of a NNW of all types. */
function typeOf(label: string): string | undefined {
  const hyphen = label.indexOf('-');
  return hyphen < 0 ? undefined : label.slice(hyphen + 1);
}

function typesOf(inspections: readonly SentenceInspection[]): string[] {
  const labels = inspections.flatMap((inspection) => inspection.labels.flat());
  return [...new Set(labels.flatMap((label) => typeOf(label) ?? []))];
}

function colourOf(label: string, types: readonly string[]): string {
  const type = typeOf(label);
  if (type === undefined) return JOINT_COLOUR;
  const others = types.filter((name) => COLOURS[name] === undefined);
  return COLOURS[type] ?? OTHER_COLOURS[others.indexOf(type) % OTHER_COLOURS.length] ?? JOINT_COLOUR;
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Text for XML; characters that it cannot have become U+FFFD. */
function escaped(text: string): string {
  return text
    .replaceAll(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replaceAll(/[&<>"]/g, (character) => ENTITIES[character] ?? character);
}
