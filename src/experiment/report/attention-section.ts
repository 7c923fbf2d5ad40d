import type { AttentionResult, ModelDiversity } from '../attention.js';
import { spreadOf } from './cells.js';
import { escaped, plural, table } from './text.js';

export const WITHOUT = 'none';
export const PREFIX = 'prefix';
export const WITH = 'pamdfga';

/** Systems of the ablation that are looked into, in the order of the tables. */
const SYSTEMS = [WITHOUT, PREFIX, WITH];

const TITLES: Readonly<Record<string, string>> = {
  [WITHOUT]: 'no guidance',
  [PREFIX]: 'prefix alone',
  [WITH]: 'PAMDFGA',
};

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
  const head = SYSTEMS.map((system) => `${TITLES[system] ?? system} (${plural(of(result, system).length, 'seed')})`);
  parts.push(
    `Means over ${sentences} sentences of ${corpus}, ${split}, and over seeds (± their standard deviation). The cosine is that of the ` +
      'attention vectors p (over prefix and pieces) and o (over the pieces alone) of two heads (eq. 6), mean over all pairs; without ' +
      'a prefix they are the same. A head is diagonal where more than half of its attention goes to the piece itself and its ' +
      'neighbours, and a [CLS]/[SEP] head where more than half goes to these two (after Clark et al., 2019, What does BERT look at?, ' +
      `BlackboxNLP). The two kinds can overlap. Guided are the layers ${guided.map((layer) => layer + 1).join(', ')} of ${layers}, ` +
      `with ${heads} heads each.`,
    table([
      ['', ...head],
      ...rows(result).map(([label, measure]) => [label, ...SYSTEMS.map((system) => spreadAt(result, system, measure))]),
    ]),
    'Layer by layer, mean cosine between its heads:',
    table([
      [
        'layer',
        ...Array.from({ length: layers }, (_, layer) => `${layer + 1}${guided.includes(layer) ? ', guided' : ''}`),
      ],
      ...SYSTEMS.map((system) => layerRow(result, system, 'cosineO')),
      ...[PREFIX, WITH].map((system) => layerRow(result, system, 'cosineP')),
    ]),
    'The prefix is in all layers, the two losses are on the guided ones alone. What the losses do is the difference between the ' +
      'last two columns; the first has no prefix either.',
    `The pictures are of the models of seed ${String(result.maps[0]?.models[0]?.seed)}, trained on ${corpus}; the paper draws its second sentence ` +
      'with a model of BC5CDR-Chem. Rows are the pieces that attend, columns those attended to; P1, P2, ... are the prefix. Both models of ' +
      'a picture have one scale of colours, by the square root so that faint attention shows.',
    ...result.maps.map((maps, k) => mapsText(maps.text, k, pictures, result)),
  );
  return parts.join('\n\n');
}

/** The pictures of a sentence, each below what it shows. */
function mapsText(text: string, k: number, pictures: readonly string[], { layers }: AttentionResult): string {
  const captions: Readonly<Record<string, string>> = {
    head: `One head, the first of layer ${layers} of ${layers} (the paper draws the first of layer 11 of 12):`,
    mean: 'The mean over all heads and layers:',
    [`all-${WITHOUT}`]:
      'All heads and layers in ten shades, each map with the rows and columns of those above; grey is where the other model has its prefix:',
    [`all-${WITH}`]: 'The same with PAMDFGA:',
  };
  const drawn = Object.entries(captions).flatMap(([kind, caption]) => {
    const name = `attention-${k + 1}-${kind}`;
    return pictures.includes(name)
      ? [caption, `![${escaped(text)} ${caption.slice(0, -1)}](pictures/${name}.svg)`]
      : [];
  });
  return [`### ${escaped(text)}`, ...drawn].join('\n\n');
}

function layerRow(result: AttentionResult, system: string, name: 'cosineO' | 'cosineP'): string[] {
  const cells = Array.from({ length: result.layers }, (_, layer) =>
    spreadAt(result, system, (model) => model.layers[layer]?.[name] ?? NaN),
  );
  return [`${TITLES[system] ?? system}, ${name === 'cosineO' ? 'o' : 'p'}`, ...cells];
}

/**
 * Whether the guidance does to the heads what it is meant to, by the data. What the losses do is told by models with the
 * prefix and without losses; where there are none, by models without either, and the answer says so.
 */
export function diversityAnswer(result: AttentionResult | undefined): string {
  if (result === undefined) return 'Not run.';
  const base = of(result, PREFIX).length > 0 ? PREFIX : WITHOUT;
  const values = (system: string, measure: Measure): number[] => of(result, system).map(measure);
  const means = (measure: Measure): string[] =>
    [base, WITH].map((system) => cosine(spreadOf(values(system, measure))?.mean ?? NaN));
  const whole: Measure = (model) => model.guided.cosineO;
  const [without, guided] = [values(base, whole), values(WITH, whole)];
  const falls = Math.max(...guided) < Math.min(...without);
  const rises = Math.min(...guided) > Math.max(...without);
  const verdict = falls ? 'Yes' : rises ? 'No, the contrary' : 'Not beyond the noise of seeds';
  const [before, after] = means(whole);
  const [own, ownGuided] = means((model) => meanOver(model, (layer) => result.guided.includes(layer)));
  const [other, otherGuided] = means((model) => meanOver(model, (layer) => !result.guided.includes(layer)));
  const seeds = [base, WITH].map((name) => `${TITLES[name] ?? name}: ${plural(of(result, name).length, 'seed')}`);
  const measured =
    `the mean cosine between the attention vectors o of all heads of the guided layers goes from ${before} to ${after} ` +
    `(${seeds.join(', ')}), ${falls || rises ? 'every seed beyond every seed of the other' : 'the seeds of both overlapping'}. ` +
    `Within a layer it goes from ${own} to ${ownGuided} in the guided layers` +
    (result.guided.length < result.layers ? `, from ${other} to ${otherGuided} in the others.` : '.');
  if (base === WITHOUT)
    return `Prefix and losses together, ${verdict.toLowerCase()}: ${measured} The prefix alone was not measured.`;
  const plain = cosine(spreadOf(values(WITHOUT, whole))?.mean ?? NaN);
  return `${verdict}: against the prefix without losses ${measured} Without a prefix it is ${plain}.`;
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
    ['share of diagonal heads, other layers', shareOf('diagonal', (layer) => !isGuided(layer))],
    ['share of [CLS]/[SEP] heads, guided layers', shareOf('special', isGuided)],
    ['share of [CLS]/[SEP] heads, other layers', shareOf('special', (layer) => !isGuided(layer))],
    ['attention to the prefix, guided layers', (model) => prefixShare(model, isGuided)],
    ['attention to the prefix, other layers', (model) => prefixShare(model, (layer) => !isGuided(layer))],
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

function spreadAt(result: AttentionResult, system: string, measure: Measure): string {
  const spread = spreadOf(of(result, system).map(measure));
  if (spread === undefined) return 'not run';
  const { mean, deviation } = spread;
  if (Number.isNaN(mean)) return '';
  return deviation === undefined ? cosine(mean) : `${cosine(mean)} ± ${cosine(deviation)}`;
}
