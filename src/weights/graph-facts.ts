import protobuf from 'protobufjs/minimal.js';
import { InputError } from '../errors.js';

/** Sizes of an output: numbers, or names of sizes that are known when the graph runs (`pieces+11`). */
export type OutputShape = readonly (number | string)[];

/** What an ONNX file says of itself, beside its nodes and weights. */
export interface GraphFacts {
  readonly outputs: ReadonlyMap<string, OutputShape>;
  readonly metadata: ReadonlyMap<string, string>;
}

/** The numbers of the fields that are read, by message; onnx.proto3. */
const MODEL = { graph: 7, metadata: 14 } as const;
const GRAPH = { output: 12 } as const;
const ENTRY = { key: 1, value: 2 } as const;
const VALUE = { name: 1, type: 2 } as const;
const TYPE = { tensor: 1 } as const;
const TENSOR = { shape: 2 } as const;
const SHAPE = { dim: 1 } as const;
const DIM = { value: 1, parameter: 2 } as const;

const VARINT = 0;
const BYTES = 2;

/**
 * The outputs and the metadata of a `ModelProto`; nodes and weights are passed over.
 * @throws InputError when the bytes are no such message
 */
export function graphFacts(bytes: Uint8Array, file: string): GraphFacts {
  try {
    const model = fields(bytes);
    const outputs = children(model, MODEL.graph)
      .flatMap((graph) => children(fields(graph), GRAPH.output))
      .map(output);
    return { outputs: new Map(outputs), metadata: new Map(children(model, MODEL.metadata).map(entry)) };
  } catch (cause) {
    throw new InputError('expected an ONNX model, found other bytes', { file }, { cause });
  }
}

interface Field {
  readonly number: number;
  readonly value: number | Uint8Array;
}

/** The fields of a message that are whole numbers or bytes (strings and messages too), as views. */
function fields(bytes: Uint8Array): Field[] {
  const reader = protobuf.Reader.create(bytes);
  const found: Field[] = [];
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    const [number, wire] = [tag >>> 3, tag & 7];
    if (wire === VARINT) found.push({ number, value: Number(reader.int64()) });
    else if (wire === BYTES) found.push({ number, value: reader.bytes() });
    else reader.skipType(wire);
  }
  return found;
}

function children(message: readonly Field[], field: number): Uint8Array[] {
  return message.flatMap(({ number, value }) => (number === field && value instanceof Uint8Array ? [value] : []));
}

function text(message: readonly Field[], field: number): string {
  const [bytes] = children(message, field);
  return new TextDecoder().decode(bytes ?? new Uint8Array(0));
}

function entry(bytes: Uint8Array): [string, string] {
  const message = fields(bytes);
  return [text(message, ENTRY.key), text(message, ENTRY.value)];
}

function output(bytes: Uint8Array): [string, OutputShape] {
  const value = fields(bytes);
  const dims = [VALUE.type, TYPE.tensor, TENSOR.shape, SHAPE.dim].reduce(
    (messages: readonly Uint8Array[], field) => messages.flatMap((message) => children(fields(message), field)),
    [bytes],
  );
  return [text(value, VALUE.name), dims.map((dim) => size(fields(dim)))];
}

function size(dim: readonly Field[]): number | string {
  const known = dim.find(({ number, value }) => number === DIM.value && typeof value === 'number');
  return typeof known?.value === 'number' ? known.value : text(dim, DIM.parameter);
}
