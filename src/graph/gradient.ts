import { operand } from './operand.js';
import * as ops from './ops.js';
import { gradientRules } from './gradient-rules.js';
import type { Primitive } from './primitives.js';
import type { Op, OpOf, Tensor } from './tensor.js';

/** All operations that the given tensors depend on, every operation after those it uses. */
export function topologicalOrder(tensors: readonly Tensor[]): Op[] {
  const order: Op[] = [];
  const state = new Map<Op, 'open' | 'done'>();
  const stack: Op[] = tensors.map((tensor) => tensor.op).reverse();
  while (stack.length > 0) {
    const op = operand(stack, stack.length - 1);
    const seen = state.get(op);
    if (seen === undefined) {
      state.set(op, 'open');
      for (const { op: source } of op.inputs) if (!state.has(source)) stack.push(source);
    } else {
      stack.pop();
      if (seen === 'open') {
        state.set(op, 'done');
        order.push(op);
      }
    }
  }
  return order;
}

function applyRule<K extends Primitive>(op: OpOf<K>, dy: Tensor): readonly (Tensor | undefined)[] {
  return gradientRules[op.kind](op, dy);
}

/**
 * Reverse-mode differentiation: the gradient of the scalar `y` with respect to each of `xs`, as ordinary nodes of
 * the same graph. `xs` may be any tensors, not only parameters; one that `y` does not depend on gets zeros.
 */
export function gradient(y: Tensor, xs: readonly Tensor[]): Tensor[] {
  if (y.shape.length !== 0) throw new RangeError('expected a scalar to differentiate');
  const order = topologicalOrder([y]);
  const targets = new Set(xs);
  const needed = new Set<Op>();
  for (const op of order) {
    if (op.outputs.some((tensor) => targets.has(tensor)) || op.inputs.some((x) => needed.has(x.op))) needed.add(op);
  }
  const gradients = new Map<Tensor, Tensor>([[y, ops.scalar(1)]]);
  for (const op of order.reverse()) {
    const dy = gradients.get(operand(op.outputs, 0));
    if (dy === undefined || !op.inputs.some((x) => needed.has(x.op))) continue;
    for (const [k, dx] of applyRule(op as OpOf<Primitive>, dy).entries()) {
      const x = operand(op.inputs, k);
      if (dx === undefined || !needed.has(x.op)) continue;
      if (x.index !== 0) throw new RangeError(`expected gradients of ${x.op.kind}'s first output only`);
      const sum = gradients.get(x);
      gradients.set(x, sum === undefined ? dx : ops.add(sum, dx));
    }
  }
  return xs.map((x) => gradients.get(x) ?? ops.expand(ops.scalar(0), x.shape));
}
