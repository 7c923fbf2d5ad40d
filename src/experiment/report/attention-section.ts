import type { AttentionResult, ModelDiversity } from '../attention.js';
import { spreadOf } from './cells.js';
import { plural, table } from './text.js';

export const WITHOUT = 'none';
export const WITH = 'pamdfga';

const TITLES: Readonly<Record<string, string>> = { [WITHOUT]: 'no guidance', [WITH]: 'PAMDFGA' };

/** A head counts as diagonal, or as one of [CLS] and [SEP], where more than this share of its attention goes there. */
const MOST = 0.5;

/** The attention maps and the diversity of heads (Figs. 7, 8, 10) in Markdown. */
export function attentionText(result: AttentionResult | undefined, pictures: readonly string[]): string {
  const parts = [
    '## Attention with and without guidance (Figs. 7, 8, 10)',
    'Does the guidance make the heads look at different things?',
    '```sh\nebiobert experiment attention\n```',
  ];
  if (result === undefined) return [...parts, 'Not run.'].join('\n\n');
  const { corpus, split, sentences, guided, layers, heads } = result;
  parts.push(
    `Means over ${sentences} sentences of ${corpus}, ${split}, and over seeds (${seedsText(result)}). The cosine is that of the ` +
      'attention vectors p (over prefix and pieces) and o (over the pieces alone) of two heads (eq. 6), mean over all pairs. A head ' +
      'is diagonal where more than half of its attention goes to the piece itself and its neighbours, and a [CLS]/[SEP] head where ' +
      'more than half goes to these two (after Clark et al., 2019, What does BERT look at?, BlackboxNLP). The two kinds can overlap.',
    table([
      ['', ...[WITHOUT, WITH].map((system) => TITLES[system] ?? system)],
      ...rows(result).map(([label, measure]) => [
        label,
        ...[WITHOUT, WITH].map((system) => spreadAt(result, system, measure)),
      ]),
    ]),
    `Layer by layer (guided: ${guided.map((layer) => layer + 1).join(', ')} of ${layers}, ${heads} heads each), mean cosine of o between ` +
      'heads:',
    table([
      ['layer', ...Array.from({ length: layers }, (_, layer) => String(layer + 1))],
      ...[WITHOUT, WITH].map((system) => [
        TITLES[system] ?? system,
        ...Array.from({ length: layers }, (_, layer) =>
          spreadAt(result, system, (model) => model.layers[layer]?.cosineO ?? 0, cosine),
        ),
      ]),
    ]),
    `The sentences of the paper, models of seed ${String(result.maps[0]?.models[0]?.seed)}: rows look at columns, P1 to P11 are the prefix. ` +
      'The colours have one scale for both models, by the square root so that faint attention shows; of all heads at once, attention below 0.04 stays white.',
    ...pictures.map((picture) => `![${captionOf(picture, result)}](pictures/${picture}.svg)`),
  );
  return parts.join('\n\n');
}

/** Whether the guidance does to the heads what it is meant to, by the data. */
export function diversityAnswer(result: AttentionResult | undefined): string {
  if (result === undefined) return 'Not run.';
  const mean = (system: string, value: (model: ModelDiversity) => number): number =>
    spreadOf(of(result, system).map(value))?.mean ?? NaN;
  const [o, p] = (['cosineO', 'cosineP'] as const).map((name) =>
    [WITHOUT, WITH].map((system) => mean(system, (model) => model.guided[name])),
  );
  const seeds = [WITHOUT, WITH].map((system) => of(result, system).map(({ guided }) => guided.cosineO));
  const [without = [], guided = []] = seeds;
  const apart = Math.max(...guided) < Math.min(...without) || Math.min(...guided) > Math.max(...without);
  const [before = NaN, after = NaN] = o ?? [];
  return (
    `The mean cosine between the attention vectors of the guided layers ${after < before ? 'falls' : 'rises'} from ` +
    `${cosine(before)} to ${cosine(after)} (o, the pieces alone), ${apart ? 'every seed beyond every seed of the other' : 'the seeds of both overlapping'}; ` +
    `with the prefix (p) it is ${cosine(p?.[1] ?? NaN)} (${seedsText(result)}).`
  );
}

type Measure = (model: ModelDiversity) => number;

function rows({ guided }: AttentionResult): [string, Measure][] {
  const shareOf =
    (kind: 'diagonal' | 'special', counts: (layer: number) => boolean): Measure =>
    ({ layers }) => {
      const heads = layers.filter((_, layer) => counts(layer)).flatMap((layer) => layer[kind]);
      return heads.filter((value) => value > MOST).length / heads.length;
    };
  const isGuided = (layer: number): boolean => guided.includes(layer);
  return [
    ['cosine of p, all heads of the guided layers', ({ guided: { cosineP } }) => cosineP],
    ['cosine of o, all heads of the guided layers', ({ guided: { cosineO } }) => cosineO],
    ['cosine of o within a layer, guided layers', (model) => meanOver(model, isGuided)],
    ['cosine of o within a layer, other layers', (model) => meanOver(model, (layer) => !isGuided(layer))],
    ['share of diagonal heads, guided layers', shareOf('diagonal', isGuided)],
    ['share of diagonal heads, all layers', shareOf('diagonal', () => true)],
    ['share of [CLS]/[SEP] heads, guided layers', shareOf('special', isGuided)],
    ['share of [CLS]/[SEP] heads, all layers', shareOf('special', () => true)],
    ['attention to the prefix, guided layers', (model) => prefixShare(model, isGuided)],
  ];
}

function meanOver({ layers }: ModelDiversity, counts: (layer: number) => boolean): number {
  const values = layers.filter((_, layer) => counts(layer)).map(({ cosineO }) => cosineO);
  return values.reduce((a, b) => a + b, 0) / values.length;
}

function prefixShare({ layers }: ModelDiversity, counts: (layer: number) => boolean): number {
  const values = layers.filter((_, layer) => counts(layer)).flatMap(({ prefix }) => prefix);
  return values.reduce((a, b) => a + b, 0) / values.length;
}

const of = ({ diversity }: AttentionResult, name: string): ModelDiversity[] =>
  diversity.filter(({ system }) => system === name);

const cosine = (value: number): string => value.toFixed(3);

function spreadAt(result: AttentionResult, system: string, measure: Measure, text = cosine): string {
  const spread = spreadOf(of(result, system).map(measure));
  if (spread === undefined) return 'not run';
  return spread.deviation === undefined ? text(spread.mean) : `${text(spread.mean)} ± ${text(spread.deviation)}`;
}

function seedsText(result: AttentionResult): string {
  return [WITHOUT, WITH]
    .map((system) => `${TITLES[system] ?? system}: ${plural(of(result, system).length, 'seed')}`)
    .join(', ');
}

function captionOf(picture: string, { maps }: AttentionResult): string {
  const [, number = '1', kind = ''] = /^attention-(\d+)-(.*)$/.exec(picture) ?? [];
  const kinds: Readonly<Record<string, string>> = {
    head: 'first head of the last layer',
    mean: 'mean over all heads and layers',
    'all-none': 'all heads and layers, no guidance',
    'all-pamdfga': 'all heads and layers, PAMDFGA',
  };
  return `${maps[Number(number) - 1]?.text ?? ''}: ${kinds[kind] ?? kind}`;
}
