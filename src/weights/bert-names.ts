import { InputError } from '../errors.js';

/** The one tensor that every BERT has and no head is named after. */
const ANCHOR = 'embeddings.word_embeddings.weight';

/** Which tensor of a file is which of a BERT. */
export interface BertNames {
  /** Canonical name (`bert.encoder.layer.0...`) to the file's. */
  readonly canonical: ReadonlyMap<string, string>;
  /** Tensors outside the encoder: heads, other models. */
  readonly outside: readonly string[];
}

/**
 * Maps a file's tensor names to Hugging Face's canonical ones, `bert.embeddings...` and `bert.encoder...`. What stands
 * before `embeddings.word_embeddings.weight` is the file's prefix, whatever it is (`bert.`, nothing, `model.`,
 * `encoder.`, `module.bert.`); `LayerNorm.gamma` and `.beta`, TensorFlow's names, become `weight` and `bias`.
 *
 * @throws InputError when there is no such tensor, more than one, or two tensors get one name
 */
export function bertNames(names: Iterable<string>, file: string): BertNames {
  const all = [...names];
  const prefix = findPrefix(all, file);
  const canonical = new Map<string, string>();
  const outside: string[] = [];
  for (const name of all) {
    const inside = name.startsWith(prefix) ? name.slice(prefix.length) : '';
    if (!/^(embeddings|encoder|pooler)\./.test(inside)) {
      outside.push(name);
      continue;
    }
    const mapped = `bert.${inside.replace(/LayerNorm\.gamma$/, 'LayerNorm.weight').replace(/LayerNorm\.beta$/, 'LayerNorm.bias')}`;
    const other = canonical.get(mapped);
    if (other !== undefined)
      throw new InputError(`expected one tensor for ${mapped}, found ${other} and ${name}`, { file });
    canonical.set(mapped, name);
  }
  return { canonical, outside };
}

function findPrefix(names: readonly string[], file: string): string {
  const prefixes = names
    .filter((name) => name === ANCHOR || name.endsWith(`.${ANCHOR}`))
    .map((name) => name.slice(0, -ANCHOR.length));
  const [prefix, second] = prefixes;
  if (prefix === undefined) {
    const sample =
      names.length === 0 ? 'no tensors' : `${names.slice(0, 3).join(', ')}${names.length > 3 ? ', ...' : ''}`;
    throw new InputError(`expected tensor bert.${ANCHOR} (with any prefix), found ${sample}`, { file });
  }
  if (second !== undefined) {
    throw new InputError(`expected one BERT, found several: ${prefixes.map((p) => `${p}${ANCHOR}`).join(', ')}`, {
      file,
    });
  }
  return prefix;
}
