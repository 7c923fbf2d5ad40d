import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { BatchShape, EncoderName } from './shapes.js';

const peers = fileURLToPath(new URL('../../shared/peers/', import.meta.url));

/** Milliseconds of one step and one call of the same model in PyTorch. */
export interface PyTorchTimes {
  readonly train: number;
  readonly infer: number;
}

/**
 * Runs the PyTorch peer for one shape. Needs a Python with torch and transformers: the environment variable
 * EBIOBERT_PYTHON names it (`python3` where it is unset).
 */
export function pytorch(encoder: EncoderName, { sentences, pieces, words }: BatchShape): PyTorchTimes | undefined {
  const python = process.env['EBIOBERT_PYTHON'] ?? 'python3';
  const script = `${peers}ebiobert_torch.py`;
  if (!existsSync(script)) return undefined;
  const args = [script, encoder, ...[sentences, pieces, words].map(String)];
  const { status, stdout, stderr } = spawnSync(python, args, { encoding: 'utf8' });
  if (status !== 0) {
    console.error(`PyTorch peer did not run (${python}): ${stderr.trim().split('\n').at(-1) ?? ''}`);
    return undefined;
  }
  const [, train, infer] = /train_ms=([\d.]+) infer_ms=([\d.]+)/.exec(stdout) ?? [];
  return { train: Number(train), infer: Number(infer) };
}

/**
 * Sentences per second of transformers.js, one at a time and in batches of 16. Needs a folder in which the peer's
 * script, `@huggingface/transformers` and the exported model `out/minilm` lie: EBIOBERT_TRANSFORMERS_JS names it.
 */
export function transformersJs(): { readonly single: number; readonly batched: number } | undefined {
  const folder = process.env['EBIOBERT_TRANSFORMERS_JS'];
  if (folder === undefined) return undefined;
  const args = ['peers/transformersjs.mjs', 'out'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
  if (status !== 0) {
    console.error(`transformers.js peer did not run: ${stderr.trim().split('\n').at(-1) ?? ''}`);
    return undefined;
  }
  const rate = (name: string): number => Number(new RegExp(`${name}: ([\\d.]+)`).exec(stdout)?.[1] ?? 0);
  return { single: rate('one at a time'), batched: rate('batches of 16') };
}
