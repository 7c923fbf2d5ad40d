// Trains in the working folder with a checkpoint after every batch, going on from the last: `train-often.mjs CONFIG`.
import { readFileSync } from 'node:fs';
import { nodeRuntime } from '../../../dist/runtime/node.js';
import { runTraining } from '../../../dist/train/index.js';

await runTraining(
  {
    corpora: ['../tiny'],
    encoder: '../encoder',
    output: 'model',
    config: JSON.parse(readFileSync(process.argv[2], 'utf8')),
    resume: true,
    threads: 1,
    checkpointMinutes: 0,
  },
  nodeRuntime,
  { onStep: () => process.stderr.write('.') },
);
