/** ONNX forms of the recurrent primitives: the fused LSTM operator forward, Scan for what has to go step by step. */
import { at } from '../dim.js';
import { operand } from '../operand.js';
import type { OpOf, Tensor } from '../tensor.js';
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

/** Zeros of the shape of one step of a sequence. */
function zeroState(builder: OnnxBuilder, { shape }: Tensor): string {
  return builder.emit('ConstantOfShape', [builder.shape(shape.slice(1))]);
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
  return scan(builder, graph, [zeroState(builder, operand(op.outputs, 0))], inputs, op.attributes.reverse);
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
  const state = zeroState(builder, operand(op.inputs, 0));
  return scan(builder, graph, [state, state], [dy, outside, f, k], !op.attributes.reverse);
}

/** The number of states of a chain, from its scores or log-weights. */
function statesOf(op: OpOf<'logScan' | 'logScanBackward'>): number {
  const states = at(operand(op.outputs, 0).shape, 2);
  if (typeof states !== 'number') throw new RangeError('expected a fixed number of states');
  return states;
}

/** The largest term is taken out of the sum by hand: not every provider's ReduceLogSumExp does. */
export function lowerLogScan(op: OpOf<'logScan'>, inputs: readonly string[], builder: OnnxBuilder): string {
  const states = statesOf(op);
  const prefix = builder.name();
  const body = new OnnxBuilder(new Map(), `${prefix}_`);
  const [y, p] = [`${prefix}_y`, `${prefix}_p`];
  const from = body.ints(1);
  const terms = body.emit('Add', [body.emit('Unsqueeze', [y, body.ints(2)]), p]);
  const largest = body.emit('ReduceMax', [terms, from], { keepdims: 1 });
  const sum = body.emit('ReduceSum', [body.emit('Exp', [body.emit('Sub', [terms, largest])]), from], { keepdims: 0 });
  const next = body.emit('Add', [body.emit('Log', [sum]), body.emit('Squeeze', [largest, from])]);
  const copy = body.emit('Identity', [next]);
  const graph = body.graph(
    'scores',
    [float(y, 'chains', states), float(p, 'chains', states, states)],
    [next, copy].map((name) => float(name, 'chains', states)),
  );
  return scan(builder, graph, [zeroState(builder, operand(op.outputs, 0))], inputs, false);
}

export function lowerLogScanBackward(
  op: OpOf<'logScanBackward'>,
  inputs: readonly string[],
  builder: OnnxBuilder,
): string {
  const states = statesOf(op);
  const prefix = builder.name();
  const body = new OnnxBuilder(new Map(), `${prefix}_`);
  const [later, dy, w] = [`${prefix}_later`, `${prefix}_dy`, `${prefix}_w`];
  const g = body.emit('Add', [dy, later]);
  const products = body.emit('Mul', [w, body.emit('Unsqueeze', [g, body.ints(1)])]);
  const earlier = body.emit('ReduceSum', [products, body.ints(2)], { keepdims: 0 });
  const graph = body.graph(
    'gradients',
    [float(later, 'chains', states), float(dy, 'chains', states), float(w, 'chains', states, states)],
    [earlier, g].map((name) => float(name, 'chains', states)),
  );
  return scan(builder, graph, [zeroState(builder, operand(op.outputs, 0))], inputs, true);
}
