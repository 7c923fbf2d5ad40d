// What `npm start` and `npm test` do first on a bare clone.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Runs a command in the project's folder with its output shown; returns its exit status. */
export function run(command, args) {
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    // npm is a script on Windows, which only a shell starts.
    shell: command === 'npm' && process.platform === 'win32',
  });
  if (error) console.error(`${command}: ${error.message}`);
  return status ?? 1;
}

function modified(path) {
  return existsSync(path) ? statSync(path).mtimeMs : 0;
}

/** The latest change of any file below a folder. */
function newest(folder) {
  return Math.max(
    ...readdirSync(folder, { withFileTypes: true }).map((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? newest(path) : modified(path);
    }),
  );
}

/** Installs the packages of the lockfile where they are missing or older than it. */
export function ensureInstalled() {
  const installed = modified(join(root, 'node_modules/.package-lock.json'));
  if (installed >= modified(join(root, 'package-lock.json'))) return;
  console.error('Installing packages ...');
  if (run('npm', ['ci']) !== 0) process.exit(1);
}

/** Compiles `src` to `dist` where it has changed. */
export function ensureBuilt() {
  if (modified(join(root, 'dist/.built')) >= Math.max(newest(join(root, 'src')), modified(join(root, 'package.json'))))
    return;
  console.error('Building ...');
  if (run('npm', ['run', '--silent', 'build']) !== 0) process.exit(1);
}
