export { addDims, at, evaluateDim, multiplyDims, sizeOf, symbol, type Dim, type Shape } from './dim.js';
export { gradient } from './gradient.js';
export * as ops from './ops.js';
export type { LstmWeights, Operand } from './ops.js';
export type { Attributes, ConstantData, DType, Primitive } from './primitives.js';
export { Tensor } from './tensor.js';
export { toOnnx, type LowerOptions } from './onnx/lower.js';
export { quantizedActivations, type ActivationRanges } from './onnx/quantize.js';
