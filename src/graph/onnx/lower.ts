import { SymbolicDim, type Dim } from '../dim.js';
import { topologicalOrder } from '../gradient.js';
import { operand } from '../operand.js';
import type { Primitive } from '../primitives.js';
import { simplify } from '../simplify.js';
import type { Op, OpOf, Tensor } from '../tensor.js';
import { OnnxBuilder, type SizeSource } from './builder.js';
import { encodeModel, type OnnxGraph, type OnnxModel, type OnnxValue } from './proto.js';
import { onnxRules, onnxType, OPSET } from './rules.js';

export interface LowerOptions {
  /** Values of parameters to store in the model; the others become inputs that are fed at every run. */
  readonly parameters?: ReadonlyMap<string, Float32Array>;
  readonly metadata?: Readonly<Record<string, string>>;
}

function applyRule<K extends Primitive>(
  op: OpOf<K>,
  inputs: readonly string[],
  builder: OnnxBuilder,
): readonly string[] {
  return onnxRules[op.kind](op, inputs, builder);
}

function onnxDim(dim: Dim): number | string {
  return typeof dim === 'number' ? dim : dim.key;
}

/** The first axis of an input that has each symbolic size. */
function sizeSources(order: readonly Op[]): Map<string, SizeSource> {
  const sources = new Map<string, SizeSource>();
  for (const op of order) {
    if (op.kind !== 'input') continue;
    for (const [axis, dim] of op.attributes.shape.entries()) {
      if (dim instanceof SymbolicDim && !sources.has(dim.key)) {
        sources.set(dim.key, { input: op.attributes.name, axis });
      }
    }
  }
  return sources;
}

/**
 * Lowers named tensors to an ONNX graph in the order of their dependencies. Operations that no output needs are left
 * out and equal ones are computed once.
 */
export function lower(outputs: Readonly<Record<string, Tensor>>, options: LowerOptions = {}): OnnxModel {
  const names = Object.keys(outputs);
  const roots = simplify(names.map((name) => outputs[name]).filter((x) => x !== undefined));
  const order = topologicalOrder(roots);
  const builder = new OnnxBuilder(sizeSources(order));
  const inputs: OnnxValue[] = [];
  const valueNames = new Map<Op, readonly string[]>();
  for (const op of order) {
    if (op.kind === 'input' || op.kind === 'parameter') {
      const { name } = op.attributes;
      const tensor = operand(op.outputs, 0);
      const value = options.parameters?.get(name);
      if (op.kind === 'parameter' && value !== undefined) {
        builder.initializer('float32', op.attributes.shape, value, name);
      } else {
        inputs.push({ name, type: onnxType(tensor.dtype), shape: tensor.shape.map(onnxDim) });
      }
      valueNames.set(op, [name]);
    } else {
      const operands = op.inputs.map((x) => operand(valueNames.get(x.op) ?? [], x.index));
      valueNames.set(op, applyRule(op as OpOf<Primitive>, operands, builder));
    }
  }
  const results = names.map((name, k): OnnxValue => {
    const root = operand(roots, k);
    builder.nodes.push({
      opType: 'Identity',
      domain: '',
      inputs: [operand(valueNames.get(root.op) ?? [], root.index)],
      outputs: [name],
      attributes: {},
    });
    return { name, type: onnxType(root.dtype), shape: root.shape.map(onnxDim) };
  });
  const graph: OnnxGraph = builder.graph('ebiobert', inputs, results);
  const { metadata } = options;
  return { graph, opsets: { '': OPSET }, ...(metadata === undefined ? {} : { metadata }) };
}

/** The bytes of an ONNX model that computes the named tensors. */
export function toOnnx(outputs: Readonly<Record<string, Tensor>>, options: LowerOptions = {}): Uint8Array {
  return encodeModel(lower(outputs, options));
}
