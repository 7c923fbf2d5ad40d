import type { Document } from '../corpus/index.js';
import { decideDocument, type Lexicon } from '../tag/index.js';
import type { Batcher } from './batcher.js';
import { chunksOf } from './chunks.js';
import { Problem } from './problem.js';
import type { ModelAnswer } from './schemas.js';

/** A model that the server answers with. */
export interface ServedModel {
  readonly about: Omit<ModelAnswer, 'default'>;
  /** Names beside those that the model finds. */
  readonly lexicon?: Lexicon;
  readonly batcher: Batcher;
}

/** What a request asks of a model. */
export interface TagRequestOptions {
  readonly types?: readonly string[] | undefined;
  readonly minScore?: number | undefined;
}

/** The models of a server by name; the first is the default. */
export class Models {
  constructor(readonly all: readonly ServedModel[]) {}

  /** @throws Problem 404 when there is no such model */
  named(name: string | undefined): ServedModel {
    const found = name === undefined ? this.all[0] : this.all.find(({ about }) => about.name === name);
    if (found !== undefined) return found;
    const known = this.all.map(({ about }) => about.name).join(', ');
    throw new Problem(404, 'not-found', `expected a model (${known}), found another`);
  }

  get waiting(): number {
    return this.all.reduce((sum, { batcher }) => sum + batcher.waiting, 0);
  }

  /** Refuses work for a full queue before its body is read: when no model could take it. */
  admit(): void {
    let refusal: unknown;
    for (const { batcher } of this.all) {
      try {
        batcher.admit();
        return;
      } catch (error) {
        refusal = error;
      }
    }
    if (refusal !== undefined) throw refusal;
  }
}

/**
 * The documents with their entities replaced by those found.
 * @throws Problem 400 for a type that the model does not know; as `Batcher.tag`
 */
export async function tagDocuments(
  { about, lexicon, batcher }: ServedModel,
  documents: readonly Document[],
  { types, minScore = 0 }: TagRequestOptions,
  signal: AbortSignal,
): Promise<Document[]> {
  if (types?.some((type) => !about.types.includes(type)) === true) {
    throw new Problem(400, 'bad-request', `expected types of the model (${about.types.join(', ')}), found another`);
  }
  const chunks = documents.map(chunksOf);
  const found = await batcher.tag(chunks.flat(), signal);
  let next = 0;
  return documents.map((document, k) => {
    const from = next;
    next += chunks[k]?.length ?? 0;
    const entities = decideDocument(document, found.slice(from, next).flat(), {
      types: about.types,
      flat: about.flat,
      discourse: true,
      ...(types === undefined ? {} : { wanted: types }),
      ...(lexicon === undefined ? {} : { lexicon }),
    });
    return { ...document, entities: entities.filter(({ score = 1 }) => score >= minScore) };
  });
}
