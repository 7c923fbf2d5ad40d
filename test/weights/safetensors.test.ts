import fc from 'fast-check';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { InputError, UsageError } from '../../src/errors.js';
import {
  encodeSafetensors,
  parseSafetensors,
  readSafetensors,
  SafetensorsFile,
  toFloat32,
  writeSafetensors,
  type TensorData,
} from '../../src/weights/index.js';
import { GOLDEN, goldenTensors, numbers, safetensorsBytes, temporaryFolder } from './files.js';

const f32 = (name: string, shape: number[], values: number[]): TensorData => ({
  name,
  shape,
  dtype: 'F32',
  data: Float32Array.from(values),
});

describe('reading what the reference library wrote', () => {
  test.each(['dtypes', 'safetensors/model.safetensors'])('%s: every dtype, shape and value', async (name) => {
    const file = name === 'dtypes' ? 'dtypes.safetensors' : name;
    const { tensors } = await readSafetensors(join(GOLDEN, file));
    const golden = goldenTensors(name);
    expect([...tensors.keys()].sort()).toEqual([...golden.keys()].sort());
    for (const [tensor, { dtype, shape, values }] of golden) {
      const found = tensors.get(tensor);
      expect(found).toMatchObject({ dtype, shape });
      if (found) expect(numbers(found)).toEqual(values);
    }
  });

  test('metadata, and one tensor without the others', async () => {
    const file = await SafetensorsFile.open(join(GOLDEN, 'dtypes.safetensors'));
    expect(Object.fromEntries(file.metadata)).toEqual({ format: 'pt', note: 'µ "quoted"' });
    expect(file.tensors.get('i32')).toMatchObject({ dtype: 'I32', shape: [2, 1] });
    expect(Array.from((await file.read('i32')).data, Number)).toEqual([-5, 7]);
    await expect(file.read('i33')).rejects.toThrow('expected a tensor "i33", found none');
    await file.close();
  });

  test('bytes at an odd address', async () => {
    const bytes = readFileSync(join(GOLDEN, 'dtypes.safetensors'));
    const shifted = new Uint8Array(bytes.length + 1);
    shifted.set(bytes, 1);
    const { tensors } = await parseSafetensors(shifted.subarray(1));
    expect(tensors.get('i64')?.data).toEqual(BigInt64Array.of(BigInt(2 ** 52), -1n));
  });
});

describe('float32 of other dtypes', () => {
  test('bfloat16 and float16: every bit pattern that is a number survives', () => {
    const bits = Uint16Array.from({ length: 1 << 16 }, (_, i) => i);
    const brain = toFloat32({ name: 'x', shape: [1 << 16], dtype: 'BF16', data: bits });
    const words = new Uint32Array(brain.buffer);
    expect(words.every((word, i) => word === i * 65536)).toBe(true);
    const half = toFloat32({ name: 'x', shape: [1 << 16], dtype: 'F16', data: bits });
    expect([0x3c00, 0xc100, 0x7bff, 0x0001, 0x0400, 0x7c00, 0x8000, 0x3555].map((i) => half[i])).toEqual([
      1,
      -2.5,
      65504,
      2 ** -24,
      2 ** -14,
      Infinity,
      -0,
      0.333251953125,
    ]);
    expect(half[0x7e00]).toBeNaN();
  });

  test('integers are refused by name', () => {
    const ids: TensorData = { name: 'position_ids', shape: [1], dtype: 'I64', data: new BigInt64Array(1) };
    expect(() => toFloat32(ids)).toThrow('tensor position_ids: expected floating-point values, found I64');
  });
});

describe('writing', () => {
  test('the reference library lays out the same bytes', async () => {
    const bytes = readFileSync(join(GOLDEN, 'dtypes.safetensors'));
    const { tensors, metadata } = await parseSafetensors(bytes);
    const again = Buffer.concat(encodeSafetensors([...tensors.values()].reverse(), metadata));
    const data = (file: Buffer): Buffer => file.subarray(8 + Number(file.readBigUInt64LE()));
    expect(data(again).equals(data(bytes))).toBe(true);
    expect(Number(again.readBigUInt64LE()) % 8).toBe(0);
  });

  test('any tensors come back, from a file, in any order', async () => {
    const folder = temporaryFolder();
    const shape = fc.array(fc.nat(4), { maxLength: 3 });
    const name = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((text) => text !== '__metadata__');
    const tensor = fc.record({
      name,
      shape,
      dtype: fc.constantFrom('F32', 'F64', 'I32', 'U8', 'BF16'),
      seed: fc.nat(),
    });
    const tensors = fc.uniqueArray(tensor, { selector: (t) => t.name, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(tensors, fc.dictionary(fc.string({ unit: 'grapheme' }), fc.string()), async (specs, notes) => {
        const made = specs.map(({ name, shape, dtype, seed }): TensorData => {
          const values = Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => (seed + 31 * i) % 251);
          const types = { F32: Float32Array, F64: Float64Array, I32: Int32Array, U8: Uint8Array, BF16: Uint16Array };
          return { name, shape, dtype: dtype as 'F32', data: types[dtype as 'F32'].from(values) };
        });
        const metadata = new Map(Object.entries(notes));
        const path = join(folder, 'x.safetensors');
        await writeSafetensors(path, made, metadata);
        const read = await readSafetensors(path);
        expect(new Map(read.metadata)).toEqual(metadata);
        expect(new Map(read.tensors)).toEqual(new Map(made.map((t) => [t.name, t])));
        const reordered = Buffer.concat(encodeSafetensors([...made].reverse(), new Map([...metadata].reverse())));
        expect(reordered.equals(readFileSync(path))).toBe(true);
      }),
      { numRuns: 60 },
    );
    expect(readdirSync(folder)).toEqual(['x.safetensors']);
  });

  test('tensors that cannot be written', () => {
    expect(() => encodeSafetensors([f32('a', [2], [1])])).toThrow(
      new UsageError('tensor a: expected Float32Array(2) for F32 [2], found Float32Array(1)'),
    );
    expect(() => encodeSafetensors([{ ...f32('a', [1], [1]), dtype: 'I32' }])).toThrow(UsageError);
    expect(() => encodeSafetensors([f32('a', [1], [1]), f32('a', [], [2])])).toThrow(
      'expected each tensor once, found "a" twice',
    );
    expect(() => encodeSafetensors([f32('__metadata__', [1], [1])])).toThrow('reserved name');
  });
});

describe('malformed files', () => {
  const entry = (begin: number, end: number, more: object = {}): object => ({
    dtype: 'F32',
    shape: [(end - begin) / 4],
    data_offsets: [begin, end],
    ...more,
  });
  const huge = Buffer.alloc(16, 0xff);
  const beyond = safetensorsBytes({ a: entry(0, 4) }, 4).subarray(0, 20);
  const cases: [string, Uint8Array, string][] = [
    ['empty', Buffer.alloc(0), 'expected a safetensors file, found an empty file of 0 bytes'],
    ['short', Buffer.from('abc'), 'expected a safetensors file'],
    ['huge header', huge, 'expected a safetensors header of at most 100000000 bytes, found'],
    ['text', Buffer.from('hello, this is a text'), 'expected a safetensors header of at most'],
    [
      'LFS pointer',
      Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:0\n'),
      'found a Git LFS pointer',
    ],
    ['header beyond the file', beyond, 'the file is truncated'],
    ['no JSON', safetensorsBytes('{"a": '), 'expected a JSON object as safetensors header, found invalid JSON'],
    ['an array', safetensorsBytes('[1, 2]'), 'found another JSON value'],
    ['not UTF-8', safetensorsBytes(Buffer.from([0x7b, 0xff, 0x7d]).toString('latin1')).fill(0xff, 9, 10), 'UTF-8'],
    [
      'an entry twice',
      safetensorsBytes(
        '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"\\u0061":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
        4,
      ),
      'expected each tensor once, found "a" twice',
    ],
    ['no entry', safetensorsBytes({ a: 3 }), 'tensor "a": expected {dtype, shape, data_offsets}, found 3'],
    [
      'unknown dtype',
      safetensorsBytes({ a: entry(0, 4, { dtype: 'F4' }) }, 4),
      'tensor "a": expected a known dtype, found "F4"',
    ],
    ['inherited dtype', safetensorsBytes({ a: entry(0, 4, { dtype: 'toString' }) }, 4), 'expected a known dtype'],
    [
      'negative size',
      safetensorsBytes({ a: entry(0, 4, { shape: [-1] }) }, 4),
      'tensor "a": expected a shape of whole numbers, found [-1]',
    ],
    [
      'backward offsets',
      safetensorsBytes({ a: entry(0, 4, { data_offsets: [4, 0] }) }, 4),
      'tensor "a": expected data_offsets [begin, end], found [4,0]',
    ],
    ['one offset', safetensorsBytes({ a: entry(0, 4, { data_offsets: [4] }) }, 4), 'expected data_offsets'],
    [
      'wrong byte count',
      safetensorsBytes({ a: entry(0, 8, { shape: [1] }) }, 8),
      'tensor "a": expected 4 bytes for F32 [1], found 8',
    ],
    ['overflowing shape', safetensorsBytes({ a: entry(0, 0, { shape: [2 ** 50, 2 ** 50] }) }), 'tensor "a": expected'],
    [
      'truncated data',
      safetensorsBytes({ a: entry(0, 4), b: entry(4, 12) }, 8),
      'tensor "b": expected 12 bytes of data, found 8',
    ],
    [
      'overlap',
      safetensorsBytes({ a: entry(0, 8), b: entry(4, 8) }, 8),
      'tensor "b": expected its data at byte 8, found 4 (overlap)',
    ],
    [
      'gap',
      safetensorsBytes({ a: entry(0, 4), b: entry(8, 12) }, 12),
      'tensor "b": expected its data at byte 4, found 8 (gap)',
    ],
    ['bytes at the end', safetensorsBytes({ a: entry(0, 4) }, 6), 'expected 4 bytes of tensor data, found 6'],
    ['metadata no text', safetensorsBytes({ __metadata__: { n: 1 } }), '__metadata__ "n": expected a string, found 1'],
  ];

  test.each(cases)('%s', async (_, bytes, message) => {
    const path = join(temporaryFolder(), 'bad.safetensors');
    writeFileSync(path, bytes);
    const reading = readSafetensors(path);
    await expect(reading).rejects.toThrow(InputError);
    await expect(reading).rejects.toThrow(message);
    await expect(reading).rejects.toThrow(path);
  });

  test('no file, a folder', async () => {
    const folder = temporaryFolder();
    await expect(readSafetensors(join(folder, 'none'))).rejects.toThrow('cannot read: no such file or folder (ENOENT)');
    await expect(readSafetensors(folder)).rejects.toThrow(InputError);
  });

  test('any change to the header gives an InputError or a file that says the same', async () => {
    const bytes = readFileSync(join(GOLDEN, 'dtypes.safetensors'));
    const header = 8 + Number(bytes.readBigUInt64LE());
    await fc.assert(
      fc.asyncProperty(fc.nat(header - 1), fc.nat(255), async (at, value) => {
        const changed = Buffer.from(bytes);
        changed[at] = value;
        await parseSafetensors(changed).catch((error: unknown) => expect(error).toBeInstanceOf(InputError));
      }),
    );
  });
});
