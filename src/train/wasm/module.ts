import { type Expression, type Statement, type ValueType, type Variable, unsignedLeb, variable } from './expression.js';

type Signature = Readonly<Record<string, ValueType>>;
type Variables<S extends Signature> = { readonly [Name in keyof S]: Variable<S[Name]> };

/** A function of a kernel module, ready to be encoded. */
export interface WasmFunction {
  readonly name: string;
  readonly parameters: readonly ValueType[];
  readonly result: 'f64' | undefined;
  readonly locals: readonly ValueType[];
  readonly code: readonly number[];
}

/** What the body of a function is built from: its parameters by name, and a maker of locals (zero at the start). */
export interface Scope<S extends Signature> {
  readonly parameters: Variables<S>;
  readonly local: <T extends ValueType>(type: T) => Variable<T>;
}

/** Defines an exported function; `body` gives its statements and, for a function with a result, `result`'s expression. */
export function wasmFunction<const S extends Signature>(
  name: string,
  signature: S,
  body: (scope: Scope<S>) => { statements: readonly Statement[]; result?: Expression<'f64'> },
): WasmFunction {
  const parameters = Object.values(signature);
  const locals: ValueType[] = [];
  const named = Object.fromEntries(
    Object.entries(signature).map(([key, type], index) => [key, variable(type, index)]),
  ) as unknown as Variables<S>;
  const local = <T extends ValueType>(type: T): Variable<T> => {
    locals.push(type);
    return variable(type, parameters.length + locals.length - 1);
  };
  const { statements, result } = body({ parameters: named, local });
  const code = [...statements.flatMap((statement) => [...statement.code]), ...(result?.code ?? [])];
  return { name, parameters, result: result?.type, locals, code };
}

const TYPE_CODES: Readonly<Record<ValueType, number>> = { i32: 0x7f, f32: 0x7d, f64: 0x7c, v128: 0x7b };

/**
 * Encodes functions as one WebAssembly module that imports its memory as `env.memory` and exports each function.
 * Binary format: WebAssembly core specification, chapter 5.
 */
export function encodeModule(functions: readonly WasmFunction[]): Uint8Array<ArrayBuffer> {
  const types = functions.map(({ parameters, result }) => [
    0x60,
    ...vector(parameters.map((type) => [TYPE_CODES[type]])),
    ...vector(result === undefined ? [] : [[TYPE_CODES[result]]]),
  ]);
  const memoryImport = [...text('env'), ...text('memory'), 0x02, 0x00, 0x00];
  const exports = functions.map(({ name }, index) => [...text(name), 0x00, ...unsignedLeb(index)]);
  const bodies = functions.map(({ locals, code }) => {
    const body = [...vector(locals.map((type) => [1, TYPE_CODES[type]])), ...code, 0x0b];
    return [...unsignedLeb(body.length), ...body];
  });
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, vector(types)),
    ...section(2, vector([memoryImport])),
    ...section(3, vector(functions.map((_, index) => unsignedLeb(index)))),
    ...section(7, vector(exports)),
    ...section(10, vector(bodies)),
  ]);
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...unsignedLeb(content.length), ...content];
}

function vector(items: readonly (readonly number[])[]): number[] {
  return [...unsignedLeb(items.length), ...items.flat()];
}

function text(value: string): number[] {
  const bytes = [...new TextEncoder().encode(value)];
  return [...unsignedLeb(bytes.length), ...bytes];
}

/** Compiles the functions over `memory`; the caller states the signatures as `Exports`. */
export function instantiate<Exports>(functions: readonly WasmFunction[], memory: WebAssembly.Memory): Exports {
  const module = new WebAssembly.Module(encodeModule(functions));
  return new WebAssembly.Instance(module, { env: { memory } }).exports as Exports;
}
