import type { InferenceSession, InferenceSessionFactory, Tensor, TensorConstructor } from 'onnxruntime-common';
import { InternalError } from '../errors.js';
import { ops, toOnnx } from '../graph/index.js';
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

/**
 * An output of this name that comes first and is an empty sequence (`LowerOptions.emptySequence`) saves copies. The Node
 * binding (onnxruntime-node 1.30) copies every output into a fresh array, one with a target too: of a training step that
 * is every gradient, 340 MB over BERT-base. It does so after the run, in the order of the graph, and cannot say a
 * sequence: with one in front the call ends there, with an error, all targets written and nothing copied.
 */
export const EMPTY_SEQUENCE = 'empty_sequence';

/** Whether this is what the binding says to a sequence. */
function isSequenceError(error: unknown): boolean {
  return error instanceof Error && error.message === 'Non tensor type is temporarily not supported.';
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

  let endsAtSequence: Promise<boolean> | undefined;

  /** Whether the binding does what `EMPTY_SEQUENCE` says of it; tried once, as another version may do otherwise. */
  async function tryEndsAtSequence(): Promise<boolean> {
    const one = ops.constant(Float32Array.of(1), [1]);
    const graph = toOnnx({ y: ops.add(ops.input('x', 'float32', [1]), one) }, { emptySequence: EMPTY_SEQUENCE });
    const session = await module.InferenceSession.create(graph, { logSeverityLevel: FATAL });
    const y = new module.Tensor('float32', Float32Array.of(0), [1]);
    try {
      await session.run({ x: new module.Tensor('float32', Float32Array.of(1), [1]) }, { [EMPTY_SEQUENCE]: null, y });
      return false;
    } catch (error) {
      return isSequenceError(error) && y.data[0] === 2;
    } finally {
      await session.release();
    }
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
      const outputNames = session.outputNames.filter((name) => name !== EMPTY_SEQUENCE);
      function checkTargets(targets: Values): void {
        const unknown = Object.keys(targets).find((name) => !outputNames.includes(name));
        if (unknown !== undefined) {
          throw new RangeError(`expected targets among ${outputNames.join(', ')}, found ${unknown}`);
        }
      }
      return {
        inputNames: session.inputNames,
        outputNames,
        async runInto(feeds, targets) {
          checkTargets(targets);
          const saves = session.outputNames[0] === EMPTY_SEQUENCE && (await (endsAtSequence ??= tryEndsAtSequence()));
          const fetches = { ...(saves ? { [EMPTY_SEQUENCE]: null } : {}), ...toTensors(targets) };
          try {
            await session.run(toTensors(feeds), fetches);
          } catch (error) {
            if (!(saves && isSequenceError(error))) throw error;
          }
        },
        async run(feeds, targets = {}, outputs = outputNames) {
          checkTargets(targets);
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
