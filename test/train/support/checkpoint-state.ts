import type { TrainingState } from '../../../src/train/checkpoint.js';
import type { ParameterSpec } from '../../../src/train/parameters.js';

export const saveSpecs: ParameterSpec[] = [
  { name: 'encoder.weight', shape: [300, 100], group: 'encoder', decay: true },
  { name: 'head.bias', shape: [7], group: 'head', decay: false },
];

export function stateAt(step: number): TrainingState {
  return {
    config: { alpha: 0.001, layers: [2, 3], name: 'Ménière' },
    seed: 1,
    step,
    epoch: 2,
    batch: 17,
    sums: { loss: 0.1 + 0.2 },
    averageCount: 0,
    best: { score: 0.8312345678901234, epoch: 1 },
    logBytes: 345,
  };
}
