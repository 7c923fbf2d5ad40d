import { Command } from 'commander';
import { extname } from 'node:path';
import pc from 'picocolors';
import { writePieces, type Piece } from '../../corpus/index.js';
import { UsageError } from '../../errors.js';
import { loadTagger } from '../../node.js';
import { inspectionSvg, type SentenceInspection } from '../../tag/index.js';
import { print } from '../io.js';
import { paintOf } from '../style.js';

interface Options {
  readonly model?: string;
  readonly attention?: boolean;
  readonly grid?: boolean;
  readonly output?: string;
}

export const command = new Command('inspect')
  .argument('<text>', 'a sentence (or several)')
  .description(
    'Shows what the model saw: the word-pair grid as coloured text on a terminal, all of it as JSON otherwise.',
  )
  .option('--model <model>', 'a bundled model, a model folder, or a Hugging Face id')
  .option('--grid', 'only the grid')
  .option('--attention', 'only the attention maps')
  .option('-o, --output <file>', 'file to write: .svg draws the grid, or the attention; .json has all numbers')
  .action(run);

async function run(text: string, options: Options): Promise<void> {
  if (text.trim() === '') throw new UsageError('expected a text to inspect, found none');
  const { output, grid = false, attention = false } = options;
  const extension = extname(output ?? '').toLowerCase();
  if (!['', '.json', '.svg'].includes(extension)) {
    throw new UsageError(`expected --output FILE.svg or FILE.json, found ${output}`);
  }
  const tagger = await loadTagger(options.model);
  try {
    const inspections = await tagger.inspect(text);
    if (output !== undefined && extension === '.svg') {
      const svg = inspectionSvg(inspections, { grid: grid || !attention, attention });
      await writePieces(output, once(svg));
      return;
    }
    if (output === undefined && process.stdout.isTTY && !attention) {
      for (const inspection of inspections) await print(gridText(inspection));
      return;
    }
    const json = `${JSON.stringify({ text, sentences: inspections.map((inspection) => selected(inspection, options)) })}\n`;
    if (output === undefined) await print(json);
    else await writePieces(output, once(json));
  } finally {
    await tagger.dispose();
  }
}

async function* once(text: string): AsyncGenerator<Piece> {
  yield await Promise.resolve({ text });
}

function selected(inspection: SentenceInspection, { grid, attention }: Options): Partial<SentenceInspection> {
  const { words, pieces, own, names, cells, labels, probabilities, prefix } = inspection;
  const both = grid === attention;
  return {
    words,
    pieces,
    own,
    names,
    ...(both || grid === true ? { cells, labels, probabilities } : {}),
    ...(both || attention === true ? { prefix, attention: inspection.attention } : {}),
  };
}

/** The grid as text: N next neighbouring word, the type's first letter at (tail, head), a dot elsewhere. Below it its cells, and names. */
function gridText({ words, names, cells }: SentenceInspection): string {
  const width = Math.max(...words.map((word) => word.length));
  const byCell = new Map(cells.map((cell) => [`${cell.row} ${cell.column}`, cell]));
  const lines = words.map((word, row) => {
    const marks = words.map((_, column) => {
      const cell = byCell.get(`${row} ${column}`);
      if (cell === undefined) return pc.dim('.');
      const [kind = '', type = ''] = cell.label.split('-');
      return paintOf(type)(kind === 'THW' ? type.slice(0, 1) : kind.slice(0, 1));
    });
    return `${word.padStart(width)}  ${marks.join(' ')}`;
  });
  const found = cells.map(
    ({ row, column, label, probability }) =>
      `  ${label.padEnd(14)} ${words[row] ?? ''} -> ${words[column] ?? ''}  ${probability.toFixed(3)}`,
  );
  const listed = names.map(
    ({ class: name, start, end }) => `  ${`${name} name`.padEnd(14)} ${words.slice(start, end).join(' ')}`,
  );
  return `${[...lines, '', ...found, ...listed].join('\n')}\n\n`;
}
