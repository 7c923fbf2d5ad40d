import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { InputError } from '../../src/errors.js';
import { memoryBytes } from '../../src/weights/bytes.js';
import { readZipEntry, zipEntries } from '../../src/weights/zip.js';
import { GOLDEN } from './files.js';

const END = 22;
/** The checksum of "hello". */
const HELLO = 0x3610a686;

const u16 = (...values: number[]): Buffer => Buffer.concat(values.map((v) => Buffer.from([v & 255, v >> 8])));
const u32 = (...values: number[]): Buffer => Buffer.concat(values.map((v) => Buffer.from(Uint32Array.of(v).buffer)));
const u64 = (...values: number[]): Buffer => Buffer.from(BigUint64Array.from(values, BigInt).buffer);

interface Spec {
  readonly name?: string;
  readonly method?: number;
  readonly flags?: number;
  readonly content?: Buffer;
  readonly wide?: boolean;
}

/** A zip archive of "hello" by entry, as the format's specification lays it out; wide numbers as zip64 extra fields. */
function archive(...specs: Spec[]): Buffer {
  let offset = 0;
  const locals: Buffer[] = [];
  const central: Buffer[] = [];
  for (const { name = 'a/data.pkl', method = 0, flags = 0, content = Buffer.from('hello'), wide = false } of specs) {
    const label = Buffer.from(name);
    const local = Buffer.concat([
      u32(0x04034b50),
      u16(45, flags, method, 0, 0),
      u32(HELLO, content.length, 5),
      u16(label.length, 3),
      label,
      Buffer.alloc(3),
      content,
    ]);
    const extra = wide
      ? Buffer.concat([u16(0x4142, 2), u16(7), u16(1, 24), u64(5, content.length, offset)])
      : Buffer.alloc(0);
    const sizes = wide ? u32(0xffffffff, 0xffffffff) : u32(content.length, 5);
    const fields = [
      u32(0x02014b50),
      u16(45, 45, flags, method, 0, 0),
      u32(HELLO),
      sizes,
      u16(label.length, extra.length, 0, 0, 0),
      u32(0),
    ];
    central.push(Buffer.concat([...fields, u32(wide ? 0xffffffff : offset), label, extra]));
    locals.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(central);
  return Buffer.concat([
    ...locals,
    directory,
    u32(0x06054b50),
    u16(0, 0, specs.length, specs.length),
    u32(directory.length, offset),
    u16(0),
  ]);
}

async function contents(zip: Buffer): Promise<Record<string, string>> {
  const bytes = memoryBytes('x.zip', zip);
  const found: Record<string, string> = {};
  for (const entry of (await zipEntries(bytes)).values()) {
    found[entry.name] = Buffer.from(await readZipEntry(bytes, entry)).toString();
  }
  return found;
}

describe('archives', () => {
  test('entries in 32 and in 64 bits', async () => {
    expect(await contents(archive({ name: 'a' }, { name: 'b', wide: true }))).toEqual({ a: 'hello', b: 'hello' });
    expect(await contents(archive())).toEqual({});
  });

  test('a directory in 64 bits: the one of torch serves when the short one has no room', async () => {
    const file = readFileSync(join(GOLDEN, 'shared.bin'));
    const short = await contents(file);
    expect(Object.keys(short)).toContain('shared/data.pkl');
    file.fill(0xff, file.length - END + 8, file.length - END + 20);
    expect(await contents(file)).toEqual(short);
  });

  test('a comment at the end', async () => {
    const zip = archive({ name: 'a' });
    zip.writeUInt16LE(3, zip.length - 2);
    expect(await contents(Buffer.concat([zip, Buffer.from('end')]))).toEqual({ a: 'hello' });
  });

  const changed = (offset: number, value: number): Buffer => {
    const zip = archive({ name: 'a' });
    zip.writeUInt32LE(value, offset < 0 ? zip.length + offset : offset);
    return zip;
  };

  test.each<[string, Buffer, string]>([
    ['no archive', Buffer.from('hello'), 'expected a zip directory at the end, found none'],
    [
      'compressed',
      archive({ method: 8, content: deflateRawSync('hello') }),
      'zip entry a/data.pkl: expected stored content, found compression method 8',
    ],
    ['encrypted', archive({ flags: 1 }), 'found encryption'],
    ['twice', archive({}, {}), 'expected each zip entry once, found a/data.pkl twice'],
    ['damaged', archive({ content: Buffer.from('hallo') }), 'zip entry a/data.pkl: expected checksum 3610a686, found'],
    ['another length', archive({ content: Buffer.from('hell') }), 'expected 5 stored bytes, found 4'],
    ['no local header', changed(0, 7), 'zip entry a: expected a local header, found none'],
    ['directory past the end', changed(-6, 1 << 20), 'expected the zip directory inside the file'],
    ['directory cut', changed(-10, 20), 'expected 1 entries in the zip directory, found 0'],
    ['64-bit directory missing', changed(-10, 0xffffffff), 'expected a zip64 locator, found none'],
  ])('%s', async (_, zip, message) => {
    await expect(contents(zip)).rejects.toThrow(InputError);
    await expect(contents(zip)).rejects.toThrow(message);
  });
});
