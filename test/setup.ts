import fc from 'fast-check';

/** Properties are tried on the same values at every run; `FUZZ=1 npx vitest run` looks for new ones. */
if (process.env['FUZZ'] === undefined) fc.configureGlobal({ seed: 20_230_124 });
