import type { Experiment } from '../definition.js';
import type { Spread } from './cells.js';

export const percent = (x: number): string => x.toFixed(2);
export const signed = (x: number): string => `${x < 0 ? '−' : '+'}${Math.abs(x).toFixed(2)}`;
export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** A text as Markdown shows it, whatever characters it has. */
export const escaped = (text: string): string => text.replaceAll(/([\\|*_<>[\]`])/g, '\\$1');

/** A table of Markdown; the first row is its head. */
export function table([head = [], ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)].join('\n');
}

/** What a table cell says of some runs: mean, deviation, maximum, and how many seeds it rests on. */
export function spreadText(spread: Spread | undefined): string {
  if (spread === undefined) return 'not run';
  const { mean, deviation, maximum, count } = spread;
  const noise = deviation === undefined ? '' : ` ± ${percent(deviation)}, max ${percent(maximum)}`;
  return `${percent(mean)}${noise} (${plural(count, 'seed')})`;
}

/** The protocol of an experiment in words. */
export function protocolText({ kind, protocol, training, corpora, systems }: Experiment): string {
  const settings: Readonly<Record<string, unknown>> = { ...protocol.training, ...training };
  const number = (name: string): string =>
    Object.values(systems).every((system) => name in system.training)
      ? 'as in the table'
      : String(settings[name] ?? 'the default');
  const trained = protocol.mergeDevel
    ? 'train and devel together; the last epoch counts'
    : 'train; devel chooses the epoch';
  const { share } = protocol;
  const part = share === '1/1' ? '' : `${share} of the training sentences (every ${ordinal(share)}), `;
  const own = Object.keys(protocol.corpora).filter((name) => name in corpora && training['epochs'] === undefined);
  const differing = own.map((name) => `${name} ${String(protocol.corpora[name]?.['epochs'] ?? number('epochs'))}`);
  const epochs = differing.length > 0 ? `Epochs: ${differing.join(', ')}` : `${number('epochs')} epochs`;
  const schedule = kind === 'cost' ? '' : `, ${part}trained on ${trained}. ${epochs}`;
  return (
    `Protocol \`${protocol.name}\`: \`${protocol.encoder}\`${schedule}, ` +
    `batches of ${number('batchSentences')} sentences, AdamW with learning rate ${number('encoderRate')} for the encoder and ` +
    `${number('headRate')} for the rest, weight decay ${number('weightDecay')}, warm-up ${number('warmup')}, clip ${number('clip')}.`
  );
}

function ordinal(share: string): string {
  const [part, whole] = share.split('/');
  const names: Readonly<Record<string, string>> = { '2': 'second', '3': 'third', '4': 'fourth' };
  return part === '1' ? (names[whole ?? ''] ?? `${whole}th`) : `${part} in ${whole}`;
}
