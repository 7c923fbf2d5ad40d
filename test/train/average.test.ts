import { describe, expect, test } from 'vitest';
import { type AveragingConfig, WeightAverage } from '../../src/train/average.js';
import { ParameterStore } from '../../src/train/parameters.js';

function make(config: AveragingConfig) {
  const store = new ParameterStore([{ name: 'w', shape: [21], group: 'head', decay: true }], { average: true });
  const average = new WeightAverage(store, config);
  const set = (value: number): void => void store.value('w').fill(value);
  const found = (): number => store.view(average.region, 'w').at(-1) ?? NaN;
  return { average, set, found };
}

describe('WeightAverage', () => {
  test('is the mean over the last epochs, and the values before those begin', () => {
    const { average, set, found } = make({ kind: 'epochs', epochs: 3 });
    [10, 20, 1, 2, 6].forEach((value, index) => {
      set(value);
      average.afterStep(index + 1);
      average.afterEpoch(index + 1, 5);
      expect(found()).toBeCloseTo([10, 20, 1, 1.5, 3][index] ?? NaN, 6);
    });
    expect(average.count).toBe(3);
  });

  test('moving: a plain mean first, then exponential', () => {
    const { average, set, found } = make({ kind: 'moving', decay: 0.5 ** 0.5, every: 2 });
    [9, 4, 9, 8, 9, 10].forEach((value, index) => {
      set(value);
      average.afterStep(index + 1);
    });
    expect(found()).toBeCloseTo(8, 5); // (4 + 8) / 2, then half of it and half of 10
    expect(average.count).toBe(3);
  });

  test('none: the values', () => {
    const { average, set, found } = make({ kind: 'none' });
    set(5);
    average.afterStep(1);
    average.afterEpoch(1, 1);
    expect(average.region).toBe('values');
    expect(found()).toBe(5);
  });
});
