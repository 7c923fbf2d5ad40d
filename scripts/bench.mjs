// `npm run bench`: installs and builds what is missing, then measures.
import { ensureBuilt, ensureInstalled, run } from './prepare.mjs';

ensureInstalled();
ensureBuilt();
const program = process.argv.includes('--server') ? 'bench/server.ts' : 'bench/main.ts';
process.exit(run('node', ['--import', 'tsx', program, ...process.argv.slice(2)]));
