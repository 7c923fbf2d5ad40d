import { beforeAll, describe, expect, test } from 'vitest';
import { gradient, ops, symbol } from '../../src/graph/index.js';
import { evaluate, type NdArray } from '../../src/graph/reference.js';
import { biLstm, Scope } from '../../src/nn/index.js';
import { Executable, item, sizeMap } from '../graph/support/check.js';
import { array, expectAgree, masked, noise, rowsOf } from '../model/support/arrays.js';
import { Golden } from '../model/support/golden.js';

const x = ops.input('x', 'float32', [symbol('sentences'), symbol('words'), 5]);
const lengths = ops.input('lengths', 'int32', [symbol('sentences')]);
const weighting = ops.input('weighting', 'float32', [symbol('sentences'), symbol('words'), 8]);

describe('biLstm', () => {
  const scope = new Scope(false);
  const states = biLstm(scope, 'lstm', x, lengths, 4);
  const loss = ops.total(ops.mul(states, weighting));
  const targets = [x, ...scope.parameters.map(({ tensor }) => tensor)];
  const outputs = [states, loss, ...gradient(loss, targets)];
  const names = ['x', ...scope.parameters.map(({ name }) => name)];
  let golden: Golden;
  let bindings: Map<string, Float64Array>;

  beforeAll(async () => {
    golden = await Golden.read('lstm');
    const values = (group: 'inputs' | 'parameters'): [string, Float64Array][] =>
      [...golden.group(group)].map(([name, { data }]) => [name, data]);
    bindings = new Map([...values('inputs'), ...values('parameters')]);
  });

  const sizes = { sentences: 4, words: 7 };

  function expectGolden(found: readonly NdArray[], tolerance: number): void {
    expectAgree(item(found, 0), golden.get('outputs.lstm'), tolerance, 'states');
    expectAgree(item(found, 1), golden.get('outputs.loss_total'), tolerance, 'loss');
    expect(names.toSorted()).toEqual([...golden.group('gradients').keys()].sort());
    for (const [k, name] of names.entries()) {
      expectAgree(item(found, k + 2), golden.get(`gradients.${name}`), tolerance, `gradient of ${name}`);
    }
  }

  test('states and gradients are those of PyTorch over padded sentences', async () => {
    const executable = await Executable.of(outputs);
    expectGolden(await executable.run(bindings, sizes), 1e-5);
    await executable.release();
    expectGolden(evaluate(outputs, bindings, sizeMap(sizes)), 1e-6);
  });

  test('what lies at padding has no influence and gets no gradient', () => {
    const counts = golden.get('inputs.lengths').data;
    const isWord = (b = 0, n = 0): boolean => n < (counts[b] ?? 0);
    const other = array([4, 7, 5], noise(140, 1));
    const kept = masked(golden.get('inputs.x'), isWord);
    const mixed = kept.data.map((value, k) =>
      isWord(Math.floor(k / 35), Math.floor(k / 5) % 7) ? value : (other.data[k] ?? 0),
    );
    const [expected, found] = [bindings, new Map([...bindings, ['x', mixed]])].map((values) =>
      evaluate(outputs, values, sizeMap(sizes)),
    );
    expect(found).toEqual(expected);
    const dx = item(found ?? [], 2);
    expect(masked(dx, isWord)).toEqual(dx);
  });

  test('a sentence alone gives what it gives in a batch', () => {
    const [states] = evaluate(outputs, bindings, sizeMap(sizes));
    const counts = golden.get('inputs.lengths').data;
    for (const [b, count] of counts.entries()) {
      const row = rowsOf(golden.get('inputs.x'), b, b + 1).data.slice(0, count * 5);
      const alone = new Map([...bindings, ['x', row], ['lengths', Float64Array.of(count)]]);
      const [found] = evaluate(outputs.slice(0, 1), alone, sizeMap({ sentences: 1, words: count }));
      expect(found?.data).toEqual(rowsOf(item([states], 0) ?? array([0], []), b, b + 1).data.slice(0, count * 8));
    }
  });
});
