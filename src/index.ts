import { findModel, loadTagger, type LoadOptions } from './node.js';
import { Tagger as BaseTagger } from './tag/index.js';

export * from './corpus/index.js';
export { InputError, UsageError, type Location } from './errors.js';
export { bundledModels, DEFAULT_MODEL, findModel, loadTagger, type LoadOptions } from './node.js';
export * from './score/index.js';
export type { InspectedCell, SentenceInspection, TaggerModel, TaggerOptions, TagOptions } from './tag/index.js';
export {
  CodePointIndex,
  findAbbreviations,
  splitSentences,
  splitWords,
  WordPieceTokenizer,
  type Abbreviation,
  type Span,
  type WordPieces,
} from './text/index.js';

/** Finds entities in text; see {@link BaseTagger}. */
export type Tagger = BaseTagger;

/** `Tagger.load()` loads the bundled model; a folder or a hub id loads that model. */
export const Tagger = {
  load: (model?: string, options?: LoadOptions): Promise<BaseTagger> => loadTagger(model, options),
  find: findModel,
} as const;
