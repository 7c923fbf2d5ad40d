import { join } from 'node:path';
import { InputError } from '../errors.js';
import { bertNames } from './bert-names.js';
import { openCheckpoint } from './checkpoint.js';
import { toFloat32, type TensorSource } from './tensor-data.js';

export interface BertWeights {
  /** By canonical name, row-major. */
  readonly tensors: ReadonlyMap<string, Float32Array>;
  /** The file's tensors that nothing asked for (heads, pooler, position ids), by their names in the file, sorted. */
  readonly unused: readonly string[];
}

/**
 * Reads the weights of a BERT checkpoint folder.
 *
 * @param expected canonical names (`bert.encoder.layer.0.attention.self.query.weight`) and shapes; all are required
 * @throws InputError when the folder is not a BERT checkpoint, or a tensor is missing, misshapen or not floating-point:
 * the message names it, with the expected and the found shape
 */
export async function loadBertWeights(
  folder: string,
  expected: ReadonlyMap<string, readonly number[]>,
): Promise<BertWeights> {
  const checkpoint = await openCheckpoint(folder);
  try {
    const type = checkpoint.config['model_type'];
    if (type !== undefined && type !== 'bert') {
      const file = join(folder, 'config.json');
      throw new InputError(`expected "model_type": "bert", found ${JSON.stringify(type)}`, { file });
    }
    return await readBertWeights(checkpoint.tensors, expected);
  } finally {
    await checkpoint.close();
  }
}

/** The same from opened tensors. */
export async function readBertWeights(
  source: TensorSource,
  expected: ReadonlyMap<string, readonly number[]>,
): Promise<BertWeights> {
  const file = source.name;
  const { canonical, outside } = bertNames(source.tensors.keys(), file);
  checkMissing(canonical, expected, file);
  const wanted: [string, string][] = [];
  for (const [name, shape] of expected) {
    const found = canonical.get(name) ?? '';
    checkShape(name, found, shape, source.tensors.get(found)?.shape ?? [], file);
    wanted.push([name, found]);
  }
  const tensors = new Map<string, Float32Array>();
  for (const [name, found] of wanted) tensors.set(name, toFloat32(await source.read(found), file));
  const spare = [...canonical].filter(([name]) => !expected.has(name)).map(([, found]) => found);
  return { tensors, unused: [...outside, ...spare].sort() };
}

function checkMissing(
  canonical: ReadonlyMap<string, string>,
  expected: ReadonlyMap<string, readonly number[]>,
  file: string,
): void {
  const missing = [...expected.keys()].filter((name) => !canonical.has(name));
  const [first] = missing;
  if (first === undefined) return;
  const shape = (expected.get(first) ?? []).join(', ');
  const more = missing.length > 1 ? ` (nor ${missing.length - 1} others)` : '';
  throw new InputError(`expected tensor ${first} [${shape}], found none${more}`, { file });
}

function checkShape(
  name: string,
  found: string,
  expected: readonly number[],
  shape: readonly number[],
  file: string,
): void {
  if (expected.length === shape.length && expected.every((size, axis) => size === shape[axis])) return;
  const alias = found === name ? '' : ` (${found} in the file)`;
  throw new InputError(`tensor ${name}${alias}: expected shape [${expected.join(', ')}], found [${shape.join(', ')}]`, {
    file,
  });
}
