import { InputError } from '../errors.js';
import { labelSpace, modelConfigSchema, type ModelConfig } from '../model/index.js';
import { graphFacts, type OutputShape } from './graph-facts.js';

interface GraphFiles {
  readonly graph: string;
  readonly config: string;
}

const CONFIG_KEY = 'ebiobert.config';

/** What a graph keeps of the config that it was made from. */
export function graphMetadata(config: ModelConfig): Record<string, string> {
  return { [CONFIG_KEY]: JSON.stringify(config) };
}

/**
 * Checks that a graph is one of the model that a config describes: its outputs' shapes, and the config that is stored in
 * the graph, where it has one.
 * @throws InputError naming the graph when it is no ONNX model, or the config and the setting that differs
 */
export function checkGraph(bytes: Uint8Array, config: ModelConfig, files: GraphFiles): void {
  const { outputs, metadata } = graphFacts(bytes, files.graph);
  const require = (setting: string, expected: unknown, found: unknown): void => {
    const difference = firstDifference(setting, expected, found);
    if (difference === undefined) return;
    const [own, stated] = [difference.expected, difference.found].map((value) => JSON.stringify(value) ?? 'none');
    const message = `model.${difference.setting}: expected ${own} as in ${files.graph}, found ${stated}`;
    throw new InputError(message, { file: files.config });
  };
  const stored = metadata.get(CONFIG_KEY);
  if (stored !== undefined) {
    const own = storedConfig(stored, files.graph);
    for (const [setting, value] of Object.entries(config)) require(setting, own[setting], value);
  }
  const probabilities = outputs.get('probabilities');
  const maps = [...outputs.keys()].filter((name) => name.startsWith('attention.'));
  const map = outputs.get('attention.0');
  if (probabilities === undefined || (map === undefined && config.encoder !== null)) {
    const found = [...outputs.keys()].join(', ') || 'none';
    const needed = config.encoder === null ? 'an output probabilities' : 'outputs probabilities and attention.0';
    throw new InputError(`expected ${needed}, found ${found}`, { file: files.graph });
  }
  const { heads, classes } = labelSpace(config);
  require('kind', probabilities.length === 5 ? 'word-pair' : 'sequence', config.kind);
  require('types', typesOf(probabilities, config), config.types.length);
  require('labels', probabilities.slice(-2), [heads, classes]);
  if (config.kind === 'sequence') require('crf', outputs.has('transitions'), config.crf);
  require('encoder.num_hidden_layers', maps.length, config.encoder?.num_hidden_layers ?? 0);
  require('encoder.num_attention_heads', map?.[1], config.encoder?.num_attention_heads);
  require('prefix', Number(/\+(\d+)$/.exec(String(map?.at(-1)))?.[1] ?? 0), config.prefix);
}

interface Difference {
  readonly setting: string;
  readonly expected: unknown;
  readonly found: unknown;
}

/** The first setting that differs, within objects that both have; undefined where all are equal. */
function firstDifference(setting: string, expected: unknown, found: unknown): Difference | undefined {
  if (!isObject(expected) || !isObject(found)) {
    return JSON.stringify(expected) === JSON.stringify(found) ? undefined : { setting, expected, found };
  }
  for (const key of new Set([...Object.keys(expected), ...Object.keys(found)])) {
    const difference = firstDifference(`${setting}.${key}`, expected[key], found[key]);
    if (difference !== undefined) return difference;
  }
  return undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** How many types the labels of a graph are for, when they are of the kind that the config states. */
function typesOf(probabilities: OutputShape, config: ModelConfig): number {
  const [heads, classes] = probabilities.slice(-2).map(Number);
  if (config.labels === 'typed') return heads ?? 0;
  const one = labelSpace({ ...config, types: [''] }).classes;
  const two = labelSpace({ ...config, types: ['', ''] }).classes;
  return 1 + ((classes ?? 0) - one) / (two - one);
}

function storedConfig(stored: string, file: string): Readonly<Record<string, unknown>> {
  try {
    return modelConfigSchema.parse(JSON.parse(stored));
  } catch (cause) {
    throw new InputError('expected the config of a model in the metadata, found another', { file }, { cause });
  }
}
