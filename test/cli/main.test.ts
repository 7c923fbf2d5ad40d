import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ebiobert, project, start, temporaryFolder } from './support/run.js';

const folder = temporaryFolder();
const commands = ['tag', 'evaluate', 'train', 'convert', 'inspect', 'model'];

describe('ebiobert', () => {
  test('without arguments, and asked for help, prints its commands', async () => {
    const [bare, help, word] = await Promise.all([ebiobert([]), ebiobert(['--help']), ebiobert(['help'])]);
    for (const { status, stdout, stderr } of [bare, help, word]) {
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      for (const command of commands) expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
    }
    expect(help.stdout).toContain('Examples:');
  });

  test('prints the version of its package', async () => {
    const { version } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as { version: string };
    expect(await ebiobert(['--version'])).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' });
  });

  test.each([
    ['tag', '--min-score'],
    ['evaluate', '--predictions'],
    ['train', '--merge-devel'],
    ['convert', '--repair-offsets'],
    ['inspect', '--attention'],
    ['model', 'list'],
  ])('%s --help and help %s name its options', async (command, option) => {
    const outcomes = await Promise.all([ebiobert([command, '--help']), ebiobert(['help', command])]);
    for (const { status, stdout, stderr } of outcomes) {
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(stdout).toContain(`Usage: ebiobert ${command}`);
      expect(stdout).toContain(option);
    }
  });

  test.each<[string, string[], RegExp]>([
    ['an unknown command', ['tga'], /unknown command 'tga'/],
    ['an unknown option', ['--loud'], /unknown option '--loud'/],
    ['an unknown option of a command', ['tag', '--loud'], /unknown option '--loud'/],
    [
      'an unknown subcommand',
      ['model', 'remove'],
      /expected list, show, add, average or lexicon after model, found remove/,
    ],
    ['a missing subcommand', ['model'], /expected list, show, add, average or lexicon after model, found none/],
    ['a missing argument', ['inspect'], /missing required argument 'text'/],
    ['a missing option', ['convert', 'x.txt'], /required option '--to <format>' not specified/],
    ['an option without its value', ['convert', '--to'], /option '--to <format>' argument missing/],
    ['too many arguments', ['inspect', 'one', 'two'], /too many arguments/],
    ['an unknown input format', ['convert', '--from', 'word', '--to', 'jsonl'], /expected a format .*found word/],
    ['an unknown input format of tag', ['tag', '--from', 'word'], /expected a format .*found word/],
    ['an unknown input format of evaluate', ['evaluate', '--from', 'word'], /expected a format .*found word/],
    ['an unknown output format', ['convert', '--to', 'word'], /expected a format .*found word/],
    ['an output format that is only read', ['convert', '--to', 'lines'], /format that can be written, found lines/],
    ['a folder format without a folder', ['convert', '--to', 'brat'], /expected --output FOLDER for brat, found none/],
    ['a mapping that is none', ['convert', '--to', 'jsonl', '--map', 'A'], /expected a mapping .*found A/],
    ['an unknown unit', ['convert', '--to', 'jsonl', '--offsets', 'byte'], /expected --offsets .*found byte/],
    ['no threads', ['tag', '--threads', '0'], /expected --threads 1 or more, found 0/],
    ['an impossible score', ['tag', '--min-score', '1.5'], /expected --min-score from 0 to 1, found 1.5/],
    ['epochs that are no number', ['train', '--epochs', 'x'], /whole number of 1 or more for --epochs, found x/],
    ['no epochs', ['train', '--epochs', '0'], /whole number of 1 or more for --epochs, found 0/],
    ['nothing to train from', ['train', '--corpus', 'a', '-o', 'b'], /--encoder or --from-model, found neither/],
    ['an empty text', ['inspect', ' '], /expected a text to inspect, found none/],
  ])('%s is wrong usage: one line, status 2', async (_, args, message) => {
    const { status, stdout, stderr } = await ebiobert(args, { cwd: folder });
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/^ebiobert: [^\n]+\n$/);
    expect(stderr).toMatch(message);
  });

  test('--verbose adds the stack trace, before and after the command', async () => {
    const call = { cwd: folder };
    const args = ['convert', 'absent.txt', '--to', 'jsonl'];
    const plain = await ebiobert(args, call);
    expect(plain.stderr).toBe('ebiobert: absent.txt: expected a readable file, found nothing of that name\n');
    for (const verbose of [
      ['--verbose', ...args],
      [...args, '--verbose'],
    ]) {
      const { status, stderr } = await ebiobert(verbose, call);
      expect(status).toBe(1);
      expect(stderr.startsWith(plain.stderr)).toBe(true);
      expect(stderr).toMatch(/\n {4}at /);
    }
  });

  test('a reader that closes the pipe ends the command quietly', async () => {
    const input = join(folder, 'big.txt');
    writeFileSync(input, 'Lithium helps.\n'.repeat(300_000));
    const child = start(['convert', '--from', 'lines', '--to', 'jsonl', input]);
    const errors: Buffer[] = [];
    child.stderr?.on('data', (chunk: Buffer) => errors.push(chunk));
    child.stdout?.once('data', () => child.stdout?.destroy());
    const status = await new Promise((resolve) => child.on('close', resolve));
    expect({ status, stderr: Buffer.concat(errors).toString() }).toEqual({ status: 0, stderr: '' });
  });

  test('nobody listening to diagnostics does not stop the work', async () => {
    const input = join(folder, 'repairs.tsv');
    writeFileSync(input, 'a\tO\nb\tI-Gene\n\n'.repeat(2000));
    const output = join(folder, 'repaired.jsonl');
    const child = start(['convert', '--repair-tags', '--to', 'jsonl', '--output', output, input]);
    child.stderr?.destroy();
    child.stdout?.resume();
    const status = await new Promise((resolve) => child.on('close', resolve));
    expect(status).toBe(0);
    expect(readFileSync(output, 'utf8').trimEnd().split('\n')).toHaveLength(2000);
  });
});
