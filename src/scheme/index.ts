export type { LabelLayout, WordEntity } from './entity.js';
export { decodeGrid, flatten, type GridView } from './grid-decode.js';
export { gridLabels, NNW, NONE, THW } from './grid-labels.js';
export { decodeSequence, sequenceLabels, type SequenceScheme, type SequenceView } from './sequence-labels.js';
