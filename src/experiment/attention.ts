import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { z } from 'zod';
import type { Session } from '../runtime/index.js';
import type { ModelConfig } from '../model/index.js';
import { inspectSentences, type Vocabulary, type WordSentence } from '../tag/index.js';
import { splitWords } from '../text/index.js';
import { DiversityMeter, type AttentionMap } from './diversity.js';

/** The sentences whose attention Guan and Zhou (2023) draw in their Figs. 7, 8 and 10. */
export const PAPER_SENTENCES = [
  'The first recognized human kindred with hereditary deficiency of the fifth component of complement (C5) is described.',
  'Effects of a new calcium antagonist, CD-832',
] as const;

const share = z.number().min(-1).max(1);
const byHead = z.array(share);

/** Which run a model is of. */
const modelSchema = z.strictObject({ system: z.string(), seed: z.int(), run: z.string() });

const diversitySchema = z.strictObject({
  ...modelSchema.shape,
  layers: z.array(
    z.strictObject({ cosineP: share, cosineO: share, diagonal: byHead, special: byHead, prefix: byHead }),
  ),
  guided: z.strictObject({ cosineP: share, cosineO: share }),
});

const mapsSchema = z.strictObject({
  ...modelSchema.shape,
  prefix: z.int().min(0),
  /** What `packMaps` made of [layers, heads, pieces, prefix + pieces]. */
  values: z.base64(),
});

export const attentionSchema = z.strictObject({
  format: z.literal(2),
  version: z.string(),
  /** What diversity is the mean over. */
  corpus: z.string(),
  split: z.string(),
  sentences: z.int().positive(),
  /** Layers, from 0, whose maps the guidance compares. */
  guided: z.array(z.int().min(0)),
  layers: z.int().positive(),
  heads: z.int().positive(),
  diversity: z.array(diversitySchema),
  maps: z.array(z.strictObject({ text: z.string(), pieces: z.array(z.string()), models: z.array(mapsSchema) })),
});

/** The attention of models with and without guidance: how alike the heads are, and maps to be drawn. */
export type AttentionResult = z.infer<typeof attentionSchema>;
export type ModelDiversity = z.infer<typeof diversitySchema>;
export type SentenceMaps = AttentionResult['maps'][number];
export type ModelMaps = SentenceMaps['models'][number];

/** A model that attention is taken from. */
export interface AttentionModel extends Vocabulary {
  readonly system: string;
  readonly seed: number;
  readonly run: string;
  readonly config: ModelConfig;
  readonly session: Session;
}

/** How alike the heads of a model are, over sentences of several pieces. */
export async function measureDiversity(
  { system, seed, run, config, session, ...vocabulary }: AttentionModel,
  sentences: readonly WordSentence[],
  guided: readonly number[],
): Promise<ModelDiversity> {
  const meter = new DiversityMeter(config.prefix, guided);
  for (const sentence of sentences) {
    for (const { attention } of await inspectSentences(session, config, vocabulary, [sentence])) meter.add(attention);
  }
  return { system, seed, run, ...meter.result() };
}

/** The attention maps of a sentence in each of several models with the same pieces. */
export async function sentenceMaps(text: string, models: readonly AttentionModel[]): Promise<SentenceMaps> {
  const words = splitWords(text).map(({ start, end }) => text.slice(start, end));
  let labels: readonly string[] = [];
  const maps: ModelMaps[] = [];
  for (const { system, seed, run, config, session, ...vocabulary } of models) {
    const [inspection] = await inspectSentences(session, config, vocabulary, [{ words }]);
    if (inspection === undefined) throw new RangeError(`expected a sentence with words, found ${JSON.stringify(text)}`);
    labels = inspection.pieces;
    maps.push({ system, seed, run, prefix: config.prefix, values: packMaps(inspection.attention) });
  }
  return { text, pieces: [...labels], models: maps };
}

/**
 * Attention in 8 bits a value, deflated (RFC 1951), in base64: 255 times its square root, since most of it is faint. An
 * attention a is read back with an error of sqrt(a) / 255 + 1/510² at most.
 */
export function packMaps(attention: readonly (readonly AttentionMap[])[]): string {
  const bytes = Uint8Array.from(attention.flat(3), (value) => Math.round(255 * Math.sqrt(value)));
  return deflateRawSync(bytes, { level: 9 }).toString('base64');
}

/**
 * The maps of all heads as they were packed, layer after layer, each [pieces][prefix + pieces].
 * @throws RangeError when they are not whole maps of this size
 */
export function unpackMaps({ prefix, values }: Pick<ModelMaps, 'prefix' | 'values'>, pieces: number): number[][][] {
  const columns = prefix + pieces;
  const bytes = inflateRawSync(Buffer.from(values, 'base64'));
  const maps = bytes.length / (pieces * columns);
  if (!Number.isInteger(maps))
    throw new RangeError(`expected maps of ${pieces} x ${columns}, found ${bytes.length} values`);
  return Array.from({ length: maps }, (_, map) =>
    Array.from({ length: pieces }, (_, row) => {
      const first = (map * pieces + row) * columns;
      return Array.from(bytes.subarray(first, first + columns), (byte) => (byte / 255) ** 2);
    }),
  );
}
