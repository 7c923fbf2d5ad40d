/**
 * `npm run bench [-- --peers] [--profile] [--quick]`: speed on this machine, as ratios to what the machine can do and, with
 * `--peers`, to PyTorch and transformers.js in the same run. Absolute times drift; the ratios are what to quote.
 */
import { cpus } from 'node:os';
import { measure, measurePair, row, type Timing } from './measure.js';
import { pytorch, transformersJs } from './peers.js';
import { profileStep, type OperatorCost } from './profile.js';
import { batchShapes, forwardOperations, paperModel, type BatchShape, type EncoderName } from './shapes.js';
import { gemmSession, inferenceCall, trainingStep, type Step } from './steps.js';
import {
  abstracts,
  coldStart,
  commandRate,
  corporaPresent,
  develSentences,
  documentsPerSecond,
  loadTagger,
  textsPerSecond,
} from './tagging.js';

const withPeers = process.argv.includes('--peers');
const withProfile = process.argv.includes('--profile');
const quick = process.argv.includes('--quick');
const threads = Math.min(2, cpus().length);
const ms = (x: number): string => `${x.toFixed(1)} ms`;

console.log(`${cpus()[0]?.model ?? 'unknown processor'}, ${threads} threads, Node ${process.version}`);

const gemm = await gemmSession(1024, threads);
const { minimum } = await measure(() => gemm.run(), 100);
await gemm.release();
const peak = (2 * 1024 ** 3) / (minimum / 1000);
row('GEMM peak (1024 x 1024, float32)', `${(peak / 1e9).toFixed(0)} GFLOP/s`);

for (const encoder of (quick ? ['minilm'] : ['minilm', 'base']) as EncoderName[]) {
  for (const shape of quick ? batchShapes.slice(0, 1) : batchShapes) {
    console.log(`\n${encoder}, B=${shape.sentences} L=${shape.pieces} N=${shape.words}`);
    await againstPyTorch(encoder, shape);
    await costOfGuidance(encoder, shape);
    if (withProfile) await printProfile(encoder, shape);
  }
}

/** A step and a call of the whole model, each alone and again and again, as PyTorch is timed right before and after. */
async function againstPyTorch(encoder: EncoderName, shape: BatchShape): Promise<void> {
  const config = paperModel(encoder, true);
  const operations = forwardOperations(config, shape);
  const ofPeak = (operations: number, { median }: Timing): string =>
    `${((100 * operations) / peak / (median / 1000)).toFixed(0)} % of peak`;

  const before = withPeers ? pytorch(encoder, shape) : undefined;
  const training = await timed(await trainingStep(config, shape, threads), 9);
  row('training step, prefix and PAMDFGA', ms(training.median), ofPeak(3 * operations, training));
  const float32 = await timed(await inferenceCall(config, shape, threads, false), 21);
  row('inference, float32', ms(float32.median), ofPeak(operations, float32));
  const int8 = await timed(await inferenceCall(config, shape, threads, true), 21);
  row('inference, int8', ms(int8.median), `${(float32.median / int8.median).toFixed(2)} x float32`);
  const after = withPeers ? pytorch(encoder, shape) : undefined;
  if (before === undefined || after === undefined) return;

  // Before and after, so that a machine that speeds up or slows down meanwhile favours neither.
  const torch = { train: (before.train + after.train) / 2, infer: (before.infer + after.infer) / 2 };
  row('PyTorch training step', ms(torch.train), `${(torch.train / training.median).toFixed(2)} x`);
  row(
    'PyTorch inference',
    ms(torch.infer),
    `${(torch.infer / float32.median).toFixed(2)} x`,
    `int8 ${(torch.infer / int8.median).toFixed(2)} x`,
  );
}

async function timed(step: Step, runs: number): Promise<Timing> {
  const timing = await measure(() => step.run(), runs);
  await step.release();
  return timing;
}

/** PAMDFGA costs little beside what the host's speed varies by, so it takes many pairs of steps to tell. */
async function costOfGuidance(encoder: EncoderName, shape: BatchShape): Promise<void> {
  const guided = await trainingStep(paperModel(encoder, true), shape, threads);
  const plain = await trainingStep(paperModel(encoder, false), shape, threads);
  const { a, b, ratio, interval } = await measurePair(
    () => guided.run(),
    () => plain.run(),
    encoder === 'minilm' ? 31 : 15,
  );
  await guided.release();
  await plain.release();
  const [added, low, high] = [ratio, ...interval].map((x) => (100 * (x - 1)).toFixed(1));
  row(
    'steps in turn, with and without PAMDFGA',
    `${ms(a.median)}, ${ms(b.median)}`,
    `it adds ${added ?? ''} % (${low ?? ''} to ${high ?? ''})`,
    `fastest of each ${(100 * (a.minimum / b.minimum - 1)).toFixed(1)} %`,
  );
}

/** A step operator by operator. */
async function printProfile(encoder: EncoderName, shape: BatchShape): Promise<void> {
  const costs = await profileStep(paperModel(encoder, true), shape, threads);
  const sum = (pick: (cost: OperatorCost) => number): number => costs.reduce((x, cost) => x + pick(cost), 0);
  const total = sum(({ milliseconds }) => milliseconds);
  const part = ({ milliseconds, operations, bytes }: Omit<OperatorCost, 'operator' | 'nodes'>): string[] => [
    ms(milliseconds),
    `${((100 * milliseconds) / total).toFixed(1)} %`,
    `${(operations / 1e9).toFixed(1)} GFLOP`,
    `${(bytes / 1e6).toFixed(0)} MB`,
    operations > 0 ? `${((100 * operations) / peak / (milliseconds / 1000)).toFixed(0)} % of peak` : '',
  ];
  row('operators of the training step', 'time', 'share', 'operations', 'read + written');
  for (const cost of costs.slice(0, 16)) row(`  ${cost.operator} (${cost.nodes} nodes)`, ...part(cost));
  const all = { milliseconds: total, operations: sum((x) => x.operations), bytes: sum((x) => x.bytes) };
  row('  all', ...part(all));
}

console.log('\nbundled model, from strings to entities');
if (corporaPresent) {
  const tagger = await loadTagger(undefined, { threads });
  const texts = await develSentences(400);
  await textsPerSecond(tagger, texts.slice(0, 32), 1);
  const single = await textsPerSecond(tagger, texts, 1);
  const batched = await textsPerSecond(tagger, texts, 16);
  const whole = await textsPerSecond(tagger, texts, texts.length);
  row('400 NCBI devel sentences, one at a time', `${single.toFixed(0)} /s`);
  row('400 NCBI devel sentences, batches of 16', `${batched.toFixed(0)} /s`);
  row('400 NCBI devel sentences, in one call', `${whole.toFixed(0)} /s`);
  row('NCBI devel abstracts (raw)', `${(await documentsPerSecond(tagger, await abstracts())).toFixed(1)} /s`);
  await tagger.dispose();
  const times = quick ? 1 : 5;
  const command = commandRate(texts, times);
  row(`ebiobert tag, a file of the 400 sentences ${times} x`, `${command.toFixed(0)} /s`);
  const peer = withPeers ? transformersJs() : undefined;
  if (peer !== undefined) {
    row('transformers.js, one at a time', `${peer.single.toFixed(0)} /s`, `${(single / peer.single).toFixed(2)} x`);
    row('transformers.js, batches of 16', `${peer.batched.toFixed(0)} /s`, `${(batched / peer.batched).toFixed(2)} x`);
    const best = Math.max(peer.single, peer.batched);
    row('best of each', `${(Math.max(single, batched, whole, command) / best).toFixed(2)} x`);
  }
} else {
  console.log('skipped: the corpora in ../shared are not here');
}
coldStart();
const starts = [coldStart(), coldStart(), coldStart()].sort((x, y) => x - y);
row('cold start: process, model, one sentence', ms(starts[1] ?? 0));
row('peak memory of this run', `${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MB`);
