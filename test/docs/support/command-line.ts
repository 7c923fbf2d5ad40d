/** What the command line accepts, without doing any of it. */
import { CommanderError, type Command } from 'commander';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { formats } from '../../../src/corpus/index.js';
import { project } from '../../cli/support/run.js';

const folder = join(project, 'src/cli/commands');
const scripts = (JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as { scripts: Record<string, string> })
  .scripts;

async function allCommands(): Promise<ReadonlyMap<string, Command>> {
  const commands = new Map<string, Command>();
  for (const name of readdirSync(folder)) {
    const { command } = (await import(join(folder, name))) as { command: Command };
    for (const each of [command, ...command.commands]) {
      each.exitOverride().configureOutput({ writeErr: () => undefined, writeOut: () => undefined });
      each.action(() => undefined);
    }
    commands.set(command.name(), command);
  }
  return commands;
}

const commands = await allCommands();

/** What is wrong with a call of `ebiobert`, by the definition of its command; undefined for nothing. */
export async function faultOf([name = '', ...words]: readonly string[]): Promise<string | undefined> {
  const command = commands.get(name);
  if (command === undefined) return name.startsWith('--') ? undefined : `there is no command ${name}`;
  const [subcommand] = words;
  const known = command.commands.map((each) => each.name());
  if (known.length > 0 && !known.includes(subcommand ?? '')) return `there is no ${name} ${subcommand}`;
  for (const [k, word] of words.entries()) {
    const format = words[k + 1] ?? '';
    if (word === '--to' && formats.get(format)?.write === undefined) return `${format} cannot be written`;
    if (word === '--from' && formats.get(format)?.read === undefined) return `${format} cannot be read`;
  }
  try {
    await command.parseAsync(words, { from: 'user' });
    return undefined;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? undefined : error.message;
    return error instanceof Error ? error.message : String(error);
  }
}

/** What is wrong with a call of something else that the pages name; undefined for nothing. */
export function otherFaultOf([program, ...words]: readonly string[]): string | undefined {
  if (program === 'npm') {
    const [verb = '', name = ''] = words;
    const script = verb === 'run' ? name : ['start', 'test'].includes(verb) ? verb : undefined;
    if (script !== undefined && scripts[script] === undefined) return `there is no script ${script}`;
    if (script !== 'bench') return undefined;
    const sources = readdirSync(join(project, 'bench')).map((file) =>
      readFileSync(join(project, 'bench', file), 'utf8'),
    );
    return words.find((word) => /^--./.test(word) && !sources.some((source) => source.includes(`'${word}'`)));
  }
  const [file = ''] = words;
  if (program === 'node' && !file.startsWith('-') && !existsSync(join(project, file))) return `there is no ${file}`;
  return undefined;
}
