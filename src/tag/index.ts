export { collate, type Batch, type BatchSizes } from './collate.js';
export { oneSensePerDiscourse, oneSensePerDocument } from './discourse.js';
export {
  SentenceEncoder,
  type EncodedSentence,
  type EncodedWindow,
  type WindowPart,
  type WordSentence,
} from './encode.js';
export { inspectSentences, labelNames, type InspectedCell, type SentenceInspection } from './inspect.js';
export { inspectionSvg, type InspectionSvgOptions } from './inspection-svg.js';
export { Predictor } from './predictor.js';
export { Tagger, type TaggerModel, type TaggerOptions, type TagOptions } from './tagger.js';
export { wordsOfSpans } from './spans.js';
