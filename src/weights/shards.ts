import { join } from 'node:path';
import { InputError } from '../errors.js';
import type { TensorData, TensorInfo, TensorSource } from './tensor-data.js';

/**
 * Opens the files of a sharded checkpoint as one source of tensors.
 *
 * @param path the index, for error messages
 * @param index its JSON: `weight_map` gives each tensor's file, beside the index
 * @throws InputError when the index is malformed, a file is missing or damaged, or a tensor is not in its file
 */
export async function openShards(
  path: string,
  folder: string,
  index: Readonly<Record<string, unknown>>,
  open: (path: string) => Promise<TensorSource>,
): Promise<TensorSource> {
  const map = weightMap(path, index['weight_map']);
  const files = new Map<string, TensorSource>();
  const close = async (): Promise<void> => {
    for (const file of files.values()) await file.close();
  };
  try {
    for (const file of new Set(map.values())) files.set(file, await open(join(folder, file)));
    const homes = new Map<string, TensorSource>();
    const tensors = new Map<string, TensorInfo>();
    for (const [name, file] of map) {
      const home = files.get(file);
      const info = home?.tensors.get(name);
      if (home === undefined || info === undefined) {
        throw new InputError(`expected tensor ${name} in ${file}, found none`, { file: path });
      }
      homes.set(name, home);
      tensors.set(name, info);
    }
    const read = (name: string): Promise<TensorData> => {
      const home = homes.get(name);
      if (home !== undefined) return home.read(name);
      return Promise.reject(new InputError(`expected a tensor ${JSON.stringify(name)}, found none`, { file: path }));
    };
    return { name: path, tensors, read, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function weightMap(path: string, map: unknown): ReadonlyMap<string, string> {
  if (typeof map !== 'object' || map === null) {
    throw new InputError('expected an object at weight_map, found none', { file: path });
  }
  const pairs = Object.entries(map).map(([name, file]: [string, unknown]): [string, string] => {
    if (typeof file !== 'string' || !/^[\w-][\w.-]*$/.test(file)) {
      const found = JSON.stringify(file);
      throw new InputError(
        `weight_map ${JSON.stringify(name)}: expected the name of a file beside the index, found ${found}`,
        {
          file: path,
        },
      );
    }
    return [name, file];
  });
  return new Map(pairs);
}
