// `npm test`: installs what is missing, builds, and runs all tests; works on a bare clone.
import { ensureBuilt, ensureInstalled, run } from './prepare.mjs';

ensureInstalled();
ensureBuilt();
process.exit(run('node', ['node_modules/vitest/vitest.mjs', 'run', ...process.argv.slice(2)]));
