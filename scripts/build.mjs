// `npm run build`: compiles `src` to `dist` and leaves a mark of when.
import { rmSync, writeFileSync } from 'node:fs';
import { run } from './prepare.mjs';

rmSync('dist', { recursive: true, force: true });
const status = run('node', ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json']);
if (status === 0) writeFileSync('dist/.built', '');
process.exit(status);
