import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ProgressBar } from '../../src/cli/progress.js';
import { trainingProgress } from '../../src/cli/training-progress.js';

let lines: string[];

/** A line each time, as where there is no terminal, and a clock that stands still. */
beforeEach(() => {
  lines = [];
  vi.useFakeTimers({ toFake: ['performance'] });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    lines.push(String(text).trim());
    return true;
  });
  Object.defineProperty(process.stderr, 'isTTY', { value: false, configurable: true });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const losses = { total: 0.5, ner: 0.25, guidance: 0 };
const MINUTE = 60_000;

/** Trains batches of 30 sentences, each in a minute, from one batch of an epoch on. */
function batches(progress: ReturnType<typeof trainingProgress>, epoch: number, from: number, to: number): void {
  for (let batch = from + 1; batch <= to; batch++) {
    vi.advanceTimersByTime(MINUTE);
    progress.onStep({ epoch, batch, batches: 10, sentences: 30, losses });
  }
}

function endEpoch(progress: ReturnType<typeof trainingProgress>, epoch: number): void {
  progress.onEpoch({ epoch, loss: 0.5, guidance: 0, sentences: 300, seconds: 600, devel: {}, score: null });
}

describe('the progress of training', () => {
  test('covers all epochs: share, loss, sentences a second and time left', () => {
    const progress = trainingProgress(new ProgressBar());
    progress.onStart({ training: { epochs: 4 } });
    batches(progress, 0, 0, 10);
    expect(lines).toHaveLength(10);
    expect(lines[0]).toBe('3 %  epoch 1 of 4  loss 0.5000  0.5 sentences/s  39:00 left');
    expect(lines.at(-1)).toBe('25 %  epoch 1 of 4  loss 0.5000  0.5 sentences/s  30:00 left');
    vi.advanceTimersByTime(10 * MINUTE);
    endEpoch(progress, 1);
    expect(lines.at(-1)).toMatch(/^epoch 1  loss 0\.50000/);
    batches(progress, 1, 0, 10);
    // Ten minutes of updates, ten of scoring and ten of updates for one half.
    expect(lines.at(-1)).toBe('50 %  epoch 2 of 4  loss 0.5000  0.5 sentences/s  30:00 left');
  });

  test('of a resumed run judges the time left by what was done since', () => {
    const progress = trainingProgress(new ProgressBar());
    progress.onStart({ training: { epochs: 4 }, resumedAt: { epoch: 2, batch: 5, batches: 10 } });
    expect(lines).toEqual(['resumed after epoch 2, batch 5']);
    batches(progress, 2, 5, 6);
    expect(lines.at(-1)).toBe('65 %  epoch 3 of 4  loss 0.5000  0.5 sentences/s  14:00 left');
    batches(progress, 2, 6, 10);
    endEpoch(progress, 3);
    batches(progress, 3, 0, 10);
    expect(lines.at(-1)).toBe('100 %  epoch 4 of 4  loss 0.5000  0.5 sentences/s  0:00 left');
  });

  test('of a run after another begins its own clock, resumed or not', () => {
    const bar = new ProgressBar();
    const first = trainingProgress(bar);
    first.onStart({ training: { epochs: 1 } });
    batches(first, 0, 0, 10);
    vi.advanceTimersByTime(100 * MINUTE);
    const second = trainingProgress(bar);
    second.onStart({ training: { epochs: 2 }, resumedAt: { epoch: 1, batch: 0, batches: 10 } });
    batches(second, 1, 0, 1);
    expect(lines.at(-1)).toBe('55 %  epoch 2 of 2  loss 0.5000  0.5 sentences/s  9:00 left');
    const third = trainingProgress(bar);
    third.onStart({ training: { epochs: 1 } });
    batches(third, 0, 0, 1);
    expect(lines.at(-1)).toBe('10 %  epoch 1 of 1  loss 0.5000  0.5 sentences/s  9:00 left');
  });
});
