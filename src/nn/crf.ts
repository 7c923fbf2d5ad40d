import { addDims, at, multiplyDims, ops, type Tensor } from '../graph/index.js';
import { fixed, uniform, type Scope } from './scope.js';

/** Parameters of linear-chain conditional random fields, one for each head. */
export interface Crf {
  /** Score of a label at the first word [heads, K] */
  readonly start: Tensor;
  /** Score of a label (column) after another (row) [heads, K, K] */
  readonly transitions: Tensor;
  /** Score of a label at the last word [heads, K] */
  readonly end: Tensor;
}

/** Added to the score of what may not be: its exponential is exactly 0. */
const FORBIDDEN = -1e4;

/** `crf.start_transitions`, `crf.transitions` and `crf.end_transitions`, as pytorch-crf names and initialises them. */
export function crf(scope: Scope, heads: number, classes: number): Crf {
  const parameter = (name: string, ...shape: number[]): Tensor =>
    scope.parameter(`crf.${name}`, [heads, ...shape], uniform(0.1), { decay: false });
  return {
    start: parameter('start_transitions', classes),
    transitions: parameter('transitions', classes, classes),
    end: parameter('end_transitions', classes),
  };
}

/**
 * log Z [B, heads] of every chain: the logarithm of the sum, over all label sequences y of a sentence, of exp(s(y)) with
 * s(y) = start(y_1) + sum_t transitions(y_(t-1), y_t) + sum_t emissions_t(y_t) + end(y_n), by the forward algorithm
 * (Lafferty et al. 2001). Its gradient with respect to the emissions is the marginal probability of every label.
 *
 * The recursion is one scan over the words in log space (`logScan`) for all sentences and heads together. Its steps are
 * made beforehand: the first has the start scores instead of transitions, those of padding keep every state. Each word's
 * largest emission is taken out before and added after, so that the sums stay small and exact in float32.
 *
 * @param emissions [B, N, heads, K]
 * @param mask 1 at words, 0 at padding, [B, N]; every sentence has its words first
 */
export function logPartition({ start, transitions, end }: Crf, emissions: Tensor, mask: Tensor): Tensor {
  const [batch, length, heads] = [at(emissions.shape, 0), at(emissions.shape, 1), at(emissions.shape, 2)];
  const states = fixed(at(emissions.shape, 3));
  const largest = ops.stopGradient(ops.reduceMax(emissions, 3));
  const timeMajor = ops.transpose(ops.sub(emissions, largest), [1, 0, 2, 3]);
  const isFirst = ops.equal(ops.range(emissions, 1), ops.constant(Int32Array.of(0), []));
  const onlyFromFirst = pairs(states, (from) => from === 0);
  const starting = ops.add(ops.reshape(start, [1, 1, heads, 1, states]), onlyFromFirst);
  const following = ops.reshape(transitions, [1, 1, heads, states, states]);
  const steps = ops.add(
    ops.where(ops.reshape(isFirst, [length, 1, 1, 1, 1]), starting, following),
    ops.reshape(timeMajor, [length, batch, heads, 1, states]),
  );
  const present = ops.cast(ops.reshape(ops.transpose(mask, [1, 0]), [length, batch, 1, 1, 1]), 'bool');
  const stay = pairs(states, (from, to) => from === to);
  const weights = ops.reshape(ops.where(present, steps, stay), [length, multiplyDims(batch, heads), states, states]);
  const scores = ops.slice(ops.logScan(weights), 0, addDims(length, -1), 1);
  const sums = ops.logSumExp(ops.add(ops.reshape(scores, [batch, heads, states]), end), 2);
  const taken = ops.reduceSum(ops.mul(largest, ops.reshape(mask, [batch, length, 1, 1])), 1);
  return ops.reshape(ops.add(ops.reshape(sums, [batch, 1, heads, 1]), taken), [batch, heads]);
}

/** [K, K], row: the state before. */
function pairs(states: number, allowed: (from: number, to: number) => boolean): Tensor {
  const values = Float32Array.from({ length: states * states }, (_, k) =>
    allowed(Math.floor(k / states), k % states) ? 0 : FORBIDDEN,
  );
  return ops.constant(values, [states, states]);
}

/**
 * -log p of the known labels, [B, heads]: log Z over all sequences less log Z over those that have the given label
 * wherever one is known. A word with the label -1 may have any (Tsuboi et al. 2008), so a head whose labels are all -1
 * has the loss 0 and no gradient.
 *
 * Both partition functions go through one scan, as chains side by side.
 *
 * @param emissions [B, N, heads, K]
 * @param labels int32 [B, N, heads]
 * @param mask 1 at words, 0 at padding, [B, N]
 */
export function crfLoss(field: Crf, emissions: Tensor, labels: Tensor, mask: Tensor): Tensor {
  const [batch, length, heads] = [at(emissions.shape, 0), at(emissions.shape, 1), at(emissions.shape, 2)];
  const classes = fixed(at(emissions.shape, 3));
  const numbers = ops.constant(
    Int32Array.from({ length: classes }, (_, k) => k),
    [classes],
  );
  const column = ops.reshape(labels, [batch, length, heads, 1]);
  const known = ops.less(ops.constant(Int32Array.of(-1), []), column);
  const excluded = ops.where(ops.equal(column, numbers), 0, ops.where(known, FORBIDDEN, 0));
  const both = ops.concat([emissions, ops.add(emissions, excluded)], 0);
  const partitions = logPartition(field, both, ops.concat([mask, mask], 0));
  const [all, matching] = ops.split(partitions, 0, [batch, batch]) as [Tensor, Tensor];
  const informed = ops.mul(ops.cast(known, 'float32'), ops.reshape(mask, [batch, length, 1, 1]));
  const takesPart = ops.reshape(ops.reduceMax(informed, 1), [batch, heads]);
  return ops.mul(ops.sub(all, matching), takesPart);
}

/**
 * The expectation of -log p, [B, heads], over label sequences whose words are drawn each by itself: log Z less the expected
 * score. What a field learns of models that give every word's labels a probability, softmax or marginal.
 *
 * @param emissions [B, N, heads, K]
 * @param teacher probabilities of the labels [B, N, heads, K]
 * @param mask 1 at words, 0 at padding, [B, N]; every sentence has its words first
 */
export function crfExpectedLoss(field: Crf, emissions: Tensor, teacher: Tensor, mask: Tensor): Tensor {
  const [batch, length, heads] = [at(emissions.shape, 0), at(emissions.shape, 1), at(emissions.shape, 2)];
  const states = fixed(at(emissions.shape, 3));
  const { start, transitions, end } = field;
  const present = ops.mul(teacher, ops.reshape(mask, [batch, length, 1, 1]));
  const nextOf = (x: Tensor): Tensor => ops.slice(ops.pad(x, 1, 0, 1), 1, 1, length);
  const isFirst = ops.reshape(ops.equal(ops.range(emissions, 1), ops.constant(Int32Array.of(0), [])), [length, 1, 1]);
  const isLast = ops.reshape(ops.sub(mask, nextOf(mask)), [batch, length, 1, 1]);
  const ends = ops.add(ops.where(isFirst, start, 0), ops.mul(isLast, end));
  const alone = ops.mul(present, ops.add(emissions, ends));
  const pair = ops.mul(
    ops.reshape(present, [batch, length, heads, states, 1]),
    ops.reshape(nextOf(present), [batch, length, heads, 1, states]),
  );
  const ofLabels = ops.reshape(ops.reduceSum(alone, 1, 3), [batch, heads]);
  const ofTransitions = ops.reshape(ops.reduceSum(ops.mul(pair, transitions), 1, 3, 4), [batch, heads]);
  return ops.sub(logPartition(field, emissions, mask), ops.add(ofLabels, ofTransitions));
}
