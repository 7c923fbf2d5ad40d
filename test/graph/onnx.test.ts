import * as ort from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { addDims, gradient, multiplyDims, ops, symbol, toOnnx, type Tensor } from '../../src/graph/index.js';
import { encodeModel, type OnnxGraph, type OnnxNode } from '../../src/graph/onnx/proto.js';
import { lower } from '../../src/graph/onnx/lower.js';
import { buildModel } from '../../src/model/index.js';
import { nodeRuntime } from '../../src/runtime/node.js';
import type { Values } from '../../src/runtime/index.js';
import { trainingOutputs } from '../../src/train/graph.js';
import { tinySequence, tinyWordPair } from '../model/support/tiny.js';
import { bytesOf, fieldsOf, textOf } from './support/protobuf.js';

const [batch, words] = [symbol('batch'), symbol('words')];

function classifier(): Record<string, Tensor> {
  const x = ops.input('x', 'float32', [batch, words, 4]);
  const mask = ops.input('mask', 'bool', [batch, words]);
  const w = ops.parameter('classifier.weight', [3, 4]);
  const b = ops.parameter('classifier.bias', [3]);
  const logits = ops.where(ops.reshape(mask, [batch, words, 1]), ops.linear(x, w, b), 0);
  const loss = ops.total(ops.logSoftmax(logits));
  const [dw] = gradient(loss, [w]);
  return { logits, loss, 'gradient.weight': dw ?? loss, wide: ops.pad(logits, 1, 1, addDims(words, 2)) };
}

/** The nodes of a graph and of the graphs in their attributes. */
function allNodes(graph: OnnxGraph): OnnxNode[] {
  return graph.nodes.flatMap((node) => [
    node,
    ...Object.values(node.attributes).flatMap((attribute) => ('graph' in attribute ? allNodes(attribute.graph) : [])),
  ]);
}

async function signature(model: Uint8Array): Promise<Record<string, unknown>> {
  const session = await ort.InferenceSession.create(model, { logSeverityLevel: 3 });
  const values = [...session.inputMetadata, ...session.outputMetadata];
  const described = values.map((value) => [value.name, value.isTensor ? [value.type, ...value.shape] : value]);
  await session.release();
  return Object.fromEntries(described) as Record<string, unknown>;
}

describe('the model', () => {
  test('keeps names, types and symbolic sizes of its inputs and outputs', async () => {
    expect(await signature(toOnnx(classifier()))).toEqual({
      x: ['float32', 'batch', 'words', 4],
      mask: ['bool', 'batch', 'words'],
      'classifier.weight': ['float32', 3, 4],
      'classifier.bias': ['float32', 3],
      logits: ['float32', 'batch', 'words', 3],
      loss: ['float32'],
      'gradient.weight': ['float32', 3, 4],
      wide: ['float32', 'batch', '2*words+3', 3],
    });
  });

  test('stores given parameters under their names and asks for the others', async () => {
    const weight = Float32Array.from({ length: 12 }, (_, k) => k / 4 - 1);
    const parameters = new Map([['classifier.weight', weight]]);
    const { logits } = classifier() as { logits: Tensor };
    const { graph } = lower({ logits }, { parameters });
    expect(graph.initializers.map(({ name }) => name)).toContain('classifier.weight');
    expect(graph.inputs.map(({ name }) => name).sort()).toEqual(['classifier.bias', 'mask', 'x']);

    const feeds: Values = {
      x: { type: 'float32', dims: [1, 2, 4], data: Float32Array.of(1, 2, 3, 4, -1, 0.5, 0, 2) },
      mask: { type: 'bool', dims: [1, 2], data: Uint8Array.of(1, 1) },
      'classifier.bias': { type: 'float32', dims: [3], data: Float32Array.of(0.5, 0, -0.5) },
    };
    const stored = await nodeRuntime.load(toOnnx({ logits }, { parameters }));
    const fed = await nodeRuntime.load(toOnnx({ logits }));
    const value = { type: 'float32', dims: [3, 4], data: weight } as const;
    const expected = await fed.run({ ...feeds, 'classifier.weight': value });
    expect((await stored.run(feeds))['logits']?.data).toEqual(expected['logits']?.data);
  });

  test('a parameter that no output needs is neither stored nor asked for', () => {
    const { logits } = classifier() as { logits: Tensor };
    const parameters = new Map([['unused', new Float32Array(1000)]]);
    expect(toOnnx({ logits }, { parameters }).length).toBeLessThan(2000);
  });

  test('is the same bytes every time', () => {
    expect(toOnnx(classifier())).toEqual(toOnnx(classifier()));
  });

  test.each(['word-pair', 'sequence', 'crf'])('a training graph (%s) has standard operators alone', (kind) => {
    const config = kind === 'word-pair' ? tinyWordPair() : tinySequence({ crf: kind === 'crf' });
    const { graph, opsets } = lower(trainingOutputs(buildModel(config, true)));
    expect(Object.keys(opsets)).toEqual(['']);
    expect(new Set(allNodes(graph).map(({ domain }) => domain))).toEqual(new Set(['']));
  });

  test('an output may be an input, and one tensor may have two names', async () => {
    const x = ops.input('x', 'int32', [words]);
    const session = await nodeRuntime.load(toOnnx({ same: x, again: x }));
    const values = await session.run({ x: { type: 'int32', dims: [2], data: Int32Array.of(5, -7) } });
    expect(values).toEqual({
      same: { type: 'int32', dims: [2], data: Int32Array.of(5, -7) },
      again: { type: 'int32', dims: [2], data: Int32Array.of(5, -7) },
    });
  });
});

describe('the encoding', () => {
  test('says its version, operator sets and metadata as onnx.proto numbers them', () => {
    const model = fieldsOf(encodeModel({ ...lower(classifier()), metadata: { source: 'Ménière', empty: '' } }));
    expect(model.get(1)).toEqual([10]);
    const [opset] = (model.get(8) ?? []).map((field) => fieldsOf(bytesOf(field)));
    expect(opset?.get(2)).toEqual([20]);
    const metadata = (model.get(14) ?? []).map((field) => {
      const entry = fieldsOf(bytesOf(field));
      return [textOf(entry.get(1)?.[0]), textOf(entry.get(2)?.[0])];
    });
    expect(metadata).toEqual([
      ['source', 'Ménière'],
      ['empty', ''],
    ]);
  });

  test('writes attributes of every kind', () => {
    const tensor = {
      name: 'value',
      type: 'int64',
      shape: [1],
      bytes: new Uint8Array(BigInt64Array.of(-3n).buffer),
    } as const;
    const inner = { name: 'body', inputs: [], outputs: [], initializers: [], nodes: [] };
    const attributes = {
      int: { int: -2 },
      float: { float: 0.5 },
      text: { string: 'reverse' },
      ints: { ints: [1, -1, 3] },
      tensor: { tensor },
      graph: { graph: inner },
    };
    const node = { opType: 'Made', domain: 'test', inputs: ['a'], outputs: ['b'], attributes };
    const bytes = encodeModel({ graph: { ...inner, name: 'all', nodes: [node] }, opsets: { '': 20 } });
    const graph = fieldsOf(bytesOf(fieldsOf(bytes).get(7)?.[0]));
    const fields = fieldsOf(bytesOf(graph.get(1)?.[0]));
    expect([1, 2, 4, 7].map((k) => textOf(fields.get(k)?.[0]))).toEqual(['a', 'b', 'Made', 'test']);
    const written = (fields.get(5) ?? []).map((field) => fieldsOf(bytesOf(field)));
    expect(written.map((attribute) => [textOf(attribute.get(1)?.[0]), attribute.get(20)?.[0]])).toEqual([
      ['int', 2],
      ['float', 1],
      ['text', 3],
      ['ints', 7],
      ['tensor', 4],
      ['graph', 5],
    ]);
    expect(written[0]?.get(3)).toEqual([-2]);
    expect(written[1]?.get(2)).toEqual([0.5]);
    expect(textOf(written[2]?.get(4)?.[0])).toBe('reverse');
    expect(written[3]?.get(8)).toEqual([1, -1, 3]);
    expect(bytesOf(fieldsOf(bytesOf(written[4]?.get(5)?.[0])).get(9)?.[0])).toEqual(tensor.bytes);
    expect(textOf(fieldsOf(bytesOf(written[5]?.get(6)?.[0])).get(2)?.[0])).toBe('body');
  });

  test('names of symbolic sizes and numbers go to different fields', () => {
    const x = ops.input('x', 'float32', [batch, multiplyDims(2, words), 7]);
    const graph = fieldsOf(
      bytesOf(fieldsOf(toOnnx({ y: ops.exp(x), z: ops.input('w', 'float32', [words]) })).get(7)?.[0]),
    );
    const [input] = (graph.get(11) ?? []).map((field) => fieldsOf(bytesOf(field)));
    const tensor = fieldsOf(bytesOf(fieldsOf(bytesOf(input?.get(2)?.[0])).get(1)?.[0]));
    const dims = fieldsOf(bytesOf(tensor.get(2)?.[0])).get(1) ?? [];
    const described = dims.map((dim) => {
      const fields = fieldsOf(bytesOf(dim));
      return fields.get(1)?.[0] ?? textOf(fields.get(2)?.[0]);
    });
    expect(described).toEqual(['batch', '2*words', 7]);
  });
});
