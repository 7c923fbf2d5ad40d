import { Command } from 'commander';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError, UsageError } from '../../errors.js';
import { bundledFolder, bundledModels, findModel, readNames } from '../../node.js';
import { parseLexicon } from '../../tag/index.js';
import {
  attempt,
  averageModels,
  cachedModels,
  MODEL_FILES,
  readModelConfig,
  readModelFolder,
  writeModelLexicon,
} from '../../weights/index.js';
import { print } from '../io.js';
import { columns } from '../style.js';

export const command = new Command('model')
  .description('Lists and shows models.')
  .allowExcessArguments()
  .action((_, { args: [found = 'none'] }: Command) => {
    throw new UsageError(
      `expected list, show, add, average or lexicon after model, found ${found}; see ebiobert model --help`,
    );
  });

command
  .command('list')
  .description('Lists bundled and cached models.')
  .action(async () => {
    const rows = [['model', 'types', 'where']];
    for (const name of await bundledModels()) {
      const { config } = await readModelFolder(join(bundledFolder, name));
      rows.push([name, config.model.types.join(','), 'bundled']);
    }
    for (const { id } of await cachedModels()) rows.push([id, '', 'cached']);
    await print(columns(rows));
  });

command
  .command('show')
  .argument('<model>', 'a bundled model, a model folder, or a Hugging Face id')
  .description('Prints what a model says of itself: types, architecture, training, scores.')
  .option('--json', 'print its config.json')
  .action(async (model: string, { json }: { json?: boolean }) => {
    const folder = await findModel(model);
    const { config } = await readModelFolder(folder);
    if (json === true) {
      await print(`${JSON.stringify(config, null, 2)}\n`);
      return;
    }
    const card = join(folder, MODEL_FILES.card);
    if (!existsSync(card))
      throw new InputError('expected a model card, found none: --json prints the config', { file: card });
    await print(await attempt(card, 'read', readFile(card, 'utf8')));
  });

command
  .command('add')
  .argument('<id>', 'a Hugging Face id, owner/name')
  .description('Fetches a model into the cache.')
  .action(async (id: string) => {
    await print(`${await findModel(id)}\n`);
  });

command
  .command('average')
  .argument('<folders...>', 'model folders of the same architecture, trained from the same start')
  .requiredOption('-o, --output <folder>', 'where the model goes')
  .description('Writes a model whose weights are the mean of others.')
  .action(async (folders: string[], { output }: { output: string }) => {
    if (folders.length < 2) throw new UsageError(`expected two model folders or more, found ${folders.length}`);
    await averageModels(folders, output, `ebiobert model average ${folders.join(' ')} --output ${output}`);
  });

command
  .command('lexicon')
  .argument('<folder>', 'a model folder')
  .argument('[file]', 'names, as `corpus lexicon` prints them')
  .description("Takes a file of names as the model's lexicon, or takes the lexicon away where no file is named.")
  .action(async (folder: string, file: string | undefined) => {
    const { model } = await readModelConfig(folder);
    const text = file === undefined ? undefined : await readNames(file);
    if (text !== undefined) parseLexicon(text, model.types, file ?? '');
    await writeModelLexicon(folder, text);
  });
