// `npm run bench`: installs and builds what is missing, then measures.
import { ensureBuilt, ensureInstalled, run } from './prepare.mjs';

ensureInstalled();
ensureBuilt();
const words = process.argv.slice(2);
const program = ['server', 'documents', 'biobert'].find((name) => words.includes(`--${name}`)) ?? 'main';
process.exit(run('node', ['--import', 'tsx', `bench/${program}.ts`, ...words]));
