import fc from 'fast-check';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { InputError } from '../../src/errors.js';
import { openPyTorch } from '../../src/weights/index.js';
import { unpickle, type PickleHost } from '../../src/weights/pickle.js';
import { GOLDEN, goldenTensors, numbers, temporaryFolder } from './files.js';

const golden = (name: string): string => join(GOLDEN, name);

async function readAll(
  path: string,
): Promise<Map<string, { dtype: string; shape: readonly number[]; values: number[] }>> {
  const file = await openPyTorch(path);
  try {
    const found = new Map<string, { dtype: string; shape: readonly number[]; values: number[] }>();
    for (const name of file.tensors.keys()) {
      const tensor = await file.read(name);
      expect(file.tensors.get(name)).toMatchObject({ shape: tensor.shape, dtype: tensor.dtype });
      found.set(name, { dtype: tensor.dtype, shape: tensor.shape, values: numbers(tensor) });
    }
    return found;
  } finally {
    await file.close();
  }
}

describe('files that torch.save wrote', () => {
  test.each([
    ['a state dict', 'pytorch/pytorch_model.bin', 'pytorch/pytorch_model.bin'],
    ['every dtype', 'dtypes.bin', 'dtypes'],
    ['shared storages and strides', 'shared.bin', 'shared'],
    ['the same in the form before torch 1.6', 'shared_legacy.bin', 'shared'],
  ])('%s', async (_, file, values) => {
    expect(await readAll(golden(file))).toEqual(goldenTensors(values));
  });

  test('a state dict with TensorFlow names in the form before torch 1.6', async () => {
    const state = goldenTensors('pytorch/pytorch_model.bin');
    const old = (name: string): string =>
      name.replace('LayerNorm.weight', 'LayerNorm.gamma').replace('LayerNorm.bias', 'LayerNorm.beta');
    expect(await readAll(golden('legacy/pytorch_model.bin'))).toEqual(
      new Map([...state].map(([name, t]) => [old(name), t])),
    );
  });

  test('tensors of one storage do not share memory once read', async () => {
    const file = await openPyTorch(golden('shared.bin'));
    const [whole, tail] = [await file.read('whole'), await file.read('tail')];
    whole.data.fill(0 as never);
    expect(numbers(tail)).toEqual([20, 21, 22, 23]);
    expect(numbers(await file.read('whole'))[1]).toBe(1);
    await file.close();
  });
});

describe('files that are refused', () => {
  test.each([
    ['malicious_system.bin', 'found a reference to posix.system: refused'],
    ['malicious_raw.bin', 'found a reference to posix.system: refused'],
    ['malicious_eval.bin', 'found a reference to __builtin__.eval: refused'],
    ['object.bin', 'found a reference to transformers.models.bert.configuration_bert.BertConfig: refused'],
    ['nested.bin', 'expected a tensor at "state_dict", found a dict'],
    ['number.bin', 'expected a tensor at "epoch", found number'],
    ['list.bin', 'expected a dict of tensors by name, found another object'],
    ['torchscript.bin', 'found a TorchScript program'],
    ['safetensors/model.safetensors', 'expected a PyTorch checkpoint, found bytes'],
    ['pytorch/vocab.txt', 'expected a PyTorch checkpoint, found bytes'],
  ])('%s', async (file, message) => {
    const opening = openPyTorch(golden(file));
    await expect(opening).rejects.toThrow(InputError);
    await expect(opening).rejects.toThrow(message);
    await expect(opening).rejects.toThrow(golden(file));
    expect(existsSync('/tmp/ebiobert-was-here')).toBe(false);
  });

  const damaged = (file: string, change: (bytes: Buffer) => Buffer): string => {
    const path = join(temporaryFolder(), 'damaged.bin');
    writeFileSync(path, change(readFileSync(golden(file))));
    return path;
  };

  test.each(['shared.bin', 'shared_legacy.bin', 'pytorch/pytorch_model.bin', 'legacy/pytorch_model.bin'])(
    '%s cut anywhere',
    async (file) => {
      const { length } = readFileSync(golden(file));
      for (let cut = 0; cut < length; cut += Math.ceil(length / 97)) {
        await expect(readAll(damaged(file, (bytes) => bytes.subarray(0, cut))), `cut at ${cut}`).rejects.toThrow(
          InputError,
        );
      }
    },
  );

  test('a flipped bit among the weights is found by the checksum', async () => {
    const flip = (bytes: Buffer): Buffer => {
      const at = bytes.indexOf(Buffer.from(Float32Array.of(5, 6, 7).buffer));
      bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
      return bytes;
    };
    await expect(readAll(damaged('shared.bin', flip))).rejects.toThrow(/data\/\d+: expected checksum .* damaged/);
  });

  test('any changed byte gives an InputError or tensors, nothing else', async () => {
    for (const file of ['shared.bin', 'shared_legacy.bin']) {
      const { length } = readFileSync(golden(file));
      const path = join(temporaryFolder(), 'changed.bin');
      await fc.assert(
        fc.asyncProperty(fc.nat(length - 1), fc.nat(255), async (at, value) => {
          const bytes = readFileSync(golden(file));
          bytes[at] = value;
          writeFileSync(path, bytes);
          await readAll(path).catch((error: unknown) => expect(error).toBeInstanceOf(InputError));
        }),
        { numRuns: 400 },
      );
    }
  });
});

describe('the pickle machine', () => {
  const host: PickleHost = { globals: new Map(), persistent: (id) => ({ id }) };
  const run = (hex: string): unknown => unpickle(Buffer.from(hex.replaceAll(' ', ''), 'hex'), host, 'x.pkl').value;

  test('plain values', () => {
    expect(run('80 02 4a feffffff 2e')).toBe(-2);
    expect(run('80 02 8a 02 ff7f 2e')).toBe(32767);
    expect(run('80 02 8a 09 000000000000000080 2e')).toBe(-(2n ** 71n));
    expect(run('80 02 47 3ff8000000000000 2e')).toBe(1.5);
    expect(run('80 02 28 4e 88 89 58 02000000 c2b5 74 2e')).toEqual([null, true, false, 'µ']);
    expect(run('80 02 7d 71 00 4b 01 68 00 73 2e')).toBeInstanceOf(Map);
    expect(run('80 04 95 0000000000000000 5d 94 28 4b 01 4b 02 65 2e')).toEqual([1, 2]);
    expect(run('80 02 4b 07 51 2e')).toEqual({ id: 7 });
  });

  test.each([
    ['80 02 63 6f730a73797374656d0a 2e', 'found a reference to os.system: refused'],
    ['80 04 8c 02 6f73 8c 06 73797374656d 93 2e', 'found a reference to os.system: refused'],
    ['28 69 6f730a73797374656d0a 2e', 'found INST (0x69) at byte 1'],
    ['80 02 4e 29 81 2e', 'found NEWOBJ (0x81) at byte 4'],
    ['80 02 ff 2e', 'found an unknown opcode (0xff) at byte 2'],
    ['80 06 2e', 'expected a pickle of protocol 2 to 5, found 6'],
    ['80 02 4e 29 52 2e', 'expected a call of a tensor constructor'],
    ['80 02 2e', 'expected a value on the pickle'],
    ['80 02 74 2e', 'expected a mark'],
    ['80 02 68 05 2e', 'expected object 5 in the pickle'],
    ['80 02 4e 4e 61 2e', 'expected a list to add to'],
    ['80 02 4e 4e 4e 73 2e', 'expected a dict to add items to'],
    ['80 02 4e 7d 62 2e', 'expected state only on a dict'],
    ['80 02 58 01000000 ff 2e', 'expected UTF-8 text'],
    ['80 02 58 ffffffff 61', 'found its end'],
    ['80 02 4e', 'found its end'],
  ])('%s: %s', (hex, message) => {
    expect(() => run(hex)).toThrow(InputError);
    expect(() => run(hex)).toThrow(message);
  });
});
