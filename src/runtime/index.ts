export { EMPTY_SEQUENCE, onnxRuntime, type OnnxRuntimeModule } from './onnxruntime.js';
export { inputsOf } from './runtime.js';
export type { Runtime, Session, SessionOptions, Value, Values } from './runtime.js';
