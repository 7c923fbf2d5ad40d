import { SymbolicDim, type Dim } from '../dim.js';
import { topologicalOrder } from '../gradient.js';
import { operand } from '../operand.js';
import type { Primitive } from '../primitives.js';
import { simplify } from '../simplify.js';
import type { Op, OpOf, Tensor } from '../tensor.js';
import { OnnxBuilder, type SizeSource } from './builder.js';
import { encodeModel, type OnnxGraph, type OnnxModel, type OnnxNode, type OnnxValue } from './proto.js';
import { lowerQuantized, MICROSOFT_DOMAIN, type ActivationRanges } from './quantize.js';
import { onnxRules, onnxType, OPSET } from './rules.js';

export interface LowerOptions {
  /** Values of parameters to store in the model; the others become inputs that are fed at every run. */
  readonly parameters?: ReadonlyMap<string, Float32Array>;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Stores large weights with 8 bits and multiplies integers (see quantize.ts), with these ranges; for inference only. */
  readonly quantize?: ActivationRanges;
  /** Puts an empty sequence of this name before the other outputs: what lets `Session.runInto` copy nothing. */
  readonly emptySequence?: string;
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
  const { parameters = new Map<string, Float32Array>(), quantize: ranges } = options;
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
      const value = parameters.get(name);
      if (op.kind === 'parameter' && value !== undefined) {
        builder.initializer('float32', op.attributes.shape, value, name);
      } else {
        inputs.push({ name, type: onnxType(tensor.dtype), shape: tensor.shape.map(onnxDim) });
      }
      valueNames.set(op, [name]);
    } else {
      const operands = op.inputs.map((x) => operand(valueNames.get(x.op) ?? [], x.index));
      const quantized = ranges === undefined ? undefined : lowerQuantized(op, operands, parameters, ranges, builder);
      valueNames.set(op, quantized === undefined ? applyRule(op as OpOf<Primitive>, operands, builder) : [quantized]);
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
  const { emptySequence } = options;
  if (emptySequence !== undefined) {
    const attributes = { dtype: { int: 1 } };
    builder.nodes.push({ opType: 'SequenceEmpty', domain: '', inputs: [], outputs: [emptySequence], attributes });
    results.unshift({ name: emptySequence, type: 'float32', shape: [], sequence: true });
  }
  const graph = withoutDeadNodes(builder.graph('ebiobert', inputs, results));
  const opsets = { '': OPSET, ...(ranges === undefined ? {} : { [MICROSOFT_DOMAIN]: 1 }) };
  const { metadata } = options;
  return { graph, opsets, ...(metadata === undefined ? {} : { metadata }) };
}

/** Leaves out nodes and initializers that no output depends on: the float32 weights behind quantised ones. */
function withoutDeadNodes(graph: OnnxGraph): OnnxGraph {
  const used = new Set(graph.outputs.map(({ name }) => name));
  const nodes = graph.nodes
    .toReversed()
    .filter((node) => {
      if (!node.outputs.some((name) => used.has(name))) return false;
      for (const name of namesRead(node)) used.add(name);
      return true;
    })
    .reverse();
  return { ...graph, nodes, initializers: graph.initializers.filter(({ name }) => used.has(name)) };
}

/** Names that a node reads, those that its subgraphs read from outside among them. */
function namesRead(node: OnnxNode): string[] {
  const graphs = Object.values(node.attributes).flatMap((value) => ('graph' in value ? [value.graph] : []));
  return [...node.inputs, ...graphs.flatMap((graph) => graph.nodes.flatMap(namesRead))];
}

/** The bytes of an ONNX model that computes the named tensors. */
export function toOnnx(outputs: Readonly<Record<string, Tensor>>, options: LowerOptions = {}): Uint8Array {
  return encodeModel(lower(outputs, options));
}
