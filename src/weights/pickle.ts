import { InputError } from '../errors.js';

/** A pickle that stops before its STOP opcode: more bytes may complete it. */
export class TruncatedPickle extends InputError {}

/** What a name in a pickle stands for. `construct` builds the value of a call; without it the name is only a token. */
export interface PickleGlobal {
  readonly name: string;
  readonly construct?: (args: readonly unknown[]) => unknown;
}

/** All that a pickle may refer to outside itself: whatever is not here is refused. */
export interface PickleHost {
  /** By `module.name`. */
  readonly globals: ReadonlyMap<string, PickleGlobal>;
  /** The object that a persistent id stands for. */
  persistent(id: unknown): unknown;
}

/**
 * Reads one pickle (protocol 2 to 5, as torch writes) without running anything: a stack machine over plain data, whose
 * only calls are the constructors in `host.globals`. Lists and tuples become arrays, dicts Maps, integers numbers, or
 * bigints where numbers would round.
 *
 * @returns the value and the offset after the pickle
 * @throws InputError naming the opcode or the global that is refused, TruncatedPickle when the bytes end too early
 */
export function unpickle(
  bytes: Uint8Array,
  host: PickleHost,
  file: string,
  start = 0,
): { value: unknown; end: number } {
  const machine: Machine = new Machine(bytes, host, file, start);
  for (;;) {
    const at = machine.position;
    const code = machine.byte();
    if (code === STOP) return { value: machine.pop(), end: machine.position };
    const run = OPCODES[code];
    if (run === undefined) {
      const name = REFUSED[code] ?? 'an unknown opcode';
      machine.fail(
        `expected a pickle of tensors, found ${name} (0x${code.toString(16).padStart(2, '0')}) at byte ${at}`,
      );
    }
    run(machine);
  }
}

class Machine {
  readonly memo = new Map<number, unknown>();
  private stack: unknown[] = [];
  private readonly marks: unknown[][] = [];
  private readonly view: DataView;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly host: PickleHost,
    private readonly file: string,
    public position: number,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  fail(message: string): never {
    throw new InputError(message, { file: this.file });
  }

  take(length: number): Uint8Array {
    if (this.position + length > this.bytes.length) {
      const found = `expected ${length} more bytes of the pickle at ${this.position}, found its end`;
      throw new TruncatedPickle(found, { file: this.file });
    }
    this.position += length;
    return this.bytes.subarray(this.position - length, this.position);
  }

  byte(): number {
    return this.take(1)[0] ?? 0;
  }

  /** A number of `length` bytes at the current position. */
  number(length: number, read: (view: DataView, at: number) => number): number {
    const at = this.position;
    this.take(length);
    return read(this.view, at);
  }

  uint16 = (): number => this.number(2, (view, at) => view.getUint16(at, true));
  int32 = (): number => this.number(4, (view, at) => view.getInt32(at, true));
  uint32 = (): number => this.number(4, (view, at) => view.getUint32(at, true));
  uint64 = (): number => this.number(8, (view, at) => Number(view.getBigUint64(at, true)));

  text(length: number): string {
    const bytes = this.take(length);
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      return this.fail(`expected UTF-8 text in the pickle before byte ${this.position}, found other bytes`);
    }
  }

  line(): string {
    const end = this.bytes.indexOf(0x0a, this.position);
    if (end < 0) this.take(this.bytes.length - this.position + 1);
    const text = this.text(end - this.position);
    this.position++;
    return text;
  }

  /** A two's-complement little-endian integer. */
  long(length: number): number | bigint {
    let value = 0n;
    for (const [i, byte] of this.take(length).entries()) value |= BigInt(byte) << BigInt(8 * i);
    const signed = BigInt.asIntN(8 * length, value);
    return Number.isSafeInteger(Number(signed)) ? Number(signed) : signed;
  }

  push(value: unknown): void {
    this.stack.push(value);
  }

  pop(): unknown {
    if (this.stack.length === 0)
      this.fail(`expected a value on the pickle's stack before byte ${this.position}, found none`);
    return this.stack.pop();
  }

  top(): unknown {
    const value = this.pop();
    this.push(value);
    return value;
  }

  last(count: number): unknown[] {
    const values: unknown[] = [];
    for (let i = 0; i < count; i++) values.unshift(this.pop());
    return values;
  }

  mark(): void {
    this.marks.push(this.stack);
    this.stack = [];
  }

  /** The values pushed since the last mark, which goes. */
  sinceMark(): unknown[] {
    const values = this.stack;
    this.stack =
      this.marks.pop() ?? this.fail(`expected a mark in the pickle before byte ${this.position}, found none`);
    return values;
  }

  recall(index: number): void {
    if (!this.memo.has(index)) this.fail(`expected object ${index} in the pickle's memo, found none`);
    this.push(this.memo.get(index));
  }

  global(module: unknown, name: unknown): void {
    const path = `${String(module)}.${String(name)}`;
    const known = this.host.globals.get(path);
    if (known === undefined) this.fail(`expected a pickle of tensors alone, found a reference to ${path}: refused`);
    this.push(known);
  }

  reduce(): void {
    const args = this.pop();
    const callee = this.pop();
    const known = [...this.host.globals.values()].find((global) => global === callee);
    if (known?.construct === undefined || !Array.isArray(args)) {
      this.fail(`expected a call of a tensor constructor, found one of ${known?.name ?? typeof callee}: refused`);
    }
    this.push(known.construct(args));
  }

  persistent(): void {
    this.push(this.host.persistent(this.pop()));
  }

  /** State set on an object: dicts of tensors carry `_metadata` that says nothing about the tensors. */
  build(): void {
    this.pop();
    if (!(this.top() instanceof Map))
      this.fail('expected state only on a dict in the pickle, found it on another object');
  }

  setItems(pairs: readonly unknown[]): void {
    const dict = this.top();
    if (!(dict instanceof Map) || pairs.length % 2 !== 0)
      this.fail('expected a dict to add items to, found another object');
    for (let i = 0; i < pairs.length; i += 2) dict.set(pairs[i], pairs[i + 1]);
  }

  append(values: readonly unknown[]): void {
    const list = this.top();
    if (!Array.isArray(list)) this.fail('expected a list to add to, found another object');
    for (const value of values) list.push(value);
  }
}

type Run = (machine: Machine) => void;

const STOP = 0x2e;

/** Opcodes by their byte; names in the order of Python's pickletools. */
const OPCODES: Readonly<Record<number, Run>> = {
  0x80: (m) => {
    const protocol = m.byte();
    if (protocol > 5) m.fail(`expected a pickle of protocol 2 to 5, found ${protocol}`);
  }, // PROTO
  0x95: (m) => void m.take(8), // FRAME
  0x4e: (m) => m.push(null), // NONE
  0x88: (m) => m.push(true), // NEWTRUE
  0x89: (m) => m.push(false), // NEWFALSE
  0x4a: (m) => m.push(m.int32()), // BININT
  0x4b: (m) => m.push(m.byte()), // BININT1
  0x4d: (m) => m.push(m.uint16()), // BININT2
  0x8a: (m) => m.push(m.long(m.byte())), // LONG1
  0x47: (m) => m.push(m.number(8, (view, at) => view.getFloat64(at, false))), // BINFLOAT
  0x58: (m) => m.push(m.text(m.uint32())), // BINUNICODE
  0x8c: (m) => m.push(m.text(m.byte())), // SHORT_BINUNICODE
  0x8d: (m) => m.push(m.text(m.uint64())), // BINUNICODE8
  0x54: (m) => m.push(m.text(m.uint32())), // BINSTRING (Python 2)
  0x55: (m) => m.push(m.text(m.byte())), // SHORT_BINSTRING (Python 2)
  0x5d: (m) => m.push([]), // EMPTY_LIST
  0x61: (m) => m.append([m.pop()]), // APPEND
  0x65: (m) => m.append(m.sinceMark()), // APPENDS
  0x29: (m) => m.push([]), // EMPTY_TUPLE
  0x74: (m) => m.push(m.sinceMark()), // TUPLE
  0x85: (m) => m.push(m.last(1)), // TUPLE1
  0x86: (m) => m.push(m.last(2)), // TUPLE2
  0x87: (m) => m.push(m.last(3)), // TUPLE3
  0x7d: (m) => m.push(new Map()), // EMPTY_DICT
  0x73: (m) => m.setItems(m.last(2)), // SETITEM
  0x75: (m) => m.setItems(m.sinceMark()), // SETITEMS
  0x28: (m) => m.mark(), // MARK
  0x30: (m) => void m.pop(), // POP
  0x71: (m) => m.memo.set(m.byte(), m.top()), // BINPUT
  0x72: (m) => m.memo.set(m.uint32(), m.top()), // LONG_BINPUT
  0x94: (m) => m.memo.set(m.memo.size, m.top()), // MEMOIZE
  0x68: (m) => m.recall(m.byte()), // BINGET
  0x6a: (m) => m.recall(m.uint32()), // LONG_BINGET
  0x63: (m) => m.global(m.line(), m.line()), // GLOBAL
  0x93: (m) => m.global(...(m.last(2) as [unknown, unknown])), // STACK_GLOBAL
  0x52: (m) => m.reduce(), // REDUCE
  0x62: (m) => m.build(), // BUILD
  0x51: (m) => m.persistent(), // BINPERSID
};

/** Opcodes that exist but have no place in a checkpoint of tensors, by name for the error. */
const REFUSED: Readonly<Record<number, string>> = {
  0x69: 'INST',
  0x6f: 'OBJ',
  0x81: 'NEWOBJ',
  0x92: 'NEWOBJ_EX',
  0x82: 'EXT1',
  0x83: 'EXT2',
  0x84: 'EXT4',
  0x50: 'PERSID',
  0x31: 'POP_MARK',
  0x32: 'DUP',
  0x49: 'INT',
  0x4c: 'LONG',
  0x8b: 'LONG4',
  0x46: 'FLOAT',
  0x53: 'STRING',
  0x56: 'UNICODE',
  0x42: 'BINBYTES',
  0x43: 'SHORT_BINBYTES',
  0x8e: 'BINBYTES8',
  0x96: 'BYTEARRAY8',
  0x6c: 'LIST',
  0x64: 'DICT',
  0x8f: 'EMPTY_SET',
  0x90: 'ADDITEMS',
  0x91: 'FROZENSET',
  0x67: 'GET',
  0x70: 'PUT',
  0x97: 'NEXT_BUFFER',
  0x98: 'READONLY_BUFFER',
};
