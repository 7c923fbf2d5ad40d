/**
 * Finds genes, chemicals and diseases in text, and reads, writes and scores annotated documents. Spans are half-open, in
 * UTF-16 code units of the text as it was given, so `text.slice(start, end)` is the mention.
 *
 * @example
 * ```js
 * import { Tagger } from 'ebiobert';
 *
 * const tagger = await Tagger.load();
 * const entities = await tagger.tag('Cisplatin is used in ovarian cancer.');
 * await tagger.dispose();
 * ```
 *
 * @module ebiobert
 */
export * from './corpus/index.js';
export { InputError, UsageError, type Location } from './errors.js';
export type { BertConfig, ModelConfig, SequenceConfig, WordPairConfig, WordsConfig } from './model/index.js';
export { bundledModels, DEFAULT_MODEL, findModel, loadTagger, Tagger, type LoadOptions } from './node.js';
export type { Runtime, Session, SessionOptions, Value, Values } from './runtime/index.js';
export type { WordEntity } from './scheme/index.js';
export * from './score/index.js';
export {
  inspectionSvg,
  Lexicon,
  parseLexicon,
  type InspectedCell,
  type InspectionSvgOptions,
  type LexiconName,
  type SentenceInspection,
  type TaggerModel,
  type TaggerOptions,
  type TagOptions,
  type Vocabulary,
} from './tag/index.js';
export {
  CodePointIndex,
  findAbbreviations,
  Gazetteer,
  parseNames,
  splitSentences,
  splitWords,
  WordPieceTokenizer,
  type Abbreviation,
  type AddedToken,
  type BertNormalizer,
  type GazetteerName,
  type PlacedName,
  type Span,
  type TokenizerJson,
  type VocabularyOptions,
  type WordPieceModel,
  type WordPieces,
} from './text/index.js';
