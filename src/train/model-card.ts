import type { ModelConfig } from '../model/index.js';
import type { CorpusSummary } from './corpora.js';
import type { TrainingConfig } from './config.js';
import type { EpochRecord } from './epochs.js';

export interface Provenance {
  readonly command: string | null;
  readonly encoder: string | null;
  readonly teachers?: readonly string[];
  readonly mergeDevel: boolean;
  readonly settings: TrainingConfig;
  readonly corpora: readonly CorpusSummary[];
  /** The epoch whose weights were kept. */
  readonly epoch: number;
}

const percent = (x: number): string => (100 * x).toFixed(2);

/** The README.md of a model folder: what it is, what it was trained on, and its devel scores, with the command. */
export function modelCard(model: ModelConfig, provenance: Provenance, records: readonly EpochRecord[]): string {
  const kept = records.find(({ epoch }) => epoch === provenance.epoch);
  const kind =
    model.kind === 'word-pair'
      ? 'the word-pair model of Guan and Zhou (2023)'
      : model.crf
        ? 'a sequence labeller with a conditional random field'
        : 'a sequence labeller';
  const encoder = model.encoder === null ? 'with word embeddings of its own' : `prefix length ${model.prefix}`;
  const lines = [
    `# ${model.types.join(', ')}`,
    '',
    `Biomedical named-entity recognition by ${kind}, ${encoder}, trained with ebiobert.`,
    '',
    '| corpus | types | splits | sentences | left out (in a held-out split) |',
    '|---|---|---|---|---|',
    ...provenance.corpora.map(
      ({ name, types, splits, sentences, dropped }) =>
        `| ${name} | ${types.join(', ')} | ${splits.join(' + ')} | ${sentences} | ${dropped} |`,
    ),
    '',
    ...(provenance.teachers === undefined ? [] : [`Teachers: ${provenance.teachers.join(', ')}.`, '']),
    `Weights of epoch ${provenance.epoch} of ${provenance.settings.epochs}, seed ${provenance.settings.seed}.`,
    '',
  ];
  if (provenance.command !== null) lines.push('```', provenance.command, '```', '');
  if (kept !== undefined && Object.keys(kept.devel).length > 0) {
    lines.push('Strict scores on devel, printed and logged by the command above:', '');
    lines.push('| devel of | type | precision | recall | F1 |', '|---|---|---|---|---|');
    for (const [name, { types }] of Object.entries(kept.devel)) {
      for (const [type, { precision, recall, f1 }] of Object.entries(types)) {
        lines.push(`| ${name} | ${type} | ${percent(precision)} | ${percent(recall)} | ${percent(f1)} |`);
      }
    }
    lines.push('');
  }
  return `${lines.join('\n')}\n`;
}
