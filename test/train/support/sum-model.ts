/** A one-node ONNX model, Y = X + X over [n] float32, as protobuf bytes. */
export function sumModel(): Uint8Array {
  const field = (number: number, content: string | readonly number[]): number[] => {
    const bytes = typeof content === 'string' ? [...new TextEncoder().encode(content)] : content;
    return [(number << 3) | 2, bytes.length, ...bytes];
  };
  const int = (number: number, value: number): number[] => [number << 3, value];
  const floats = field(1, [...int(1, 1), ...field(2, field(1, field(2, 'n')))]);
  const tensor = (name: string): number[] => [...field(1, name), ...field(2, floats)];
  const node = [...field(1, 'X'), ...field(1, 'X'), ...field(2, 'Y'), ...field(4, 'Add')];
  const graph = [...field(1, node), ...field(2, 'sum'), ...field(11, tensor('X')), ...field(12, tensor('Y'))];
  const opset = [...field(1, ''), ...int(2, 17)];
  return Uint8Array.from([...int(1, 8), ...field(7, graph), ...field(8, opset)]);
}
