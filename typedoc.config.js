// `npm run docs`: the API reference of every entry point of the package, in `docs/api`.
import { readFileSync } from 'node:fs';

const { exports } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));

/** @type {import('typedoc').TypeDocOptions} */
export default {
  name: 'ebiobert',
  entryPoints: Object.values(exports).flatMap(({ types }) =>
    types === undefined ? [] : [types.replace('./dist/', 'src/').replace(/\.d\.ts$/, '.ts')],
  ),
  tsconfig: 'tsconfig.build.json',
  out: 'docs/api',
  readme: 'none',
  githubPages: false,
  disableGit: true,
  disableSources: true,
  excludePrivate: true,
  excludeInternal: true,
  // `Tagger` of the entry point is this class with what Node adds.
  intentionallyNotExported: ['src/tag/tagger.ts:Tagger'],
  treatWarningsAsErrors: true,
  treatValidationWarningsAsErrors: true,
  requiredToBeDocumented: ['Class', 'Interface', 'TypeAlias', 'Variable', 'Function', 'Method', 'Accessor'],
  validation: { notExported: true, invalidLink: true, invalidPath: true, rewrittenLink: true, notDocumented: true },
};
