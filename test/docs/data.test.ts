import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { collect, guessFormat, readDocuments } from '../../src/corpus/index.js';
import { modelConfigSchema } from '../../src/model/index.js';
import { trainingConfigSchema } from '../../src/train/index.js';
import { project } from '../cli/support/run.js';
import { blocks, pages, pageText } from './support/pages.js';

const encoder = {
  vocab_size: 100,
  hidden_size: 24,
  num_hidden_layers: 12,
  num_attention_heads: 2,
  intermediate_size: 24,
  max_position_embeddings: 64,
  type_vocab_size: 2,
  layer_norm_eps: 1e-12,
  hidden_dropout_prob: 0,
  attention_probs_dropout_prob: 0,
  initializer_range: 0.02,
};

test.each(blocks('json'))('$place is JSON, and a config or a document where it looks like one', async ({ code }) => {
  const value = JSON.parse(code) as Record<string, unknown>;
  if (typeof value['model'] === 'object') {
    const { model, training, ...rest } = value as { model: object; training?: object };
    expect(Object.keys(rest)).toEqual([]);
    const words = 'words' in model ? { ...(model.words as object), vocabulary: 100 } : null;
    expect(modelConfigSchema.safeParse({ types: ['Disease'], encoder, ...model, words }).error).toBeUndefined();
    expect(trainingConfigSchema.safeParse(training ?? {}).error).toBeUndefined();
  } else if ('text' in value || 'tokens' in value) {
    async function* chunks(): AsyncGenerator<string> {
      yield await Promise.resolve(code);
    }
    const format = guessFormat(code);
    expect(format.name).toBe('tokens' in value ? 'hf' : 'jsonl');
    const [document] = await collect(readDocuments({ name: 'page', chunks: chunks() }));
    expect(document?.entities.length).toBeGreaterThan(0);
  }
});

/** What GitHub makes of a heading. */
function anchor(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

test.each([...pages, 'CHANGELOG.md'])('the links of %s lead somewhere', (page) => {
  const broken: string[] = [];
  const anchors = (path: string): string[] =>
    [...pageText(path).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchor(heading));
  for (const [, target = ''] of pageText(page).matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^[a-z]+:/.test(target)) continue;
    const [path = '', fragment] = target.split('#');
    const file = path === '' ? join(project, page) : join(project, dirname(page), path);
    const found = existsSync(file);
    const known = fragment === undefined || (found && anchors(relative(project, file)).includes(fragment));
    if (!found || !known) broken.push(target);
  }
  expect(broken).toEqual([]);
});

test('every guide can be found from README.md', () => {
  const named = [...pageText('README.md').matchAll(/\]\((docs\/[^)#]+\.md)/g)].map(([, path]) => path);
  expect(pages.filter((page) => page.startsWith('docs/') && !named.includes(page))).toEqual([]);
});
