import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { toFloat32, type DType, type TensorData } from '../../src/weights/index.js';

/** Files that test/golden/weights.py wrote. */
export const GOLDEN = fileURLToPath(new URL('../golden/data/weights/', import.meta.url));

type Golden = Record<string, Record<string, [DType, number[], (number | 'inf' | '-inf')[]]>>;

/** dtype, shape and values of each tensor, by name, as PyTorch has them. */
export function goldenTensors(file: string): Map<string, { dtype: DType; shape: number[]; values: number[] }> {
  const all = JSON.parse(readFileSync(join(GOLDEN, 'values.json'), 'utf8')) as Golden;
  const number = (value: number | string): number =>
    typeof value === 'number' ? value : value === 'inf' ? Infinity : -Infinity;
  return new Map(
    Object.entries(all[file] ?? {}).map(([name, [dtype, shape, values]]) => [
      name,
      { dtype, shape, values: values.map(number) },
    ]),
  );
}

/** A tensor's values as numbers, whatever its dtype. */
export function numbers(tensor: TensorData): number[] {
  const isHalf = tensor.dtype === 'F16' || tensor.dtype === 'BF16';
  return Array.from(isHalf ? toFloat32(tensor) : tensor.data, Number);
}

/** A fresh folder, removed after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ebiobert-weights-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A safetensors file with any JSON as header. */
export function safetensorsBytes(header: unknown, data: Uint8Array | number = 0): Buffer {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, typeof data === 'number' ? Buffer.alloc(data) : data]);
}
