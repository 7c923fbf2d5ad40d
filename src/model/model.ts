import { gradient, ops, type Tensor } from '../graph/index.js';
import { crf, crfExpectedLoss, crfLoss, linear, logPartition, pattern, Scope, type Crf } from '../nn/index.js';
import type { BertOutput } from './bert.js';
import type { ModelConfig, SequenceConfig, WordPairConfig } from './config.js';
import { gridLogits } from './grid.js';
import { modelInputs, sizes, type ModelInputs } from './inputs.js';
import { crossEntropy, expectedCrossEntropy } from './loss.js';
import { pamdfga, type GuidanceLosses } from './pamdfga.js';
import { wordFeatures } from './words.js';

/** A model as tensors: what it computes for tagging, and what training minimises. */
export interface ModelGraph {
  readonly scope: Scope;
  /**
   * Class probabilities: word-pair [sentences, words, words, heads, classes], sequence [sentences, words, heads,
   * classes]. `heads` is 1 with joint labels and the number of types with typed ones. Of a CRF the marginals.
   */
  readonly probabilities: Tensor;
  /** Logits of the shape of `probabilities`; of a CRF the scores of single labels. */
  readonly logits: Tensor;
  readonly crf?: Crf;
  /** Attention maps of every layer of the encoder [windows, heads, pieces, prefix + pieces]. */
  readonly maps: readonly Tensor[];
  readonly losses: Losses;
}

export interface Losses {
  /** Loss_NER + alpha (Loss_p + Loss_o) / 2, a scalar. */
  readonly total: Tensor;
  readonly ner: Tensor;
  /** Loss_p and Loss_o, as far as they are switched on. */
  readonly guidance?: Partial<GuidanceLosses>;
}

/** Number of label heads and of classes in each. */
export function labelSpace(config: ModelConfig): { readonly heads: number; readonly classes: number } {
  const types = config.types.length;
  const perType = config.kind === 'word-pair' ? 1 : config.scheme === 'BIO' ? 2 : 4;
  const shared = config.kind === 'word-pair' ? 2 : 1;
  return config.labels === 'joint'
    ? { heads: 1, classes: shared + perType * types }
    : { heads: types, classes: shared + perType };
}

/**
 * Builds the graph of a model; `training` adds dropout. Pure: the same arguments give the same graph.
 *
 * @param teacherWeight share of the task loss, from 0 to 1, that is the distance to other models' probabilities, the input
 * `teacher` (float32, of the shape of `probabilities`): cross-entropy, or of a CRF the expected loss (`crfExpectedLoss`)
 */
export function buildModel(config: ModelConfig, training: boolean, teacherWeight = 0): ModelGraph {
  const scope = new Scope(training);
  const inputs = modelInputs(config.gazetteer?.length);
  const { encoder, words } = wordFeatures(scope, config, inputs);
  if (config.kind === 'sequence' && config.crf) {
    const { heads, classes } = labelSpace(config);
    const { logits, weight: mask } = sequenceHead(scope, config, words, inputs);
    const field = crf(scope, heads, classes);
    const perWord = (losses: Tensor): Tensor => ops.div(ops.total(losses), ops.total(mask));
    const ner = taught(
      () => perWord(crfLoss(field, logits, labelsInput(logits), mask)),
      teacherWeight,
      () => perWord(crfExpectedLoss(field, logits, teacherInput(logits), mask)),
    );
    const [marginals = logits] = gradient(ops.total(logPartition(field, logits, mask)), [logits]);
    const losses = guided(config, ner, encoder);
    return { scope, logits, probabilities: marginals, maps: encoder?.maps ?? [], losses, crf: field };
  }
  const { logits, weight } =
    config.kind === 'word-pair'
      ? wordPairHead(scope, config, words, inputs)
      : sequenceHead(scope, config, words, inputs);
  const ner = taught(
    () => taskLoss(logits, weight),
    teacherWeight,
    () => teacherLoss(logits, weight),
  );
  const losses = guided(config, ner, encoder);
  return { scope, logits, probabilities: ops.softmax(logits), maps: encoder?.maps ?? [], losses };
}

/** The last linear layer: logits of all heads and classes. */
function classify(scope: Scope, config: ModelConfig, features: Tensor): Tensor {
  const { heads, classes } = labelSpace(config);
  const { noneBias } = config;
  const start = noneBias === 0 ? {} : { biasInitialiser: pattern([noneBias, ...Array<number>(classes - 1).fill(0)]) };
  return linear(scope, 'classifier', features, heads * classes, start);
}

interface Head {
  readonly logits: Tensor;
  /** 1 where there is something to classify, 0 at padding: the shape of logits without its last two axes. */
  readonly weight: Tensor;
}

function wordPairHead(scope: Scope, config: WordPairConfig, words: Tensor, inputs: ModelInputs): Head {
  const { heads, classes } = labelSpace(config);
  const { sentences, words: length } = sizes;
  const mask = ops.mul(
    ops.reshape(inputs.wordMask, [sentences, length, 1]),
    ops.reshape(inputs.wordMask, [sentences, 1, length]),
  );
  const cellMask = ops.reshape(mask, [...mask.shape, 1]);
  const flat = gridLogits(scope, config, words, cellMask, (x) => classify(scope, config, x));
  return { logits: ops.reshape(flat, [...mask.shape, heads, classes]), weight: mask };
}

function sequenceHead(scope: Scope, config: SequenceConfig, words: Tensor, inputs: ModelInputs): Head {
  const { heads, classes } = labelSpace(config);
  const present = ops.mul(words, ops.reshape(inputs.wordMask, [...inputs.wordMask.shape, 1]));
  const flat = classify(scope, config, present);
  return { logits: ops.reshape(flat, [...inputs.wordMask.shape, heads, classes]), weight: inputs.wordMask };
}

/** int32 input of the shape of the logits without classes; -1 takes no part. */
function labelsInput(logits: Tensor): Tensor {
  return ops.input('labels', 'int32', logits.shape.slice(0, -1));
}

/** Cross-entropy averaged over the batch's valid cells (or words), summed over the heads. */
function taskLoss(logits: Tensor, weight: Tensor): Tensor {
  const weights = ops.reshape(weight, [...weight.shape, 1]);
  return crossEntropy(logits, labelsInput(logits), weights, ops.total(weight));
}

/** float32 input of the shape of the logits: what teachers take the probabilities to be. */
function teacherInput(logits: Tensor): Tensor {
  return ops.input('teacher', 'float32', logits.shape);
}

/**
 * Cross-entropy with the teachers' probabilities (Hinton et al. 2015, at temperature 1), averaged and summed as the task
 * loss. Where a corpus does not tell, they still do.
 */
function teacherLoss(logits: Tensor, weight: Tensor): Tensor {
  const weights = ops.reshape(weight, [...weight.shape, 1]);
  return expectedCrossEntropy(logits, teacherInput(logits), weights, ops.total(weight));
}

/** The task loss, a share of which is the distance to teachers. */
function taught(labels: () => Tensor, share: number, distance: () => Tensor): Tensor {
  if (share === 0) return labels();
  return share === 1 ? distance() : ops.add(ops.mul(labels(), 1 - share), ops.mul(distance(), share));
}

/** Loss_NER + alpha (Loss_p + Loss_o) / 2, without the term that is switched off. */
function guided({ guidance, prefix }: ModelConfig, ner: Tensor, encoder: BertOutput | undefined): Losses {
  if (guidance === null || encoder === undefined) return { total: ner, ner };
  const maps = guidance.layers.map((layer) => {
    const map = encoder.maps.at(layer);
    if (map === undefined) {
      throw new RangeError(`expected a guided layer among ${encoder.maps.length}, found ${layer}`);
    }
    return map;
  });
  const { withPrefix, withoutPrefix } = pamdfga(maps, encoder.mask, prefix, guidance.temperature);
  const terms = {
    ...(guidance.withPrefix ? { withPrefix } : {}),
    ...(guidance.withoutPrefix ? { withoutPrefix } : {}),
  };
  const sum = Object.values(terms).reduce((a, b) => ops.add(a, b));
  return { total: ops.add(ner, ops.mul(sum, guidance.alpha / 2)), ner, guidance: terms };
}
