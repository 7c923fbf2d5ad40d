export { characterIds } from './alphabet.js';
export {
  bertConfigSchema,
  modelConfigSchema,
  type BertConfig,
  type ModelConfig,
  type SequenceConfig,
  type WordPairConfig,
} from './config.js';
export { MAX_WORDS } from './grid.js';
export { buildModel, labelSpace, type Losses, type ModelGraph } from './model.js';
export { decodingNames, decodingOutputs, inferenceOutputs } from './outputs.js';
