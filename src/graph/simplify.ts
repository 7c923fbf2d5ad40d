import { topologicalOrder } from './gradient.js';
import { operand } from './operand.js';
import type { Primitive } from './primitives.js';
import { applyAll, type Op, type OpOf, type Tensor } from './tensor.js';
import { broadcastShapes, dimKey, sameShape, shapeKey, SymbolicDim } from './dim.js';

/** Constants up to this many elements are compared by value; larger ones are the same only when they are one object. */
const SMALL = 64;

function attributeKey(op: Op, identities: Map<object, number>): string {
  if (op.kind === 'constant' && op.attributes.data.length > SMALL) {
    const { data } = op.attributes;
    const id = identities.get(data) ?? identities.size;
    identities.set(data, id);
    return `constant ${id} ${shapeKey(op.attributes.shape)}`;
  }
  return JSON.stringify(op.attributes, (_, value: unknown) => {
    if (value instanceof SymbolicDim) return dimKey(value);
    if (value instanceof Float32Array || value instanceof Int32Array || value instanceof Uint8Array) {
      return [value.constructor.name, ...Array.from(value, String)];
    }
    return value;
  });
}

/** Operations that broadcast their operands. */
const broadcasting: ReadonlySet<Primitive> = new Set<Primitive>([
  'add',
  'sub',
  'mul',
  'div',
  'maximum',
  'equal',
  'less',
  'and',
  'where',
]);

/** An operand that was only expanded to the result's shape is used as it was: broadcasting is free, the copy is not. */
function withoutExpansions(op: Op, inputs: readonly Tensor[]): readonly Tensor[] {
  if (!broadcasting.has(op.kind)) return inputs;
  const { shape } = operand(op.outputs, 0);
  return inputs.reduce((kept, x, k) => {
    if (x.op.kind !== 'expand') return kept;
    const shorter = kept.with(k, operand(x.op.inputs, 0));
    return sameShape(shorter.map((y) => y.shape).reduce(broadcastShapes), shape) ? shorter : kept;
  }, inputs);
}

function rebuild<K extends Primitive>(op: OpOf<K>, inputs: readonly Tensor[]): readonly Tensor[] {
  return inputs.every((x, k) => x === op.inputs[k]) ? op.outputs : applyAll(op.kind, inputs, op.attributes);
}

/**
 * Removes duplicate subexpressions and needless expansions: the same outputs over a graph in which equal operations on
 * equal operands are one operation. Operations that no output needs are left behind.
 */
export function simplify(roots: readonly Tensor[]): Tensor[] {
  const canonical = new Map<Op, readonly Tensor[]>();
  const ids = new Map<Tensor, number>();
  const known = new Map<string, readonly Tensor[]>();
  const identities = new Map<object, number>();
  const resolve = (x: Tensor): Tensor => operand(canonical.get(x.op) ?? [], x.index);
  for (const op of topologicalOrder(roots)) {
    const inputs = withoutExpansions(op, op.inputs.map(resolve));
    const key = `${op.kind} ${inputs.map((x) => ids.get(x)).join()} ${attributeKey(op, identities)}`;
    let outputs = known.get(key);
    if (outputs === undefined) {
      outputs = rebuild(op as OpOf<Primitive>, inputs);
      for (const x of outputs) ids.set(x, ids.size);
      known.set(key, outputs);
    }
    canonical.set(op, outputs);
  }
  return roots.map(resolve);
}
