import { expect, test } from 'vitest';
import { rateFactor } from '../../src/train/schedule.js';
import golden from '../golden/data/adamw.json' with { type: 'json' };

test.each(golden.schedule)('is the linear schedule of transformers over $totalSteps steps', (run) => {
  const { totalSteps, warmupSteps, factors } = run;
  const schedule = { totalSteps, warmupFraction: warmupSteps / totalSteps };
  factors.forEach((factor, step) => expect(rateFactor(step, schedule)).toBeCloseTo(factor, 12));
  expect(rateFactor(totalSteps, schedule)).toBe(0);
  expect(rateFactor(totalSteps + 10, schedule)).toBe(0);
});

test('a tenth of an odd number of steps is rounded down, as the integer division of training scripts does', () => {
  expect(rateFactor(1, { totalSteps: 29, warmupFraction: 0.1 })).toBe(0.5);
  expect(rateFactor(2, { totalSteps: 29, warmupFraction: 0.1 })).toBe(1);
});
