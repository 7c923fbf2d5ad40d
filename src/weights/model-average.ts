import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { InputError } from '../errors.js';
import type { ActivationRanges } from '../graph/index.js';
import { writeModelFolder } from './model-folder-write.js';
import { MODEL_FILES, readModelFolder, readModelWeights, type ModelFolder } from './model-folder.js';

/**
 * Writes a model whose weights are the mean of those of others ("model soup", Wortsman et al. 2022,
 * https://arxiv.org/abs/2203.05482). It helps where the models were trained from the same start; models that were not
 * give a mean that finds nothing. A lexicon is not taken over.
 * @param folders two model folders or more, of the same architecture, types and pieces, with their weights for fine-tuning
 * @param command what its config and card say that it came from
 * @throws InputError when a folder is no such model's, or the models differ in more than their weights
 */
export async function averageModels(folders: readonly string[], output: string, command?: string): Promise<void> {
  const [first, ...others] = await Promise.all(folders.map((folder) => readModelFolder(folder)));
  if (first === undefined || others.length === 0) {
    throw new RangeError(`expected two model folders or more, found ${folders.length}`);
  }
  for (const { folder, config, tokenizer, gazetteer } of others) {
    if (!isDeepStrictEqual(config.model, first.config.model)) {
      const file = join(folder, MODEL_FILES.config);
      throw new InputError(`expected the types and the architecture of ${first.folder}, found others`, { file });
    }
    if (!isDeepStrictEqual(tokenizer.json, first.tokenizer.json)) {
      const file = join(folder, MODEL_FILES.tokenizer);
      throw new InputError(`expected the tokenizer of ${first.folder}, found another`, { file });
    }
    if (!isDeepStrictEqual(gazetteer?.toBytes(), first.gazetteer?.toBytes())) {
      const file = join(folder, MODEL_FILES.gazetteer);
      throw new InputError(`expected the gazetteer of ${first.folder}, found another`, { file });
    }
  }
  const { config, tokenizer, gazetteer } = first;
  const trainings = [first, ...others].map((model) => model.config.training ?? null);
  await writeModelFolder(output, {
    model: config.model,
    flat: config.flat,
    tokenizer,
    gazetteer,
    training: { ...(command === undefined ? {} : { command }), meanOf: trainings },
    weights: await meanWeights(folders),
    activations: widestRanges([first, ...others]),
    card: averageCard(config.model.types, trainings, command),
    graphs: ['float32', 'quantized'],
    safetensors: true,
  });
}

/** The mean of each parameter over the models, read one model at a time. */
async function meanWeights(folders: readonly string[]): Promise<Map<string, Float32Array>> {
  const sums = new Map<string, Float64Array>();
  for (const folder of folders) {
    for (const [name, values] of await readModelWeights(folder)) {
      const sum = sums.get(name) ?? new Float64Array(values.length);
      if (sum.length !== values.length) {
        const file = join(folder, MODEL_FILES.weights);
        throw new InputError(`expected ${sum.length} values of ${name}, found ${values.length}`, { file });
      }
      values.forEach((value, k) => {
        sum[k] = (sum[k] ?? 0) + value;
      });
      sums.set(name, sum);
    }
  }
  return new Map([...sums].map(([name, sum]) => [name, Float32Array.from(sum, (value) => value / folders.length)]));
}

/** Ranges that hold those of all models. */
function widestRanges(models: readonly ModelFolder[]): ActivationRanges {
  const widest = new Map<string, readonly [number, number]>();
  for (const { folder, config } of models) {
    if (config.activations === undefined) {
      const file = join(folder, MODEL_FILES.config);
      throw new InputError('expected the ranges of the activations ("activations"), found none: train it anew', {
        file,
      });
    }
    for (const [name, [least, largest]] of Object.entries(config.activations)) {
      const [low, high] = widest.get(name) ?? [least, largest];
      widest.set(name, [Math.min(low, least), Math.max(high, largest)]);
    }
  }
  return Object.fromEntries(widest);
}

function averageCard(types: readonly string[], trainings: readonly unknown[], command: string | undefined): string {
  const commands = trainings.map((training) =>
    typeof training === 'object' && training !== null && 'command' in training && typeof training.command === 'string'
      ? training.command
      : 'unknown',
  );
  const lines = [
    `# ${types.join(', ')}`,
    '',
    `Biomedical named-entity recognition, trained with ebiobert. The weights are the mean of ${trainings.length} models:`,
    '',
    '```',
    ...commands,
    ...(command === undefined ? [] : [command]),
    '```',
  ];
  return `${lines.join('\n')}\n`;
}
