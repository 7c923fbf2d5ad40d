import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { InputError } from '../../src/errors.js';
import { recoverFolder, writeFileAtomic, writeFolderAtomic } from '../../src/weights/index.js';
import { temporaryFolder } from './files.js';

const isRoot = process.getuid?.() === 0;
const text = (path: string): string => readFileSync(path, 'utf8');

describe('a file', () => {
  test('strings, bytes, iterables and streams of them', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'a.txt');
    async function* stream(): AsyncGenerator<string | Uint8Array> {
      yield 'µ';
      yield await Promise.resolve(Buffer.from('b'));
    }
    for (const [chunks, expected] of [
      ['whole', 'whole'],
      [Buffer.from('bytes'), 'bytes'],
      [['a', Buffer.from('b'), ''], 'ab'],
      [stream(), 'µb'],
      [[], ''],
    ] as const) {
      await writeFileAtomic(path, chunks);
      expect(text(path)).toBe(expected);
    }
    expect(readdirSync(folder)).toEqual(['a.txt']);
  });

  test('a writer that fails leaves the old content and nothing else', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'a.txt');
    await writeFileAtomic(path, 'old');
    function* failing(): Generator<string> {
      yield 'new';
      throw new Error('no more');
    }
    await expect(writeFileAtomic(path, failing())).rejects.toThrow('no more');
    expect(text(path)).toBe('old');
    expect(readdirSync(folder)).toEqual(['a.txt']);
  });

  test('links and permissions of the old file stay', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'real.txt'), 'old');
    chmodSync(join(folder, 'real.txt'), 0o640);
    symlinkSync('real.txt', join(folder, 'link.txt'));
    await writeFileAtomic(join(folder, 'link.txt'), 'new');
    expect(lstatSync(join(folder, 'link.txt')).isSymbolicLink()).toBe(true);
    expect(text(join(folder, 'real.txt'))).toBe('new');
    expect(statSync(join(folder, 'real.txt')).mode & 0o777).toBe(0o640);
  });

  test('what a killed process left is cleared away, what a living one writes is not', async () => {
    const folder = temporaryFolder();
    const host = hostname().replaceAll(/[^A-Za-z0-9]/g, '-');
    const dead = join(folder, `.a.txt.${host}.${2 ** 22 + 1}.00000000.tmp`);
    const alive = join(folder, `.a.txt.${host}.${process.ppid}.00000000.tmp`);
    for (const path of [dead, alive]) writeFileSync(path, '');
    await writeFileAtomic(join(folder, 'a.txt'), 'x');
    expect([existsSync(dead), existsSync(alive)]).toEqual([false, true]);
  });

  test.each<[string, (folder: string) => string, string]>([
    [
      'a folder that does not exist',
      (folder) => join(folder, 'none', 'a'),
      'cannot write: no such file or folder (ENOENT)',
    ],
    ['a folder', (folder) => folder, 'cannot write: expected a file, found a folder'],
    [
      'a name under a file',
      (folder) => (writeFileSync(join(folder, 'f'), ''), join(folder, 'f', 'a')),
      'cannot write: expected a folder, found a file (ENOTDIR)',
    ],
  ])('%s', async (_, path, message) => {
    const target = path(temporaryFolder());
    const writing = writeFileAtomic(target, 'x');
    await expect(writing).rejects.toThrow(InputError);
    await expect(writing).rejects.toThrow(`${target}: ${message}`);
  });

  test.skipIf(isRoot)('a file and a folder that are not writable', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'a.txt');
    writeFileSync(path, 'old', { mode: 0o444 });
    await expect(writeFileAtomic(path, 'x')).rejects.toThrow('cannot write: permission denied (EACCES)');
    mkdirSync(join(folder, 'locked'), { mode: 0o555 });
    await expect(writeFileAtomic(join(folder, 'locked', 'a'), 'x')).rejects.toThrow('permission denied');
  });

  test.skipIf(!existsSync('/dev/full'))('a full disk', async () => {
    const writing = writeFileAtomic('/dev/full', 'x');
    await expect(writing).rejects.toThrow(InputError);
    await expect(writing).rejects.toThrow('/dev/full: cannot write: no space left on the disk (ENOSPC)');
  });

  test.skipIf(process.platform === 'win32')('a pipe is written, not replaced', async () => {
    const path = join(temporaryFolder(), 'pipe');
    execFileSync('mkfifo', [path]);
    const reader = spawn('cat', [path]);
    const output: Buffer[] = [];
    reader.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    // Before the write: the reader may end before the write returns.
    const closed = once(reader, 'close');
    await writeFileAtomic(path, ['a', 'b']);
    await closed;
    expect(Buffer.concat(output).toString()).toBe('ab');
    expect(statSync(path).isFIFO()).toBe(true);
  });
});

describe('a folder', () => {
  const write =
    (...names: string[]) =>
    async (folder: string): Promise<void> => {
      for (const name of names) await writeFileAtomic(join(folder, name), `new ${name}`);
    };

  test('appears whole, with the folders above it', async () => {
    const folder = temporaryFolder();
    const target = join(folder, 'runs', 'a', 'model');
    await writeFolderAtomic(target, async (inside) => {
      await write('config.json')(inside);
      expect(existsSync(target)).toBe(false);
    });
    expect(text(join(target, 'config.json'))).toBe('new config.json');
    expect(readdirSync(join(folder, 'runs', 'a'))).toEqual(['model']);
  });

  test('replaces one of the same files, through a link as well', async () => {
    const folder = temporaryFolder();
    const target = join(folder, 'model');
    mkdirSync(target);
    writeFileSync(join(target, 'config.json'), 'old');
    symlinkSync('model', join(folder, 'link'));
    await writeFolderAtomic(join(folder, 'link'), write('config.json', 'weights'));
    expect(text(join(target, 'config.json'))).toBe('new config.json');
    expect(lstatSync(join(folder, 'link')).isSymbolicLink()).toBe(true);
    expect(readdirSync(folder).sort()).toEqual(['link', 'model']);
  });

  test('a writer that fails leaves the old folder as it was', async () => {
    const folder = temporaryFolder();
    const target = join(folder, 'model');
    await writeFolderAtomic(target, write('config.json'));
    const failing = writeFolderAtomic(target, async (inside) => {
      await writeFileAtomic(join(inside, 'config.json'), 'newer');
      throw new InputError('no space left');
    });
    await expect(failing).rejects.toThrow('no space left');
    expect(text(join(target, 'config.json'))).toBe('new config.json');
    expect(readdirSync(folder)).toEqual(['model']);
  });

  test('errors name the folder that was asked for', async () => {
    const target = join(temporaryFolder(), 'model');
    const message = `${target}/none/a: cannot write: no such file or folder (ENOENT)`;
    for (const write of [writeFileAtomic, (path: string, text: string): Promise<void> => writeFile(path, text)]) {
      const writing = writeFolderAtomic(target, (inside) => write(join(inside, 'none', 'a'), 'x'));
      await expect(writing).rejects.toThrow(InputError);
      await expect(writing).rejects.toThrow(message);
    }
    const elsewhere = writeFolderAtomic(target, async () => void (await readFile('/no/such/file')));
    await expect(elsewhere).rejects.toMatchObject({ code: 'ENOENT', path: '/no/such/file' });
  });

  test("somebody's other files are never deleted", async () => {
    const folder = temporaryFolder();
    for (const name of ['thesis.tex', 'notes.txt']) writeFileSync(join(folder, name), 'mine');
    const writing = writeFolderAtomic(folder, write('config.json'));
    await expect(writing).rejects.toThrow(InputError);
    await expect(writing).rejects.toThrow(
      `${folder}: expected an empty folder or one to replace, found other files in it (notes.txt, thesis.tex)`,
    );
    expect(readdirSync(folder).sort()).toEqual(['notes.txt', 'thesis.tex']);
    await writeFolderAtomic(folder, write('config.json'), { disposable: (name) => /^(notes|thesis)/.test(name) });
    expect(readdirSync(folder)).toEqual(['config.json']);
  });

  test('a file in its place', async () => {
    const path = join(temporaryFolder(), 'model');
    writeFileSync(path, 'mine');
    await expect(writeFolderAtomic(path, write('a'))).rejects.toThrow('cannot write: expected a folder, found a file');
    expect(text(path)).toBe('mine');
  });

  test('a folder set aside by a process that was killed comes back', async () => {
    const folder = temporaryFolder();
    const target = join(folder, 'model');
    await writeFolderAtomic(target, write('config.json'));
    renameSync(target, join(folder, '.model.previous'));
    await recoverFolder(target);
    expect(text(join(target, 'config.json'))).toBe('new config.json');
    await recoverFolder(target);
    expect(readdirSync(folder)).toEqual(['model']);
  });

  test('killed at any moment, the folder is the old or the new one, whole', async () => {
    const target = join(temporaryFolder(), 'model');
    const program = `
      import { writeFile } from 'node:fs/promises';
      import { writeFolderAtomic } from ${JSON.stringify(new URL('../../src/weights/atomic.ts', import.meta.url).href)};
      for (let i = 0; ; i++) {
        await writeFolderAtomic(${JSON.stringify(target)}, async (folder) => {
          for (const name of ['a', 'b', 'c']) await writeFile(folder + '/' + name, String(i));
        });
        if (i === 0) console.log('started');
      }`;
    for (const delay of [0, 3, 7, 11, 20]) {
      const writer = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await once(writer.stdout, 'data');
      await new Promise((wake) => setTimeout(wake, delay));
      writer.kill('SIGKILL');
      await once(writer, 'close');
      await recoverFolder(target);
      const [a, b, c] = ['a', 'b', 'c'].map((name) => text(join(target, name)));
      expect(a).toMatch(/^\d+$/);
      expect([b, c]).toEqual([a, a]);
    }
    await writeFolderAtomic(target, write('a', 'b', 'c'));
    expect(readdirSync(join(target, '..'))).toEqual(['model']);
  });
});
