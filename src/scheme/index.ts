export { comparePositions, type LabelLayout, type WordEntity } from './entity.js';
export { gridLabels, NNW, NONE, THW, type Collision } from './grid.js';
export { decodeCells, decodeGrid, type DecodeOptions, type GridView, type SparseGrid } from './decode.js';
export { flatten, isFlat } from './flatten.js';
export {
  allowedTransitions,
  entitiesOfLabels,
  entitiesOfTags,
  labelsPerType,
  sequenceLabels,
  tagNames,
  tagsOf,
  type SequenceScheme,
  type Transitions,
} from './bio.js';
export { decodeCrf, type CrfTransitions, type CrfView } from './crf-decode.js';
export { decodeSequence, type SequenceOptions, type SequenceView } from './sequence-decode.js';
export { likeliestLabels, likeliestPath, weightsOf, type ChainWeights } from './viterbi.js';
