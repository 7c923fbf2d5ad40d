// `npm run bench`: installs and builds what is missing, then measures.
import { ensureBuilt, ensureInstalled, run } from './prepare.mjs';

ensureInstalled();
ensureBuilt();
process.exit(run('node', ['--import', 'tsx', 'bench/main.ts', ...process.argv.slice(2)]));
