import { z } from 'zod';

const registry = z.registry<{ id: string }>();

/** Names a schema, so that the OpenAPI document refers to it. */
function named<S extends z.ZodType>(id: string, schema: S): S {
  registry.add(schema, { id });
  return schema;
}

const options = {
  model: z.string().optional().describe('One of the models of GET /models; the first of them where absent.'),
  types: z
    .array(z.string())
    .min(1)
    .optional()
    .describe('Types to find, all of the model where absent; others do not compete for words.'),
  minScore: z.number().min(0).max(1).optional().describe('Entities with a lower score are left out.'),
  offsets: z
    .enum(['codepoint', 'utf16'])
    .optional()
    .describe('What offsets count: Unicode code points, as Python does, or UTF-16 code units, as JavaScript does.'),
};

export const tagOneSchema = named(
  'TagOne',
  z.strictObject({ text: z.string(), ...options }).describe('One text to tag.'),
);

export const tagManySchema = named(
  'TagMany',
  z
    .strictObject({
      texts: z.array(z.union([z.string(), z.strictObject({ id: z.string(), text: z.string() })])).min(1),
      ...options,
    })
    .describe('Texts to tag, each with an id of your own where you want one.'),
);

export const entitySchema = named(
  'Entity',
  z.strictObject({
    id: z.string().optional(),
    type: z.string().describe('`Gene`, `Chemical`, `Disease`, or what else the model knows.'),
    start: z.int().min(0),
    end: z.int().min(1).describe('The first offset after the mention.'),
    text: z.string().describe('The mention; the fragments of a discontinuous one are joined by a space.'),
    score: z.number().min(0).max(1).optional(),
    spans: z
      .array(z.tuple([z.int().min(0), z.int().min(1)]))
      .min(2)
      .optional()
      .describe('The fragments of a discontinuous mention; `start` and `end` are their hull.'),
    attributes: z.record(z.string(), z.string()).optional(),
  }),
);

const answer = {
  model: z.string(),
  offsets: z.enum(['codepoint', 'utf16']),
};

export const taggedOneSchema = named(
  'TaggedOne',
  z.strictObject({ ...answer, entities: z.array(entitySchema) }).describe('The entities of one text.'),
);

export const taggedManySchema = named(
  'TaggedMany',
  z
    .strictObject({
      ...answer,
      documents: z.array(z.strictObject({ id: z.string(), entities: z.array(entitySchema) })),
    })
    .describe('The entities of several texts, or of the documents of a file, in their order.'),
);

/** The options of a whole document, in the query. */
export const documentQuerySchema = z.strictObject({
  from: z.string().optional().describe('Format of the body, before what Content-Type says.'),
  to: z.string().optional().describe('Format of the answer, before what Accept says.'),
  model: options.model,
  types: z.string().optional().describe('Types to find, separated by commas.'),
  minScore: z.coerce.number().min(0).max(1).optional(),
  offsets: options.offsets,
});

export const modelSchema = named(
  'Model',
  z.strictObject({
    name: z.string(),
    default: z.boolean().describe('Whether it answers requests that name no model.'),
    kind: z.enum(['word-pair', 'sequence']),
    types: z.array(z.string()),
    flat: z.boolean().describe('Whether overlapping entities are resolved by score.'),
    scores: z.record(z.string(), z.json()).optional().describe('What it scored, and how that was measured.'),
  }),
);

export const modelsSchema = named('Models', z.strictObject({ models: z.array(modelSchema).min(1) }));

export const healthSchema = named(
  'Health',
  z.strictObject({
    status: z.enum(['ok', 'closing']),
    version: z.string(),
    waiting: z.int().min(0).describe('Requests that wait for a model.'),
    uptime: z.number().min(0).describe('Seconds since the start.'),
  }),
);

export const problemSchema = named(
  'Problem',
  z
    .strictObject({
      title: z.string(),
      status: z.int(),
      code: z.string().describe('The same kind of problem has the same code.'),
      detail: z.string().describe('What was expected and what was found.'),
    })
    .describe('RFC 9457.'),
);

export type EntityAnswer = z.infer<typeof entitySchema>;
export type ModelAnswer = z.infer<typeof modelSchema>;
export type TagRequest = z.infer<typeof tagOneSchema> | z.infer<typeof tagManySchema>;

/** JSON Schemas (2020-12) of everything named, as OpenAPI's components. */
export function componentSchemas(): Record<string, Record<string, unknown>> {
  const { schemas } = z.toJSONSchema(registry, { target: 'draft-2020-12', uri: (id) => `#/components/schemas/${id}` });
  const own = (entries: object): [string, unknown][] =>
    Object.entries(entries).filter(([keyword]) => keyword !== '$schema' && keyword !== '$id');
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, Object.fromEntries(own(schema))]));
}
