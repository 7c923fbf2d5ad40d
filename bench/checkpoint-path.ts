/** What a pretrained checkpoint gives on its way through training: its hidden states, and the graph made of it. */
import { ops, toOnnx } from '../src/graph/index.js';
import { bert } from '../src/model/bert.js';
import { buildModel, decodingOutputs, type BertConfig } from '../src/model/index.js';
import { modelInputs } from '../src/model/inputs.js';
import { Scope } from '../src/nn/index.js';
import { inputsOf, type Session, type Values } from '../src/runtime/index.js';
import { nodeRuntime } from '../src/runtime/node.js';
import { collate, SentenceEncoder, type WordSentence } from '../src/tag/index.js';
import { parameterValues } from '../src/train/graph.js';
import { readStart } from '../src/train/start.js';
import {
  loadBertWeights,
  MODEL_FILES,
  readModelFile,
  readModelFolder,
  readModelWeights,
} from '../src/weights/index.js';

/** An encoder folder as training opens it. */
export interface OpenedEncoder {
  readonly config: BertConfig;
  /** Word pieces of words, `[CLS]` and `[SEP]` around them. */
  readonly ids: number[];
  readonly pieces: string[];
  /** Mean of the last four hidden layers (of all, where there are fewer), [L, H]. */
  readonly hidden: number[][];
  /** Tensors of the file that nothing asked for. */
  readonly unused: readonly string[];
  /** By canonical name. */
  readonly tensors: ReadonlyMap<string, Float32Array>;
}

/** Reads an encoder folder as `ebiobert train` does and runs its BERT over words. */
export async function openEncoder(folder: string, words: readonly string[]): Promise<OpenedEncoder> {
  const { encoder: config, tokenizer } = await readStart({ corpora: [], output: '', encoder: folder });
  if (config === null) throw new RangeError('expected an encoder');
  const scope = new Scope(false);
  const { ids: input, pieceCounts } = modelInputs();
  const { hidden } = bert(scope, config, 0, { ids: input, counts: pieceCounts });
  const last = hidden.slice(1).slice(-4);
  const mean = ops.mul(
    last.reduce((a, b) => ops.add(a, b)),
    1 / last.length,
  );
  const expected = new Map(scope.parameters.map(({ name, shape }) => [name, shape]));
  const { tensors, unused } = await loadBertWeights(folder, expected);
  const ids = [tokenizer.clsId, ...tokenizer.encodeWords(words).ids, tokenizer.sepId];
  const session = await nodeRuntime.load(toOnnx({ mean }));
  const parameters: Values = Object.fromEntries(
    [...expected].map(([name, dims]) => [
      name,
      { type: 'float32', dims, data: tensors.get(name) ?? new Float32Array() },
    ]),
  );
  const batch: Values = {
    input_ids: { type: 'int32', dims: [1, ids.length], data: Int32Array.from(ids) },
    piece_counts: { type: 'int32', dims: [1], data: Int32Array.of(ids.length) },
  };
  const flat = await floats(session, 'mean', { ...parameters, ...batch });
  await session.release();
  const rows = ids.map((_, k) => [...flat.subarray(k * config.hidden_size, (k + 1) * config.hidden_size)]);
  return { config, ids, pieces: tokenizer.pieces(ids), hidden: rows, unused, tensors };
}

/** How far the float32 graph of a model folder is from its weights, fed to the graph that training scores with. */
export interface ExportComparison {
  readonly values: number;
  /** Largest difference of a class probability. */
  readonly largest: number;
}

/** Runs both on sentences, as one batch. */
export async function compareExport(folder: string, sentences: readonly WordSentence[]): Promise<ExportComparison> {
  const model = await readModelFolder(folder);
  const { config, tokenizer } = { config: model.config.model, tokenizer: model.tokenizer };
  const windows = new SentenceEncoder(model, config).encodeAll(sentences);
  const { inputs } = collate(
    windows.map((window) => window.map(({ sentence }) => sentence)),
    tokenizer,
    config,
  );
  const exported = await nodeRuntime.load(await readModelFile(model, MODEL_FILES.graph));
  const fromGraph = await floats(exported, 'probabilities', inputs);
  await exported.release();
  const weights = await readModelWeights(folder);
  const built = buildModel(config, false);
  const session = await nodeRuntime.load(toOnnx(decodingOutputs(built)));
  const parameters = parameterValues(built, (name) => weights.get(name) ?? new Float32Array());
  const fromWeights = await floats(session, 'probabilities', { ...parameters, ...inputs });
  await session.release();
  const largest = fromGraph.reduce((most, x, k) => Math.max(most, Math.abs(x - (fromWeights[k] ?? NaN))), 0);
  return { values: fromWeights.length, largest };
}

async function floats(session: Session, name: string, values: Values): Promise<Float32Array> {
  const result = (await session.run(inputsOf(session, values), {}, [name]))[name];
  if (result?.type !== 'float32') throw new RangeError(`expected float32 ${name}, found ${result?.type ?? 'none'}`);
  return result.data;
}
