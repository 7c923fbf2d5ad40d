import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WordPairConfig } from '../src/model/index.js';
import { nodeRuntime } from '../src/runtime/node.js';
import type { BatchShape } from './shapes.js';
import { trainingStep } from './steps.js';

/** What the nodes of one operator cost in one training step. */
export interface OperatorCost {
  readonly operator: string;
  readonly nodes: number;
  readonly milliseconds: number;
  /** Floating-point operations, counted for matrix products only. */
  readonly operations: number;
  /** Bytes of all inputs and outputs: what is read and written if nothing stays in a cache. */
  readonly bytes: number;
}

/** An event of ONNX Runtime's profile (Chrome's trace format); durations in microseconds. */
interface NodeEvent {
  readonly cat: string;
  readonly name: string;
  readonly dur: number;
  readonly args: {
    readonly op_name?: string;
    readonly input_type_shape?: readonly Readonly<Record<string, readonly number[]>>[];
    readonly output_type_shape?: readonly Readonly<Record<string, readonly number[]>>[];
  };
}

const product = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);
const shapesOf = (list: NodeEvent['args']['input_type_shape'] = []): (readonly number[])[] =>
  list.flatMap((entry) => Object.values(entry));

/** 2 x multiply-adds: the output's size times the inner dimension, which is what the two inputs share beside it. */
function matrixOperations(inputs: readonly (readonly number[])[], output: readonly number[]): number {
  const [a = [], b = []] = inputs;
  const [rows, columns] = [output.at(-2) ?? 1, output.at(-1) ?? 1];
  const inner = product(a) / Math.max(1, product(output) / (rows * columns)) / rows;
  return b.length === 0 ? 0 : 2 * product(output) * inner;
}

/** Runs training steps with ONNX Runtime's profiler on; each node counts with the fastest of its runs. */
export async function profileStep(
  config: WordPairConfig,
  shape: BatchShape,
  threads: number,
  runs = 10,
): Promise<OperatorCost[]> {
  const folder = mkdtempSync(join(tmpdir(), 'ebiobert-profile-'));
  try {
    const runtime = {
      load: (model: Uint8Array) => nodeRuntime.load(model, { threads, profile: join(folder, 'step') }),
    };
    const step = await trainingStep(config, shape, threads, runtime);
    for (let k = 0; k < runs; k++) await step.run();
    await step.release();
    const [file = ''] = readdirSync(folder);
    return costs(JSON.parse(readFileSync(join(folder, file), 'utf8')) as NodeEvent[]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function costs(events: readonly NodeEvent[]): OperatorCost[] {
  const fastest = new Map<string, NodeEvent>();
  for (const event of events) {
    if (event.cat !== 'Node' || !event.name.endsWith('_kernel_time')) continue;
    const known = fastest.get(event.name);
    if (known === undefined || event.dur < known.dur) fastest.set(event.name, event);
  }
  const byOperator = new Map<string, OperatorCost>();
  for (const { dur, args } of fastest.values()) {
    const operator = args.op_name ?? '';
    const [inputs, outputs] = [shapesOf(args.input_type_shape), shapesOf(args.output_type_shape)];
    const sum = byOperator.get(operator) ?? { operator, nodes: 0, milliseconds: 0, operations: 0, bytes: 0 };
    const matrix = /^(Fused)?(MatMul|Gemm)$/.test(operator);
    byOperator.set(operator, {
      operator,
      nodes: sum.nodes + 1,
      milliseconds: sum.milliseconds + dur / 1000,
      operations: sum.operations + (matrix ? matrixOperations(inputs, outputs[0] ?? []) : 0),
      bytes: sum.bytes + 4 * [...inputs, ...outputs].reduce((total, dims) => total + product(dims), 0),
    });
  }
  return [...byOperator.values()].sort((a, b) => b.milliseconds - a.milliseconds);
}
