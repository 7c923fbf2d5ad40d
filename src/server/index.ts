export { Batcher, type BatchObserver, type BatchRecord } from './batcher.js';
export { taggerEngine, type Engine } from './engine.js';
export { isLoopback } from './access.js';
export { defaultLimits, type Limits } from './limits.js';
export { loadModels, type LoadedModel, type LoadModelsOptions } from './load.js';
export { createServer, type LogStream, type ServerOptions } from './server.js';
