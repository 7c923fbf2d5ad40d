#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { readFileSync } from 'node:fs';
import { endWithoutOutput, isEnding } from './ending.js';
import { exitStatus, reportError } from './failure.js';

/** Each command's file is imported only when it is called, so that `tag` does not wait for what `train` needs. */
const commands: Readonly<Record<string, { readonly summary: string; load(): Promise<{ command: Command }> }>> = {
  tag: { summary: 'find genes, chemicals and diseases in text', load: () => import('./commands/tag.js') },
  evaluate: {
    summary: 'score a model, or predictions, on annotated documents',
    load: () => import('./commands/evaluate.js'),
  },
  serve: { summary: 'answer over HTTP', load: () => import('./commands/serve.js') },
  train: { summary: 'train a model on annotated corpora', load: () => import('./commands/train.js') },
  convert: { summary: 'convert documents between formats', load: () => import('./commands/convert.js') },
  inspect: {
    summary: 'show the grid and the attention behind a decision',
    load: () => import('./commands/inspect.js'),
  },
  corpus: { summary: 'describe annotated corpora', load: () => import('./commands/corpus.js') },
  experiment: {
    summary: "reproduce the paper's tables and figures",
    load: () => import('./commands/experiment.js'),
  },
  model: { summary: 'list and show models', load: () => import('./commands/model.js') },
};

function version(): string {
  const file = new URL('../../package.json', import.meta.url);
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
  return version;
}

function overview(): Command {
  const program = new Command('ebiobert');
  program
    .description('Biomedical named-entity recognition: genes, chemicals and diseases with exact offsets.')
    .version(version())
    .addHelpText(
      'after',
      [
        '',
        'Examples:',
        '  ebiobert tag abstract.txt',
        '  ebiobert tag corpus.PubTator.txt --to pubtator --output tagged.txt',
        '  echo "Mutations of BRCA1 cause breast cancer." | ebiobert tag',
        '  ebiobert evaluate devel.tsv --json',
        '',
        'ebiobert COMMAND --help says more of each command.',
      ].join('\n'),
    );
  return program;
}

async function main(words: readonly string[]): Promise<void> {
  const program = overview();
  const [first = '', second = ''] = words.filter((word) => !word.startsWith('-'));
  const called = commands[first === 'help' ? second : first];
  for (const [name, { summary, load }] of Object.entries(commands)) {
    if (called === commands[name]) program.addCommand((await load()).command.summary(summary));
    else program.command(name).summary(summary);
  }
  const all = [program, ...program.commands.flatMap((command) => [command, ...command.commands])];
  for (const command of all) {
    command
      .exitOverride()
      .showHelpAfterError(false)
      .configureOutput({ writeErr: () => undefined });
    if (!command.options.some(({ long }) => long === '--verbose')) {
      command.option('--verbose', 'print stack traces of errors');
    }
  }
  if (words.length === 0) {
    process.stdout.write(program.helpInformation());
    return;
  }
  await program.parseAsync(words, { from: 'user' });
}

const verbose = process.argv.includes('--verbose');
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  void endWithoutOutput(error, verbose);
});
/** Nobody reads the diagnostics: the work goes on. */
process.stderr.on('error', () => undefined);

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (error instanceof CommanderError && error.exitCode === 0) process.exit(0);
  if (!isEnding()) {
    reportError(error, verbose);
    process.exitCode = exitStatus(error);
  }
}
