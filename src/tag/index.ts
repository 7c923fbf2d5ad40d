export { calibrate, observeActivations } from './calibrate.js';
export { collate, type Batch, type BatchSizes } from './collate.js';
export { decideDocument, type Decision } from './decide.js';
export {
  SentenceEncoder,
  type EncodedSentence,
  type EncodedWindow,
  type Vocabulary,
  type WindowPart,
  type WordSentence,
} from './encode.js';
export { inspectSentences, labelNames, type InspectedCell, type SentenceInspection } from './inspect.js';
export { inspectionSvg, type InspectionSvgOptions } from './inspection-svg.js';
export { Lexicon, lexiconText, parseLexicon, type LexiconName } from './lexicon.js';
export { Predictor } from './predictor.js';
export { Tagger, type TaggerModel, type TaggerOptions, type TagOptions } from './tagger.js';
export { wordsOfSpans } from './spans.js';
export { foldWord } from './surface.js';
