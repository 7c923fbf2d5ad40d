/* eslint-disable no-var */
/**
 * The part of the WebAssembly JavaScript API that the kernels use (`lib.dom.d.ts` has it whole; Node's types do not).
 * Declared as interfaces and variables, as `lib.dom.d.ts` does, so that the two can be loaded together.
 */
declare namespace WebAssembly {
  interface Memory {
    readonly buffer: ArrayBuffer;
  }
  var Memory: { prototype: Memory; new (descriptor: { initial: number; maximum?: number; shared?: boolean }): Memory };

  // eslint-disable-next-line @typescript-eslint/no-empty-object-type
  interface Module {}
  var Module: { prototype: Module; new (bytes: BufferSource): Module };

  interface Instance {
    readonly exports: Record<string, unknown>;
  }
  var Instance: {
    prototype: Instance;
    new (module: Module, importObject?: Record<string, Record<string, unknown>>): Instance;
  };
}
