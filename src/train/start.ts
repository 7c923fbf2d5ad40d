import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { InputError, UsageError } from '../errors.js';
import { buildModel, modelConfigSchema, type BertConfig, type ModelConfig, type WordsConfig } from '../model/index.js';
import type { ParameterSpec } from '../nn/index.js';
import type { Vocabulary } from '../tag/index.js';
import { WordPieceTokenizer } from '../text/index.js';
import {
  attempt,
  loadBertWeights,
  openCheckpoint,
  readBertConfig,
  readJsonObject,
  readModelFolder,
  readModelWeights,
  schemaError,
} from '../weights/index.js';
import { trainingConfigSchema, type TrainingConfig } from './config.js';
import type { TrainingData } from './corpora.js';
import type { RunOptions } from './run.js';
import { wordsOf } from './start-words.js';

const configSchema = z.strictObject({
  model: z.record(z.string(), z.json()).default({}),
  training: trainingConfigSchema.prefault({}),
});

/** Where a run starts from. */
export interface Start extends Vocabulary {
  /** null where word embeddings take its place. */
  readonly encoder: BertConfig | null;
  readonly words: WordsConfig | null;
  /** Config of the model that is gone on from. */
  readonly model?: ModelConfig;
  weights(model: ModelConfig): Promise<{ values: ReadonlyMap<string, Float32Array>; unused: readonly string[] }>;
}

/** Opens the pretrained encoder or the model that a run goes on from. */
export async function readStart(options: RunOptions): Promise<Start> {
  const { encoder, fromModel } = options;
  if (fromModel !== undefined) {
    const folder = await readModelFolder(fromModel);
    const { model } = folder.config;
    return {
      tokenizer: folder.tokenizer,
      gazetteer: folder.gazetteer,
      encoder: model.encoder,
      words: model.words,
      model,
      async weights(target) {
        const { scope } = buildModel(target, false);
        const values = await readModelWeights(fromModel);
        return target.kind === model.kind
          ? { values: sameParameters(values, scope.parameters, fromModel), unused: [] }
          : sharedParameters(values, scope.parameters);
      },
    };
  }
  if (encoder === undefined) {
    throw new UsageError('expected --encoder or --from-model, found neither, nor a config with "encoder": null');
  }
  const checkpoint = await openCheckpoint(encoder);
  await checkpoint.close();
  const { tokenizer, vocabulary, config } = checkpoint.tokenizer;
  const settings = config === undefined ? undefined : await readJsonObject(config);
  const file = join(encoder, 'config.json');
  return {
    tokenizer:
      tokenizer === undefined
        ? await tokenizerFromVocabulary(encoder, vocabulary, settings)
        : WordPieceTokenizer.fromJson(await readJsonObject(tokenizer), settings),
    encoder: readBertConfig(checkpoint.config, file),
    words: null,
    async weights(model) {
      const { scope } = buildModel(model, false);
      const expected = new Map(
        scope.parameters.filter(({ name }) => name.startsWith('bert.')).map(({ name, shape }) => [name, shape]),
      );
      const { tensors, unused } = await loadBertWeights(encoder, expected);
      return { values: tensors, unused };
    },
  };
}

/** All parameters of the model, each of its size. */
function sameParameters(
  values: ReadonlyMap<string, Float32Array>,
  parameters: readonly ParameterSpec[],
  file: string,
): ReadonlyMap<string, Float32Array> {
  for (const { name, shape } of parameters) {
    const found = values.get(name)?.length;
    if (found !== sizeOfShape(shape)) {
      throw new InputError(`expected ${name} of shape [${shape.join(', ')}], found ${found ?? 'no'} values`, { file });
    }
  }
  return values;
}

/** What a model of the other kind shares: encoder, gazetteer and spelling features. */
function sharedParameters(
  values: ReadonlyMap<string, Float32Array>,
  parameters: readonly ParameterSpec[],
): { values: ReadonlyMap<string, Float32Array>; unused: readonly string[] } {
  const names = new Set(
    parameters
      .filter(
        ({ name, shape }) =>
          /^(bert|words|characters|gazetteer)\./.test(name) && values.get(name)?.length === sizeOfShape(shape),
      )
      .map(({ name }) => name),
  );
  return {
    values: new Map([...values].filter(([name]) => names.has(name))),
    unused: [...values.keys()].filter((name) => !names.has(name)),
  };
}

const sizeOfShape = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

async function tokenizerFromVocabulary(
  folder: string,
  vocabulary: string | undefined,
  settings: Readonly<Record<string, unknown>> | undefined,
): Promise<WordPieceTokenizer> {
  if (vocabulary === undefined) {
    throw new InputError('expected tokenizer.json or vocab.txt, found neither', { file: folder });
  }
  const text = await attempt(vocabulary, 'read', readFile(vocabulary, 'utf8'));
  const lowercase = settings?.['do_lower_case'];
  return WordPieceTokenizer.fromVocabulary(text, {
    lowercase: typeof lowercase === 'boolean' ? lowercase : !isCasedVocabulary(text),
  });
}

/**
 * Whether the pieces of a `vocab.txt` keep capital letters. BioBERT v1.1 comes as `config.json`, `vocab.txt` and weights:
 * nothing else of it says that it is cased.
 */
function isCasedVocabulary(vocabulary: string): boolean {
  return vocabulary.split(/\r?\n/).some((piece) => !/^\[.*\]$/.test(piece) && piece !== piece.toLowerCase());
}

/** The settings of a run: its config over the defaults, which depend on the start and the corpora. */
export function parseConfig(
  options: RunOptions,
  start: Start,
  data: TrainingData,
): { model: ModelConfig; training: TrainingConfig } {
  const at = options.configFile === undefined ? {} : { file: options.configFile };
  const parsed = configSchema.safeParse(options.config ?? {});
  if (!parsed.success) throw schemaError(parsed.error, at);
  const several = data.types.length > 1 && data.corpora.some(({ types }) => types.length < data.types.length);
  const kind = parsed.data.model['kind'] ?? start.model?.kind;
  const defaults = (start.model?.kind === kind ? start.model : sharedSettings(start.model)) ?? {
    kind: 'word-pair',
    types: [...data.types],
    labels: several ? 'typed' : 'joint',
    encoder: start.encoder,
    guidance: defaultGuidance(start.encoder),
  };
  const gazetteer = { gazetteer: start.gazetteer?.classes ?? null };
  const words = start.words === null ? {} : { words: { ...start.words, ...wordsOf(parsed.data.model) } };
  const model = modelConfigSchema.safeParse({ ...defaults, ...gazetteer, ...parsed.data.model, ...words });
  if (!model.success) throw schemaError(model.error, at);
  const unknown = data.types.filter((type) => !model.data.types.includes(type));
  if (unknown.length > 0 || data.types.some((type, k) => model.data.types[k] !== type)) {
    throw new InputError(
      `types: expected ${data.types.join(', ')} as in the corpora, found ${model.data.types.join(', ')}`,
      at,
    );
  }
  const [own = 'none', named = 'none'] = [start.gazetteer?.classes, model.data.gazetteer].map((x) => x?.join(', '));
  if (own !== named) throw new InputError(`gazetteer: expected ${own} as in the names, found ${named}`, at);
  if (several && model.data.labels === 'joint' && parsed.data.training.unannotated !== 'absent') {
    throw new InputError(
      'labels: expected "typed" for corpora that annotate different types (or "unannotated": "absent"), found "joint"',
      at,
    );
  }
  const { training } = parsed.data;
  if (training.teacherWeight !== undefined && options.teachers === undefined) {
    throw new InputError(
      `training.teacherWeight: expected teachers beside it, found ${training.teacherWeight} alone`,
      at,
    );
  }
  return { model: model.data, training };
}

/** The paper's final setting: all of the last four layers. */
function defaultGuidance(encoder: BertConfig | null): Record<string, unknown> | null {
  if (encoder === null) return null;
  return { layers: [-4, -3, -2, -1].filter((k) => -k <= encoder.num_hidden_layers), alpha: 0.001 };
}

/** The settings that models of both kinds have; the gazetteer's classes are those of the run's own. */
function sharedSettings(model: ModelConfig | undefined): Record<string, unknown> | undefined {
  if (model === undefined) return undefined;
  const { types, labels, encoder, words, prefix, guidance, context, featureLayers, featureDropout, characters } = model;
  return { types, labels, encoder, words, prefix, guidance, context, featureLayers, featureDropout, characters };
}
