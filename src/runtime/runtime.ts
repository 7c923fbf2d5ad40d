/** An array that goes into or comes out of a session, row-major; booleans as 0 and 1. */
export type Value =
  | { readonly type: 'float32'; readonly dims: readonly number[]; readonly data: Float32Array }
  | { readonly type: 'int32'; readonly dims: readonly number[]; readonly data: Int32Array }
  | { readonly type: 'bool'; readonly dims: readonly number[]; readonly data: Uint8Array };

/** Arrays by the names of a graph's inputs or outputs. */
export type Values = Readonly<Record<string, Value>>;

/** How a graph is loaded. */
export interface SessionOptions {
  /** Threads within one operator; the runtime's default (all cores) where absent. */
  readonly threads?: number;
  /** Writes a Chrome trace of every operator to a file with this prefix (Node only). */
  readonly profile?: string;
  /** `cpu`, `webgpu`, `cuda`, ... in order of preference; what the runtime calls its execution providers. */
  readonly providers?: readonly string[];
}

/** One loaded graph. */
export interface Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /**
   * Runs the graph. An output named in `targets` is written into that array, the others are allocated. A value object
   * may be fed again and again after its data changed.
   *
   * @param outputs names of the outputs to compute; all where absent
   */
  run(feeds: Values, targets?: Values, outputs?: readonly string[]): Promise<Values>;
  /**
   * Computes the outputs named in `targets` into those arrays, and no others. Where the graph begins with an output
   * `EMPTY_SEQUENCE`, nothing is copied.
   */
  runInto(feeds: Values, targets: Values): Promise<void>;
  /** Frees the native session; it cannot run afterwards. */
  release(): Promise<void>;
}

/** An ONNX runtime: onnxruntime-node or onnxruntime-web. */
export interface Runtime {
  /**
   * Loads a graph.
   * @param model bytes of an ONNX `ModelProto`
   */
  load(model: Uint8Array, options?: SessionOptions): Promise<Session>;
}

/** Those of the values that a session has an input for: a graph lacks the inputs that none of its outputs needs. */
export function inputsOf(session: Session, values: Values): Values {
  return Object.fromEntries(Object.entries(values).filter(([name]) => session.inputNames.includes(name)));
}
