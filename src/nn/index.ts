export { selfAttention, type Attention, type AttentionConfig } from './attention.js';
export { characterFeatures, type CharacterConfig } from './characters.js';
export { crf, crfExpectedLoss, crfLoss, logPartition, type Crf } from './crf.js';
export { biLstm, layerNorm, linear, normalise } from './layers.js';
export {
  count,
  fixed,
  normal,
  ones,
  pattern,
  Scope,
  uniform,
  zeros,
  type Initialiser,
  type MaskSpec,
  type ParameterGroup,
  type ParameterSpec,
  type RowAccess,
} from './scope.js';
