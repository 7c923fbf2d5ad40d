import { describe, expect, test } from 'vitest';
import { AdamW } from '../../src/train/adamw.js';
import { type ParameterSpec, ParameterStore } from '../../src/train/parameters.js';
import { rateFactor } from '../../src/train/schedule.js';
import golden from '../golden/data/adamw.json' with { type: 'json' };

/** Equal to within 2e-6 of the largest: a few roundings of float32. */
function expectClose(found: Float32Array, expected: readonly number[]): void {
  expect(found).toHaveLength(expected.length);
  const scale = expected.reduce((most, x) => Math.max(most, Math.abs(x)), 1e-30);
  const worst = expected.reduce((most, x, k) => Math.max(most, Math.abs(x - (found[k] ?? NaN))), 0);
  expect(worst / scale).toBeLessThan(2e-6);
}

describe('AdamW against PyTorch', () => {
  test('groups, decay, clipping and the schedule agree at every step', () => {
    const { shapes, initial, steps, moments } = golden.dense;
    const specs: ParameterSpec[] = [
      { name: 'matrix', shape: shapes.matrix, group: 'encoder', decay: true },
      { name: 'bias', shape: shapes.bias, group: 'encoder', decay: false },
      { name: 'head', shape: shapes.head, group: 'head', decay: true },
    ];
    const names = ['matrix', 'bias', 'head'] as const;
    const store = new ParameterStore(specs);
    for (const name of names) store.value(name).set(initial[name]);
    const { weightDecay, maxGradientNorm } = golden;
    const optimiser = new AdamW(store, { weightDecay, maxGradientNorm });
    const schedule = { totalSteps: steps.length, warmupFraction: golden.warmupSteps / steps.length };

    const clipped = steps.map(({ gradients, norm, values }, step) => {
      for (const name of names) store.gradient(name).set(gradients[name]);
      const factor = rateFactor(step, schedule);
      const report = optimiser.step({ encoder: golden.rates.encoder * factor, head: golden.rates.head * factor });
      expect(report.gradientNorm).toBeCloseTo(norm, 5);
      for (const name of names) expectClose(store.value(name), values[name]);
      return report.clipped;
    });
    for (const name of names) {
      expectClose(store.view('firstMoments', name), moments[name].exp_avg);
      expectClose(store.view('secondMoments', name), moments[name].exp_avg_sq);
    }
    expect(new Set(clipped)).toEqual(new Set([true, false]));
  });

  test.each(['lazy', 'untouched'] as const)('rows of a table, %s', (kind) => {
    const { shape, initial, steps } = golden[kind];
    const store = new ParameterStore([{ name: 'table', shape, group: 'encoder', decay: true, sparseRows: true }]);
    store.value('table').set(initial);
    const optimiser = new AdamW(store, {
      weightDecay: golden.weightDecay,
      maxGradientNorm: null,
      untouchedRows: kind === 'lazy' ? 'skip' : 'update',
    });
    for (const { rows, gradients, values } of steps) {
      store.addGradientRows('table', Int32Array.from(rows), Float32Array.from(gradients));
      optimiser.step({ encoder: golden.rates.encoder, head: 0 });
      expectClose(store.value('table'), values);
    }
  });
});
