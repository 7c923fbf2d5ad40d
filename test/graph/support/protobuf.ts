import protobuf from 'protobufjs/minimal.js';

type Field = number | Uint8Array;

/** The fields of a protobuf message by number: varints and 32-bit floats as numbers, all else as bytes. */
export function fieldsOf(message: Uint8Array): Map<number, Field[]> {
  const reader = protobuf.Reader.create(message);
  const fields = new Map<number, Field[]>();
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    const wire = tag & 7;
    const value: Field = wire === 0 ? Number(reader.int64().toString()) : wire === 5 ? reader.float() : reader.bytes();
    fields.set(tag >>> 3, [...(fields.get(tag >>> 3) ?? []), value]);
  }
  return fields;
}

export function bytesOf(field: Field | undefined): Uint8Array {
  if (!(field instanceof Uint8Array)) throw new Error(`expected bytes, found ${field}`);
  return Uint8Array.from(field);
}

export function textOf(field: Field | undefined): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(bytesOf(field));
}
