/**
 * The part of the ONNX protobuf schema (onnx.proto3, IR version 10) that a lowered graph needs, as plain objects, and
 * its encoding.
 */
import protobuf from 'protobufjs/minimal.js';

export type OnnxType = 'float32' | 'uint8' | 'int8' | 'int32' | 'int64' | 'bool';

/** `TensorProto.DataType` */
const dataTypes: { readonly [T in OnnxType]: number } = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
};

export interface OnnxTensor {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: readonly number[];
  /** Little-endian, row-major. */
  readonly bytes: Uint8Array;
}

export type OnnxAttribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly string: string }
  | { readonly ints: readonly number[] }
  | { readonly tensor: OnnxTensor }
  | { readonly graph: OnnxGraph };

export interface OnnxNode {
  readonly opType: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

export interface OnnxValue {
  readonly name: string;
  readonly type: OnnxType;
  /** A number, or the name of a symbolic size. */
  readonly shape: readonly (number | string)[];
  /** A sequence of such tensors. */
  readonly sequence?: true;
}

export interface OnnxGraph {
  readonly name: string;
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly initializers: readonly OnnxTensor[];
  readonly nodes: readonly OnnxNode[];
}

export interface OnnxModel {
  readonly graph: OnnxGraph;
  /** Operator set version of each domain (`''` is ONNX's own). */
  readonly opsets: Readonly<Record<string, number>>;
  readonly metadata?: Readonly<Record<string, string>>;
}

const IR_VERSION = 10;

type Writer = protobuf.Writer;

const VARINT = 0;
const BYTES = 2;
const FIXED32 = 5;

const tag = (field: number, wire: number): number => (field << 3) | wire;

function writeString(writer: Writer, field: number, value: string): void {
  writer.uint32(tag(field, BYTES)).string(value);
}

function writeInt(writer: Writer, field: number, value: number): void {
  writer.uint32(tag(field, VARINT)).int64(value);
}

function writeMessage(writer: Writer, field: number, write: (writer: Writer) => void): void {
  writer.uint32(tag(field, BYTES)).fork();
  write(writer);
  writer.ldelim();
}

function writeTensor(writer: Writer, tensor: OnnxTensor): void {
  for (const dim of tensor.shape) writeInt(writer, 1, dim);
  writeInt(writer, 2, dataTypes[tensor.type]);
  writeString(writer, 8, tensor.name);
  writer.uint32(tag(9, BYTES)).bytes(tensor.bytes);
}

function writeAttribute(writer: Writer, name: string, value: OnnxAttribute): void {
  writeString(writer, 1, name);
  if ('float' in value) {
    writer.uint32(tag(2, FIXED32)).float(value.float);
    writeInt(writer, 20, 1);
  } else if ('int' in value) {
    writeInt(writer, 3, value.int);
    writeInt(writer, 20, 2);
  } else if ('string' in value) {
    writeString(writer, 4, value.string);
    writeInt(writer, 20, 3);
  } else if ('tensor' in value) {
    writeMessage(writer, 5, (inner) => {
      writeTensor(inner, value.tensor);
    });
    writeInt(writer, 20, 4);
  } else if ('graph' in value) {
    writeMessage(writer, 6, (inner) => {
      writeGraph(inner, value.graph);
    });
    writeInt(writer, 20, 5);
  } else {
    for (const int of value.ints) writeInt(writer, 8, int);
    writeInt(writer, 20, 7);
  }
}

function writeTensorType(writer: Writer, { type, shape }: OnnxValue): void {
  writeMessage(writer, 1, (tensor) => {
    writeInt(tensor, 1, dataTypes[type]);
    writeMessage(tensor, 2, (dims) => {
      for (const dim of shape) {
        writeMessage(dims, 1, (inner) => {
          if (typeof dim === 'number') writeInt(inner, 1, dim);
          else writeString(inner, 2, dim);
        });
      }
    });
  });
}

function writeValue(writer: Writer, value: OnnxValue): void {
  writeString(writer, 1, value.name);
  writeMessage(writer, 2, (type) => {
    if (value.sequence !== true) {
      writeTensorType(type, value);
      return;
    }
    writeMessage(type, 4, (sequence) => {
      writeMessage(sequence, 1, (element) => {
        writeTensorType(element, value);
      });
    });
  });
}

function writeNode(writer: Writer, node: OnnxNode): void {
  for (const name of node.inputs) writeString(writer, 1, name);
  for (const name of node.outputs) writeString(writer, 2, name);
  writeString(writer, 3, node.outputs[0] ?? node.opType);
  writeString(writer, 4, node.opType);
  for (const [name, value] of Object.entries(node.attributes)) {
    writeMessage(writer, 5, (inner) => {
      writeAttribute(inner, name, value);
    });
  }
  if (node.domain !== '') writeString(writer, 7, node.domain);
}

function writeGraph(writer: Writer, graph: OnnxGraph): void {
  for (const node of graph.nodes) {
    writeMessage(writer, 1, (inner) => {
      writeNode(inner, node);
    });
  }
  writeString(writer, 2, graph.name);
  for (const tensor of graph.initializers) {
    writeMessage(writer, 5, (inner) => {
      writeTensor(inner, tensor);
    });
  }
  for (const [field, values] of [
    [11, graph.inputs],
    [12, graph.outputs],
  ] as const) {
    for (const value of values) {
      writeMessage(writer, field, (inner) => {
        writeValue(inner, value);
      });
    }
  }
}

/** The bytes of a `ModelProto`. */
export function encodeModel(model: OnnxModel): Uint8Array {
  const writer = protobuf.Writer.create();
  writeInt(writer, 1, IR_VERSION);
  writeString(writer, 2, 'ebiobert');
  writeMessage(writer, 7, (inner) => {
    writeGraph(inner, model.graph);
  });
  for (const [domain, version] of Object.entries(model.opsets)) {
    writeMessage(writer, 8, (inner) => {
      writeString(inner, 1, domain);
      writeInt(inner, 2, version);
    });
  }
  for (const [key, value] of Object.entries(model.metadata ?? {})) {
    writeMessage(writer, 14, (inner) => {
      writeString(inner, 1, key);
      writeString(inner, 2, value);
    });
  }
  return writer.finish();
}
