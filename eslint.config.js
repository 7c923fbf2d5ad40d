import tseslint from 'typescript-eslint';

/** Layers of the library, lowest first: a folder imports only from folders before it. */
const layers = [
  'text',
  'corpus',
  'scheme',
  'score',
  'graph',
  'nn',
  'model',
  'weights',
  'runtime',
  'tag',
  'train',
  'experiment',
  'server',
  'cli',
];
const browserSafe = ['text', 'scheme', 'graph', 'nn', 'model', 'tag'];

const layerRules = layers.map((layer, k) => ({
  files: [`src/${layer}/**/*.ts`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          ...(k + 1 < layers.length
            ? [
                {
                  group: layers.slice(k + 1).map((upper) => `**/${upper}/**`),
                  message: `src/${layer} imports only from lower layers.`,
                },
              ]
            : []),
          ...(browserSafe.includes(layer)
            ? [{ group: ['node:*'], message: `src/${layer} runs in a browser too.` }]
            : []),
        ],
      },
    ],
  },
}));

export default tseslint.config(
  { ignores: ['dist/**', 'node_modules/**', 'runs/**', 'web/dist/**', 'docs/api/**'] },
  ...tseslint.configs.strict,
  {
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/restrict-template-expressions': 'off',
    },
  },
  { files: ['src/**/*.ts'], ignores: ['src/cli/**'], rules: { 'no-console': 'error' } },
  ...layerRules,
);
