/** ONNX forms of the recurrent primitives: the fused LSTM operator forward, Scan for what has to go step by step. */
import { at } from '../dim.js';
import { operand } from '../operand.js';
import type { OpOf } from '../tensor.js';
import { OnnxBuilder } from './builder.js';
import type { OnnxGraph, OnnxValue } from './proto.js';

/** PyTorch's gate order (input, forget, cell, output) as ONNX's (input, output, forget, cell), with a leading axis. */
function reorderGates(builder: OnnxBuilder, weights: string): string {
  const [i = '', f = '', g = '', o = ''] = builder.emitAll('Split', [weights], { axis: 0, num_outputs: 4 }, 4);
  return builder.emit('Concat', [i, o, f, g], { axis: 0 });
}

export function lowerLstm(op: OpOf<'lstm'>, inputs: readonly string[], builder: OnnxBuilder): string {
  const [x = '', wx = '', wh = '', bx = '', bh = '', lengths = ''] = inputs;
  const hidden = at(operand(op.outputs, 0).shape, 2);
  if (typeof hidden !== 'number') throw new RangeError('expected a fixed hidden size');
  const front = builder.ints(0);
  const bias = builder.emit('Concat', [reorderGates(builder, bx), reorderGates(builder, bh)], { axis: 0 });
  const [weights, recurrent, biases] = [reorderGates(builder, wx), reorderGates(builder, wh), bias].map((w) =>
    builder.emit('Unsqueeze', [w, front]),
  ) as [string, string, string];
  const y = builder.emit('LSTM', [x, weights, recurrent, biases, lengths], {
    hidden_size: hidden,
    direction: op.attributes.reverse ? 'reverse' : 'forward',
  });
  return builder.emit('Squeeze', [y, builder.ints(1)]);
}

function float(name: string, ...shape: (number | string)[]): OnnxValue {
  return { name, type: 'float32', shape };
}

function scan(
  builder: OnnxBuilder,
  body: OnnxGraph,
  states: readonly string[],
  sequences: readonly string[],
  backwards: boolean,
): string {
  const direction = Number(backwards);
  const outputs = builder.emitAll(
    'Scan',
    [...states, ...sequences],
    {
      body: { graph: body },
      num_scan_inputs: sequences.length,
      scan_input_directions: sequences.map(() => direction),
      scan_output_directions: [direction],
    },
    states.length + 1,
  );
  return operand(outputs, states.length);
}

function zeroState(builder: OnnxBuilder, op: OpOf<'lstmCells' | 'lstmBackward'>): string {
  return builder.emit('ConstantOfShape', [builder.shape(operand(op.inputs, 0).shape.slice(1))]);
}

export function lowerLstmCells(op: OpOf<'lstmCells'>, inputs: readonly string[], builder: OnnxBuilder): string {
  const hidden = at(operand(op.inputs, 0).shape, 2);
  const width = typeof hidden === 'number' ? hidden : 'hidden';
  const prefix = builder.name();
  const body = new OnnxBuilder(new Map(), `${prefix}_`);
  const [c, f, u] = [`${prefix}_c`, `${prefix}_f`, `${prefix}_u`];
  const next = body.emit('Add', [body.emit('Mul', [f, c]), u]);
  const copy = body.emit('Identity', [next]);
  const graph = body.graph(
    'cells',
    [c, f, u].map((name) => float(name, 'batch', width)),
    [next, copy].map((name) => float(name, 'batch', width)),
  );
  return scan(builder, graph, [zeroState(builder, op)], inputs, op.attributes.reverse);
}

export function lowerLstmBackward(op: OpOf<'lstmBackward'>, inputs: readonly string[], builder: OnnxBuilder): string {
  const [dy = '', outside = '', f = '', k = '', recurrent = ''] = inputs;
  const hidden = at(operand(op.inputs, 0).shape, 2);
  if (typeof hidden !== 'number') throw new RangeError('expected a fixed hidden size');
  const prefix = builder.name();
  const body = new OnnxBuilder(new Map(), `${prefix}_`);
  const [dhIn, dcIn, dyT, aT, fT, kT] = ['dh', 'dc', 'dy', 'a', 'f', 'k'].map((name) => `${prefix}_${name}`) as [
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  const dh = body.emit('Add', [dhIn, dyT]);
  const dc = body.emit('Add', [dcIn, body.emit('Mul', [dh, aT])]);
  const gates = body.emit('Mul', [body.emit('Concat', [dc, dc, dc, dh], { axis: 1 }), kT]);
  const dhNext = body.emit('MatMul', [gates, recurrent]);
  const dcNext = body.emit('Mul', [dc, fT]);
  const graph = body.graph(
    'gates',
    [...[dhIn, dcIn, dyT, aT, fT].map((name) => float(name, 'batch', hidden)), float(kT, 'batch', 4 * hidden)],
    [float(dhNext, 'batch', hidden), float(dcNext, 'batch', hidden), float(gates, 'batch', 4 * hidden)],
  );
  const state = zeroState(builder, op);
  return scan(builder, graph, [state, state], [dy, outside, f, k], !op.attributes.reverse);
}
