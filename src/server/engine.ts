import type { Document, Entity } from '../corpus/index.js';
import type { Tagger } from '../tag/index.js';

/** Runs a model, one call after the other. */
export interface Engine {
  /**
   * What the model marks in each sentence of parts of documents, overlaps included, before anything is decided; an abort
   * ends the work between two runs of the graph.
   */
  tag(documents: readonly Document[], signal: AbortSignal): Promise<readonly (readonly Entity[])[]>;
  dispose(): Promise<void>;
}

/** A tagger in this thread: its runs hold up everything else that the thread does. */
export function taggerEngine(tagger: Tagger): Engine {
  return {
    async tag(documents, signal) {
      const found: (readonly Entity[])[] = [];
      const options = { signal, discourse: false, lexicon: false, flat: false };
      for await (const { entities } of tagger.tagDocuments(documents, options)) found.push(entities);
      return found;
    },
    dispose: () => tagger.dispose(),
  };
}
