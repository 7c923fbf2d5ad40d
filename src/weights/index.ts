export {
  recoverFolder,
  writeFileAtomic,
  writeFolderAtomic,
  type Chunk,
  type Chunks,
  type FolderOptions,
} from './atomic.js';
export { readBertConfig } from './bert-config.js';
export { loadBertWeights, readBertWeights, type BertWeights } from './bert-weights.js';
export { cachedModels, cacheFolder, type CachedModel } from './cache.js';
export { openCheckpoint, readJsonObject, type Checkpoint, type TokenizerFiles } from './checkpoint.js';
export { attempt, errorCode, fileError } from './file-errors.js';
export {
  checkpointFiles,
  parseHubId,
  resolveModel,
  type DownloadProgress,
  type HubId,
  type HubOptions,
  type SelectFiles,
} from './hub.js';
export {
  graphFile,
  graphLoadError,
  MODEL_FILES,
  readModelConfig,
  readModelFile,
  readModelFolder,
  readModelLexicon,
  readModelGraph,
  readModelWeights,
  type GraphName,
  type ModelFolder,
  type ModelFolderConfig,
} from './model-folder.js';
export { writeModelFolder, writeModelLexicon, type ModelFolderContent } from './model-folder-write.js';
export { averageModels } from './model-average.js';
export { openPyTorch } from './pytorch.js';
export {
  encodeSafetensors,
  parseSafetensors,
  readSafetensors,
  SafetensorsFile,
  writeSafetensors,
  type Safetensors,
} from './safetensors.js';
export { schemaError } from './schema-error.js';
export {
  toFloat32,
  type DType,
  type TensorData,
  type TensorInfo,
  type TensorSource,
  type TypedArray,
} from './tensor-data.js';
