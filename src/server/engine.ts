import type { Document, Entity } from '../corpus/index.js';
import type { Tagger } from '../tag/index.js';

/** Runs a model, one call after the other. */
export interface Engine {
  /** The entities of each sentence of parts of documents, whose names do not vote yet; an abort ends the work between two runs of the graph. */
  tag(documents: readonly Document[], signal: AbortSignal): Promise<readonly (readonly Entity[])[]>;
  dispose(): Promise<void>;
}

/** A tagger in this thread: its runs hold up everything else that the thread does. */
export function taggerEngine(tagger: Tagger): Engine {
  return {
    async tag(documents, signal) {
      const found: (readonly Entity[])[] = [];
      for await (const { entities } of tagger.tagDocuments(documents, { signal, discourse: false }))
        found.push(entities);
      return found;
    },
    dispose: () => tagger.dispose(),
  };
}
