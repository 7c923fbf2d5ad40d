import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InputError } from '../../src/errors.js';
import { AdamW, type AdamWConfig, DEFAULT_ADAMW } from '../../src/train/adamw.js';
import { type ParameterSpec, ParameterStore } from '../../src/train/parameters.js';
import { normal } from '../../src/train/random.js';

const RATES = { encoder: 1e-2, head: 3e-2 };

/** One AdamW step in float64, as in Loshchilov and Hutter's algorithm 2. */
function referenceStep(
  state: { value: number[]; m: number[]; v: number[] },
  gradient: readonly number[],
  t: number,
  rate: number,
  decay: number,
  config: AdamWConfig,
): void {
  const { beta1, beta2, epsilon } = config;
  gradient.forEach((g, k) => {
    const m = beta1 * (state.m[k] ?? 0) + (1 - beta1) * g;
    const v = beta2 * (state.v[k] ?? 0) + (1 - beta2) * g * g;
    state.m[k] = m;
    state.v[k] = v;
    const direction = m / (1 - beta1 ** t) / (Math.sqrt(v / (1 - beta2 ** t)) + epsilon);
    state.value[k] = (state.value[k] ?? 0) * (1 - rate * decay) - rate * direction;
  });
}

const specs = (sizes: readonly number[]): ParameterSpec[] =>
  sizes.map((size, k) => ({
    name: `p${k}`,
    shape: [size],
    group: k % 2 === 0 ? 'encoder' : 'head',
    decay: k % 3 !== 0,
    rateScale: k === 1 ? 0.5 : 1,
  }));

describe('AdamW', () => {
  test('agrees with a float64 reference for every shape, group, decay and scale of gradients', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 70 }), { minLength: 1, maxLength: 5 });
    const cases = fc.record({
      sizes,
      seed: fc.nat(),
      exponent: fc.integer({ min: -6, max: 4 }),
      scale: fc.constantFrom(1, 0.25),
    });
    fc.assert(
      fc.property(cases, ({ sizes, seed, exponent, scale }) => {
        const config = { ...DEFAULT_ADAMW, maxGradientNorm: 2 };
        const store = new ParameterStore(specs(sizes));
        const optimiser = new AdamW(store, config);
        const states = store.specs.map(({ name, shape: [size = 0] }, k) => {
          store.value(name).set(normal(seed, k, size));
          return { value: [...store.value(name)], m: [], v: [] };
        });
        for (let t = 1; t <= 4; t++) {
          const gradients = store.specs.map(({ name, shape: [size = 0] }, k) => {
            store.gradient(name).set(normal(seed, 100 * t + k, size).map((x) => x * 10 ** exponent));
            return [...store.gradient(name)].map((g) => g * scale);
          });
          const norm = Math.hypot(...gradients.flat());
          const clip = Math.min(1, config.maxGradientNorm / norm);
          const report = optimiser.step(RATES, scale);
          expect(report.gradientNorm / norm).toBeCloseTo(1, 12);
          expect(report.clipped).toBe(norm > config.maxGradientNorm);
          store.specs.forEach(({ name, group, decay, rateScale = 1 }, k) => {
            const state = states[k] ?? { value: [], m: [], v: [] };
            const clippedGradient = (gradients[k] ?? []).map((g) => g * clip);
            referenceStep(state, clippedGradient, t, RATES[group] * rateScale, decay ? config.weightDecay : 0, config);
            store.value(name).forEach((found, i) => {
              const expected = state.value[i] ?? NaN;
              expect(Math.abs(found - expected)).toBeLessThan(1e-6 * (1 + Math.abs(expected)));
            });
          });
        }
      }),
      { numRuns: 40 },
    );
  });

  test('leaves the padding between parameters at zero', () => {
    const store = new ParameterStore(specs([3, 5]));
    for (const name of ['p0', 'p1']) store.gradient(name).fill(1);
    new AdamW(store).step(RATES);
    const used = [...store.value('p0'), ...store.value('p1')].filter((x) => x !== 0).length;
    expect(store.region('values').filter((x) => x !== 0)).toHaveLength(used);
    expect(used).toBe(8);
  });

  test('gradients accumulated over micro-batches give the step of their weighted sum', () => {
    const make = () => new ParameterStore([...specs([40, 9]), table], { accumulate: true });
    const table: ParameterSpec = { name: 'table', shape: [6, 8], group: 'encoder', decay: true, sparseRows: true };
    const [together, apart] = [make(), make()];
    for (const store of [together, apart]) store.region('values').fill(0.5);
    const [whole, parts] = [new AdamW(together), new AdamW(apart)];
    const ids = Int32Array.of(2, 5);
    for (let round = 0; round < 3; round++) {
      const micro = [0, 1].map((k) => ({
        p0: normal(round, 3 * k, 40),
        p1: normal(round, 3 * k + 1, 9),
        rows: normal(round, 3 * k + 2, 16),
      }));
      const [a, b] = micro;
      if (a === undefined || b === undefined) throw new Error('two micro-batches');
      together.gradient('p0').set(a.p0.map((x, k) => 0.75 * x + 0.25 * (b.p0[k] ?? 0)));
      together.gradient('p1').set(a.p1.map((x, k) => 0.75 * x + 0.25 * (b.p1[k] ?? 0)));
      together.addGradientRows(
        'table',
        ids,
        a.rows.map((x, k) => 0.75 * x + 0.25 * (b.rows[k] ?? 0)),
      );
      micro.forEach((batch, k) => {
        apart.gradient('p0').set(batch.p0);
        apart.gradient('p1').set(batch.p1);
        apart.addGradientRows('table', ids, batch.rows, k === 0 ? 0.75 : 0.25);
        parts.accumulate(k === 0 ? 0.75 : 0.25);
      });
      expect(parts.step(RATES).gradientNorm).toBeCloseTo(whole.step(RATES).gradientNorm, 5);
    }
    for (const name of ['p0', 'p1', 'table']) {
      apart.value(name).forEach((x, k) => expect(x).toBeCloseTo(together.value(name)[k] ?? NaN, 5));
    }
  });

  test('sums rows that occur several times and touches no other row', () => {
    const store = new ParameterStore([
      { name: 'table', shape: [5, 8], group: 'encoder', decay: true, sparseRows: true },
    ]);
    store.value('table').fill(1);
    store.addGradientRows('table', BigInt64Array.of(3n, 1n, 3n), new Float32Array(24).fill(2));
    expect(store.touchedRows('table')).toEqual([1, 3]);
    expect([...store.gradient('table').subarray(24, 32)]).toEqual(new Array<number>(8).fill(4));
    const { gradientNorm } = new AdamW(store).step(RATES);
    expect(gradientNorm).toBeCloseTo(Math.sqrt(8 * 2 ** 2 + 8 * 4 ** 2), 10);
    const changed = [0, 1, 2, 3, 4].filter((row) => store.value('table')[8 * row] !== 1);
    expect(changed).toEqual([1, 3]);
    expect(store.touchedRows('table')).toEqual([]);
    expect(store.gradient('table').every((x) => x === 0)).toBe(true);
  });

  test('refuses a gradient that is not finite, naming the parameter, and updates nothing', () => {
    const store = new ParameterStore(specs([20, 20]));
    store.region('values').fill(1);
    store.gradient('p1')[7] = NaN;
    const strict = new AdamW(store);
    expect(() => strict.step(RATES)).toThrow(InputError);
    expect(() => strict.step(RATES)).toThrow(/finite gradient at step 1, found NaN or infinity in 'p1'/);
    const lenient = new AdamW(store, { nonFinite: 'skip' });
    expect(lenient.step(RATES)).toMatchObject({ skipped: true });
    expect(lenient.stepCount).toBe(0);
    expect(store.region('values').every((x) => x === 1)).toBe(true);
    expect(store.region('secondMoments').every((x) => x === 0)).toBe(true);
    store.gradient('p1')[7] = 0.5;
    expect(lenient.step(RATES)).toMatchObject({ skipped: false });
    expect(lenient.stepCount).toBe(1);
  });

  test('a gradient far above the square root of the largest float32 is clipped, not lost', () => {
    const store = new ParameterStore(specs([4]));
    store.gradient('p0').fill(1e30);
    const report = new AdamW(store).step(RATES);
    expect(report.gradientNorm / 2e30).toBeCloseTo(1, 6);
    expect(store.value('p0').every((x) => Number.isFinite(x) && x < 0)).toBe(true);
  });

  test('moments that fade away become zero instead of denormal', () => {
    const store = new ParameterStore(specs([16]));
    const optimiser = new AdamW(store);
    store.gradient('p0').fill(1e-6);
    optimiser.step(RATES);
    store.gradient('p0').fill(0);
    for (let step = 0; step < 800; step++) optimiser.step(RATES);
    expect(store.view('firstMoments', 'p0').every((x) => x === 0)).toBe(true);
  });
});
