import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { Piece } from '../../src/corpus/format.js';
import { writePieces } from '../../src/corpus/output.js';
import { chunksOf, temporaryFolder } from './support.js';

const folder = temporaryFolder();
const path = (...names: string[]) => join(folder, ...names);
const pieces = (...texts: string[]) => chunksOf<Piece>(texts.map((text) => ({ text })));
async function* failing(): AsyncGenerator<Piece, void> {
  yield await Promise.resolve({ text: 'half' });
  throw new Error('broken');
}

describe('writing', () => {
  test('pieces become one file, compressed by its name', async () => {
    await writePieces(path('a.txt'), pieces('β😀', '\n', 'end'));
    expect(readFileSync(path('a.txt'), 'utf8')).toBe('β😀\nend');
    await writePieces(path('a.gz'), pieces('x'.repeat(3_000_000), 'end'));
    expect(gunzipSync(readFileSync(path('a.gz'))).toString()).toBe(`${'x'.repeat(3_000_000)}end`);
    await writePieces(path('none.txt'), pieces());
    expect(readFileSync(path('none.txt'), 'utf8')).toBe('');
  });

  test('a failure leaves the old file, and nothing else', async () => {
    const before = readdirSync(folder);
    writeFileSync(path('kept.txt'), 'old');
    await expect(writePieces(path('kept.txt'), failing())).rejects.toThrow('broken');
    expect(readFileSync(path('kept.txt'), 'utf8')).toBe('old');
    await expect(writePieces(path('new.txt'), failing())).rejects.toThrow('broken');
    expect(readdirSync(folder).sort()).toEqual([...before, 'kept.txt'].sort());
  });

  test('a file that may not be written is refused before anything is asked for', async () => {
    writeFileSync(path('locked.txt'), 'old');
    chmodSync(path('locked.txt'), 0o444);
    let asked = false;
    const watched = (async function* (): AsyncGenerator<Piece, void> {
      asked = true;
      yield await Promise.resolve({ text: 'new' });
    })();
    await expect(writePieces(path('locked.txt'), watched)).rejects.toThrow(
      /locked\.txt: expected a file that may be written/,
    );
    expect([readFileSync(path('locked.txt'), 'utf8'), asked]).toEqual(['old', false]);
  });

  test('folders and files are not mistaken for each other', async () => {
    mkdirSync(path('folder'));
    await expect(writePieces(path('folder'), pieces('x'))).rejects.toThrow(/expected a file to write, found a folder/);
    await expect(writePieces(path('absent', 'x.txt'), pieces('x'))).rejects.toThrow(
      /expected a folder to write the file in/,
    );
    writeFileSync(path('plain'), 'old');
    const inside = chunksOf<Piece>([{ file: 'x.txt', text: 'x' }]);
    await expect(writePieces(path('plain'), inside)).rejects.toThrow(/expected a folder to write to, found a file/);
    expect(readFileSync(path('plain'), 'utf8')).toBe('old');
  });

  test('pieces that name files fill a folder', async () => {
    const files = [
      { file: '1.txt', text: 'a' },
      { file: '1.txt', text: 'b' },
      { file: '1.ann', text: '' },
    ];
    await writePieces(path('made'), chunksOf<Piece>(files));
    expect(readdirSync(path('made'))).toEqual(['1.ann', '1.txt']);
    expect(readFileSync(path('made', '1.txt'), 'utf8')).toBe('ab');
  });

  test('mode and links stay as they are', async () => {
    writeFileSync(path('private'), 'old', { mode: 0o600 });
    symlinkSync(path('private'), path('link'));
    await writePieces(path('link'), pieces('new'));
    expect(lstatSync(path('link')).isSymbolicLink()).toBe(true);
    expect(readFileSync(path('private'), 'utf8')).toBe('new');
    expect(statSync(path('private')).mode & 0o777).toBe(0o600);
    await writePieces('/dev/null', pieces('x'));
    expect(statSync('/dev/null').isFile()).toBe(false);
  });
});
