export { characterIds } from './alphabet.js';
export {
  bertConfigSchema,
  modelConfigSchema,
  wordsSettingsSchema,
  type BertConfig,
  type ModelConfig,
  type SequenceConfig,
  type WordPairConfig,
  type WordsConfig,
} from './config.js';
export { MAX_WORDS } from './grid.js';
export { buildModel, labelSpace, type Losses, type ModelGraph } from './model.js';
export { decodingNames, decodingOutputs, inferenceOutputs } from './outputs.js';
