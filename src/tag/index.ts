export { collate, type Batch, type BatchSizes } from './collate.js';
export { SentenceEncoder, type EncodedSentence, type EncodedWindow } from './encode.js';
export { inspectWords, labelNames, type InspectedCell, type SentenceInspection } from './inspect.js';
export { Predictor } from './predictor.js';
export { Tagger, type TaggerModel, type TaggerOptions, type TagOptions } from './tagger.js';
