import * as ort from 'onnxruntime-node';
import { onnxRuntime } from './onnxruntime.js';
import type { Runtime } from './runtime.js';

/** ONNX Runtime's native build for Node: CPU everywhere, WebGPU and CUDA where the machine has them. */
export const nodeRuntime: Runtime = onnxRuntime(ort);
