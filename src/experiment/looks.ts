import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import { InputError } from '../errors.js';
import { attempt, MODEL_FILES, schemaError } from '../weights/index.js';
import { attentionSchema, type AttentionResult } from './attention.js';
import { casesSchema, type CasesResult } from './cases.js';
import { costSchema, type CostResult } from './cost.js';
import type { Run } from './plan.js';

/** Where what kept models show, and what updates take, lies within the results. */
export const LOOKS = {
  attention: join('looks', 'attention.json'),
  cases: join('looks', 'cases.json'),
  cost: join('looks', 'cost.json'),
} as const;

/** What was looked at, beside the runs. */
export interface Looks {
  readonly attention?: AttentionResult;
  readonly cases?: CasesResult;
  readonly cost?: CostResult;
}

/**
 * What `experiment attention`, `experiment cases` and the runs of experiments of the kind `cost` wrote; a file that is
 * absent is left out.
 * @throws InputError for a file that is none of theirs
 */
export async function readLooks(results: string): Promise<Looks> {
  const [attention, cases, cost] = await Promise.all([
    read(join(results, LOOKS.attention), attentionSchema),
    read(join(results, LOOKS.cases), casesSchema),
    read(join(results, LOOKS.cost), costSchema),
  ]);
  return {
    ...(attention === undefined ? {} : { attention }),
    ...(cases === undefined ? {} : { cases }),
    ...(cost === undefined ? {} : { cost }),
  };
}

/** JSON with a list of numbers on one line. */
export function looksText(result: AttentionResult | CasesResult | CostResult): string {
  const text = JSON.stringify(result, null, 1);
  return `${text.replace(/\[\n([-\d.e,\s]+)\]/g, (_, numbers: string) => `[${numbers.trim().replace(/\s+/g, ' ')}]`)}\n`;
}

async function read<T>(file: string, schema: z.ZodType<T>): Promise<T | undefined> {
  if (!existsSync(file)) return undefined;
  const text = await attempt(file, 'read', readFile(file, 'utf8'));
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new InputError('expected JSON, found text that is none', { file }, { cause });
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw schemaError(parsed.error, { file });
  return parsed.data;
}

/** The folder of a run's model, where it was kept, under whatever name the run was made. */
export async function keptModel(run: Run, work: string): Promise<string | undefined> {
  const names = await readdir(work).catch(() => []);
  return names
    .filter((name) => name.endsWith(`.${run.key.slice(0, 8)}`))
    .map((name) => join(work, name, 'model'))
    .find((folder) => existsSync(join(folder, MODEL_FILES.config)));
}
