import type { InferenceSession, InferenceSessionFactory, Tensor, TensorConstructor } from 'onnxruntime-common';
import { InternalError } from '../errors.js';
import type { Runtime, Session, SessionOptions, Value, Values } from './runtime.js';

/** What onnxruntime-node and onnxruntime-web have in common. */
export interface OnnxRuntimeModule {
  readonly InferenceSession: InferenceSessionFactory;
  readonly Tensor: TensorConstructor;
}

function fromTensor(tensor: Tensor, name: string): Value {
  const { dims } = tensor;
  switch (tensor.type) {
    case 'float32':
      return { type: 'float32', dims, data: tensor.data as Float32Array };
    case 'int32':
      return { type: 'int32', dims, data: tensor.data as Int32Array };
    case 'bool':
      return { type: 'bool', dims, data: tensor.data as Uint8Array };
    default:
      throw new InternalError(`expected a float32, int32 or bool output ${name}, found ${tensor.type}`);
  }
}

/** Log nothing below this: what fails is thrown, and a library does not print. */
const FATAL = 4;

/** The runtime over a loaded module of the onnxruntime family. */
export function onnxRuntime(module: OnnxRuntimeModule): Runtime {
  /** Tensors are made once for each value object and share its memory. */
  const tensors = new WeakMap<Value, Tensor>();

  function toTensor(value: Value): Tensor {
    const known = tensors.get(value);
    if (known !== undefined) return known;
    const tensor = new module.Tensor(value.type, value.data, value.dims);
    tensors.set(value, tensor);
    return tensor;
  }

  function toTensors(values: Values): Record<string, Tensor> {
    return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, toTensor(value)]));
  }

  return {
    async load(model: Uint8Array, options: SessionOptions = {}): Promise<Session> {
      const settings: InferenceSession.SessionOptions = {
        executionProviders: [...(options.providers ?? ['cpu'])],
        graphOptimizationLevel: 'all',
        logSeverityLevel: FATAL,
        extra: { session: { set_denormal_as_zero: '1' } },
        ...(options.threads === undefined ? {} : { intraOpNumThreads: options.threads }),
        ...(options.profile === undefined ? {} : { enableProfiling: true, profileFilePrefix: options.profile }),
      };
      const session = await module.InferenceSession.create(model, settings);
      return {
        inputNames: session.inputNames,
        outputNames: session.outputNames,
        async run(feeds, targets = {}, outputs = session.outputNames) {
          const unknown = Object.keys(targets).find((name) => !session.outputNames.includes(name));
          if (unknown !== undefined) {
            throw new RangeError(`expected targets among ${session.outputNames.join(', ')}, found ${unknown}`);
          }
          const wanted: Record<string, null> = Object.fromEntries(outputs.map((name) => [name, null]));
          const results = await session.run(toTensors(feeds), { ...wanted, ...toTensors(targets) });
          return Object.fromEntries(
            Object.entries(results).map(([name, tensor]) => [name, targets[name] ?? fromTensor(tensor, name)]),
          );
        },
        async release() {
          if (options.profile !== undefined) session.endProfiling();
          await session.release();
        },
      };
    },
  };
}
