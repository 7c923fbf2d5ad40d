/**
 * `npm run bench [-- --peers] [--profile] [--quick]`: speed on this machine, as ratios to what the machine can do and, with
 * `--peers`, to PyTorch and transformers.js in the same run. Absolute times drift; the ratios are what to quote.
 */
import { cpus } from 'node:os';
import { measure, measurePair, row, type Timing } from './measure.js';
import { pytorch, transformersJs } from './peers.js';
import { profileStep, type OperatorCost } from './profile.js';
import { batchShapes, forwardOperations, paperModel, type EncoderName } from './shapes.js';
import { gemmSession, inferenceCall, trainingStep } from './steps.js';
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
const { minimum } = await measure(() => gemm.run(), 15);
await gemm.release();
const peak = (2 * 1024 ** 3) / (minimum / 1000);
row('GEMM peak (1024 x 1024, float32)', `${(peak / 1e9).toFixed(0)} GFLOP/s`);

for (const encoder of (quick ? ['minilm'] : ['minilm', 'base']) as EncoderName[]) {
  for (const shape of quick ? batchShapes.slice(0, 1) : batchShapes) {
    const config = paperModel(encoder, true);
    const operations = forwardOperations(config, shape);
    console.log(`\n${encoder}, B=${shape.sentences} L=${shape.pieces} N=${shape.words}`);

    const before = withPeers ? pytorch(encoder, shape) : undefined;
    // Alone and step after step, as PyTorch is timed; the pairs below have a second model in memory.
    const step = await trainingStep(config, shape, threads);
    const training = await measure(() => step.run());
    row(
      'training step, prefix and PAMDFGA',
      ms(training.median),
      `${((100 * 3 * operations) / peak / (training.median / 1000)).toFixed(0)} % of peak`,
    );
    const plain = await trainingStep(paperModel(encoder, false), shape, threads);
    // The guidance costs little beside what the host's speed varies by, so it takes many pairs to tell.
    const { a, b, ratio, interval } = await measurePair(
      () => step.run(),
      () => plain.run(),
      encoder === 'minilm' ? 31 : 15,
    );
    await step.release();
    await plain.release();
    const added = [ratio, ...interval].map((x) => (100 * (x - 1)).toFixed(1));
    row(
      '  in turn with one without PAMDFGA',
      `${ms(a.median)}, ${ms(b.median)}`,
      `PAMDFGA ${added[0] ?? ''} % (${added.slice(1).join(' to ')})`,
      `fastest of each ${(100 * (a.minimum / b.minimum - 1)).toFixed(1)} %`,
    );

    const [float32, int8] = [await inferenceTime(false), await inferenceTime(true)];
    async function inferenceTime(quantize: boolean): Promise<Timing> {
      const call = await inferenceCall(config, shape, threads, quantize);
      const timing = await measure(() => call.run());
      await call.release();
      return timing;
    }
    row(
      'inference, float32',
      ms(float32.median),
      `${((100 * operations) / peak / (float32.median / 1000)).toFixed(0)} % of peak`,
    );
    row('inference, int8', ms(int8.median), `${(float32.median / int8.median).toFixed(2)} x float32`);

    if (withProfile) {
      const costs = await profileStep(config, shape, threads);
      const total = costs.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
      const part = ({ milliseconds, operations, bytes }: Omit<OperatorCost, 'operator' | 'nodes'>): string[] => [
        ms(milliseconds),
        `${((100 * milliseconds) / total).toFixed(1)} %`,
        `${(operations / 1e9).toFixed(1)} GFLOP`,
        `${(bytes / 1e6).toFixed(0)} MB`,
        operations > 0 ? `${((100 * operations) / peak / (milliseconds / 1000)).toFixed(0)} % of peak` : '',
      ];
      row('operators of the training step', 'time', 'share', 'operations', 'read + written');
      for (const cost of costs.slice(0, 16)) row(`  ${cost.operator} (${cost.nodes} nodes)`, ...part(cost));
      row(
        '  all',
        ...part({
          milliseconds: total,
          operations: costs.reduce((sum, { operations }) => sum + operations, 0),
          bytes: costs.reduce((sum, { bytes }) => sum + bytes, 0),
        }),
      );
    }

    const after = withPeers ? pytorch(encoder, shape) : undefined;
    if (before !== undefined && after !== undefined) {
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
  }
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
