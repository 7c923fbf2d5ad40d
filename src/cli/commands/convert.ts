import { Command } from 'commander';
import { addInputOptions, checkOutput, Faults, offsetUnit, readInputs, writeOutput, type InputOptions } from '../io.js';

interface Options extends InputOptions {
  readonly to: string;
  readonly output?: string;
  readonly offsets?: string;
  readonly keepGoing?: boolean;
}

export const command = addInputOptions(
  new Command('convert')
    .argument('[files...]', 'files or folders; standard input where absent')
    .description(
      'Reads documents in one format and writes them in another; what the other cannot express is reported.',
    ),
)
  .requiredOption('--to <format>', 'format of the output')
  .option('-o, --output <file>', 'file or folder to write; standard output where absent')
  .option('--offsets <unit>', 'unit of offsets in JSONL: codepoint (default) or utf16')
  .option('--keep-going', 'leave out documents that cannot be read, say so, and end with status 1')
  .action(async (files: readonly string[], options: Options) => {
    checkOutput(options.to, options.output);
    const faults = options.keepGoing === true ? new Faults() : undefined;
    const documents = readInputs(files, options, { faults });
    await writeOutput(documents, options.to, options.output, offsetUnit(options.offsets));
    faults?.print();
  });
