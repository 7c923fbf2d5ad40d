import { closeSync, openSync, statSync, unlinkSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ebiobert, temporaryFolder } from './support/run.js';

const folder = temporaryFolder();

/** Bytes of the files, and what converting one may take in all: Node alone takes some 50 MB of it. */
const [SIZE, MEMORY] = [160e6, 140e6];
/** Old space of the heap in MiB, so that garbage does not count. */
const HEAP = 48;

const sentences = 'Lithium helps. '.repeat(20);
const word = 'x'.repeat(60);
const big: readonly [from: string, document: string, to: string][] = [
  ['pubtator', `1|t|${sentences}\n1|a|Yes.\n1\t0\t7\tLithium\tChemical\tD1\n\n`, 'jsonl'],
  ['jsonl', `${JSON.stringify({ text: sentences, entities: [{ type: 'Chemical', start: 0, end: 7 }] })}\n`, 'pubtator'],
  ['iob', `${word}\tB-Chemical\n${word}\tO\n\n`, 'jsonl'],
  ['lines', `${sentences}\n`, 'jsonl'],
];

/** Reports the most memory that a process ever had, in KiB, as its last line. */
const hook = join(folder, 'hook.mjs');
writeFileSync(hook, "process.on('exit', () => process.stderr.write(`${process.resourceUsage().maxRSS}\\n`));\n");

function writeBig(path: string, document: string): number {
  const file = openSync(path, 'w');
  const block = document.repeat(Math.ceil(1e6 / document.length));
  const blocks = Math.ceil(SIZE / block.length);
  for (let k = 0; k < blocks; k++) writeSync(file, block);
  closeSync(file);
  return (blocks * block.length) / document.length;
}

describe('a file that is larger than the memory goes through', () => {
  test.each(big)('%s', { timeout: 240_000 }, async (from, document, to) => {
    const [input, output] = [join(folder, `big.${from}`), join(folder, `out.${to}`)];
    const documents = writeBig(input, document);
    const { status, stderr } = await ebiobert(['convert', '--from', from, '--to', to, input, '--output', output], {
      env: { NODE_OPTIONS: `--max-old-space-size=${HEAP} --import ${hook}` },
    });
    expect(status).toBe(0);
    expect(Number(stderr.trim().split('\n').at(-1)) * 1024).toBeLessThan(MEMORY);
    expect(statSync(output).size).toBeGreaterThan(documents * 10);
    unlinkSync(input);
    unlinkSync(output);
  });
});
