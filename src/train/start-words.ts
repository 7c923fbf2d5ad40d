import { UsageError } from '../errors.js';
import { wordsSettingsSchema } from '../model/index.js';
import { wordVocabulary } from '../text/index.js';
import { schemaError } from '../weights/index.js';
import type { TrainingData } from './corpora.js';
import type { RunOptions } from './run.js';
import type { Start } from './start.js';

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** The `words` of the `model` section of a config, as far as it is an object. */
export function wordsOf(model: unknown): Readonly<Record<string, unknown>> {
  return fieldsOf(fieldsOf(model)['words']);
}

/**
 * Whether a run starts without a pretrained encoder: its config says `"encoder": null`.
 * @throws UsageError when it names an encoder all the same
 */
export function startsFromWords({ config, encoder, fromModel }: RunOptions): boolean {
  if (fieldsOf(fieldsOf(config)['model'])['encoder'] !== null || fromModel !== undefined) return false;
  if (encoder !== undefined) throw new UsageError(`expected no encoder beside "encoder": null, found ${encoder}`);
  return true;
}

/**
 * A start without pretrained weights: the words of the training sentences are the vocabulary.
 * @throws InputError for settings of words that cannot be
 */
export function startFromWords({ config, configFile }: RunOptions, data: TrainingData): Start {
  const settings = wordsSettingsSchema.safeParse(wordsOf(fieldsOf(config)['model']));
  if (!settings.success) throw schemaError(settings.error, configFile === undefined ? {} : { file: configFile });
  const tokenizer = wordVocabulary(
    data.train.map(({ words }) => words),
    settings.data,
  );
  return {
    tokenizer,
    encoder: null,
    words: { ...settings.data, vocabulary: tokenizer.vocabularySize },
    weights: () => Promise.resolve({ values: new Map(), unused: [] }),
  };
}
