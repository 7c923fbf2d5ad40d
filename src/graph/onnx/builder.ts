import { addDims, dimKey, sameDim, type Dim, type Shape } from '../dim.js';
import { operand } from '../operand.js';
import type { OnnxAttribute, OnnxGraph, OnnxNode, OnnxTensor, OnnxType, OnnxValue } from './proto.js';

type Attribute = number | string | readonly number[] | { readonly float: number } | { readonly graph: OnnxGraph };

/** Where a symbolic size can be read when the graph runs: an axis of a graph input. */
export interface SizeSource {
  readonly input: string;
  readonly axis: number;
}

/** Collects the nodes and initializers of one ONNX graph, and computes symbolic sizes as int64 tensors of shape [1]. */
export class OnnxBuilder {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: OnnxTensor[] = [];
  private readonly cache = new Map<string, string>();
  private count = 0;

  constructor(
    private readonly sizeSources: ReadonlyMap<string, SizeSource>,
    private readonly prefix = '',
  ) {}

  name(): string {
    return `${this.prefix}t${this.count++}`;
  }

  /** Adds a node with one output and returns its name. */
  emit(opType: string, inputs: readonly string[], attributes: Readonly<Record<string, Attribute>> = {}): string {
    return operand(this.emitAll(opType, inputs, attributes, 1), 0);
  }

  emitAll(
    opType: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>>,
    outputs: number,
    domain = '',
  ): readonly string[] {
    const names = Array.from({ length: outputs }, () => this.name());
    this.nodes.push({
      opType,
      domain,
      inputs,
      outputs: names,
      attributes: Object.fromEntries(Object.entries(attributes).map(([key, value]) => [key, toAttribute(value)])),
    });
    return names;
  }

  initializer(type: OnnxType, shape: readonly number[], data: ArrayBufferView, name = this.name()): string {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    this.initializers.push({ name, type, shape, bytes });
    return name;
  }

  /** A constant int64 vector. */
  ints(...values: number[]): string {
    return this.once(`ints ${values.join()}`, () =>
      this.initializer('int64', [values.length], BigInt64Array.from(values, BigInt)),
    );
  }

  /** A constant int64 scalar. */
  intScalar(value: number): string {
    return this.once(`int ${value}`, () => this.initializer('int64', [], BigInt64Array.of(BigInt(value))));
  }

  /** A constant float scalar. */
  float(value: number): string {
    return this.once(`float ${value}`, () => this.initializer('float32', [], Float32Array.of(value)));
  }

  /** Ones as float32 [1, count]. */
  ones(count: Dim): string {
    return this.once(`ones ${dimKey(count)}`, () => this.emit('Expand', [this.float(1), this.shape([1, count])]));
  }

  /** A constant uint8 scalar. */
  byte(value: number): string {
    return this.once(`byte ${value}`, () => this.initializer('uint8', [], Uint8Array.of(value)));
  }

  /** A size as an int64 tensor of shape [1]. */
  dim(dim: Dim): string {
    if (typeof dim === 'number') return this.ints(dim);
    return this.once(`dim ${dim.key}`, () => {
      const terms = [...dim.terms].map(([product, coefficient]) => {
        const factors = product
          .split('*')
          .filter(Boolean)
          .map((symbol) => this.symbol(symbol));
        if (coefficient !== 1 || factors.length === 0) factors.push(this.ints(coefficient));
        return factors.reduce((a, b) => this.emit('Mul', [a, b]));
      });
      return terms.reduce((a, b) => this.emit('Add', [a, b]));
    });
  }

  private symbol(name: string): string {
    return this.once(`symbol ${name}`, () => {
      const source = this.sizeSources.get(name);
      if (source === undefined) throw new RangeError(`expected an input with an axis of size ${name}, found none`);
      return this.emit('Shape', [source.input], { start: source.axis, end: source.axis + 1 });
    });
  }

  /** A shape as an int64 vector. */
  shape(shape: Shape): string {
    const numbers = shape.filter((dim) => typeof dim === 'number');
    if (numbers.length === shape.length) return this.ints(...numbers);
    return this.once(`shape ${shape.map(dimKey).join()}`, () =>
      this.emit(
        'Concat',
        shape.map((dim) => this.dim(dim)),
        { axis: 0 },
      ),
    );
  }

  /** The operand of a Reshape from one shape to another: constant (0: copied, -1: inferred) wherever possible. */
  reshapeOperand(from: Shape, to: Shape): string {
    const codes: number[] = [];
    let inferred = 0;
    for (const [k, dim] of to.entries()) {
      const source = from[k];
      if (typeof dim === 'number') codes.push(dim);
      else if (source !== undefined && sameDim(source, dim)) codes.push(0);
      else {
        codes.push(-1);
        inferred++;
      }
    }
    return inferred > 1 ? this.shape(to) : this.ints(...codes);
  }

  /** [start, start + size) of one axis. */
  slice(x: string, axis: number, start: Dim, size: Dim): string {
    return this.emit('Slice', [x, this.dim(start), this.dim(addDims(start, size)), this.ints(axis)]);
  }

  graph(name: string, inputs: readonly OnnxValue[], outputs: readonly OnnxValue[]): OnnxGraph {
    return { name, inputs, outputs, initializers: this.initializers, nodes: this.nodes };
  }

  /** What `make` named the first time that it was asked for under this key. */
  once(key: string, make: () => string): string {
    const known = this.cache.get(key);
    if (known !== undefined) return known;
    const name = make();
    this.cache.set(key, name);
    return name;
  }
}

function toAttribute(value: Attribute): OnnxAttribute {
  if (typeof value === 'number') return { int: value };
  if (typeof value === 'string') return { string: value };
  if ('float' in value || 'graph' in value) return value;
  return { ints: value };
}
