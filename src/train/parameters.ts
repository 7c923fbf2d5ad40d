import { InternalError, UsageError } from '../errors.js';
import { type OptimizerKernels, optimizerKernels } from './kernels/optimizer-kernel.js';

/** Which learning rate a parameter follows: the pretrained encoder's, or that of everything trained from scratch. */
export type ParameterGroup = 'encoder' | 'head';

/** A trainable array. */
export interface ParameterSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly group: ParameterGroup;
  /** Whether weight decay applies (not to biases, LayerNorm and the like). */
  readonly decay: boolean;
  /** A [rows, width] table whose gradient arrives as some of its rows (`addGradientRows`); width a multiple of 8. */
  readonly sparseRows?: boolean;
  /** Factor on the group's learning rate, for rates that differ from layer to layer; 1 when absent. */
  readonly rateScale?: number;
}

/** The arrays that every parameter has a slice of. `accumulated` and `average` exist when asked for. */
export type Region = 'values' | 'gradients' | 'firstMoments' | 'secondMoments' | 'accumulated' | 'average';

export interface ParameterStoreOptions {
  /** Room to sum the gradients of several micro-batches. */
  readonly accumulate?: boolean;
  /** Room for a running average of the values. */
  readonly average?: boolean;
}

/** Float32 numbers that are not in shared memory. */
export type Floats = Float32Array<ArrayBuffer>;

/** A stretch of consecutive floats, in floats from the start of a region; whole multiples of `ALIGNMENT`. */
export interface Stretch {
  readonly offset: number;
  readonly length: number;
}

interface Slot {
  readonly spec: ParameterSpec;
  readonly offset: number;
  readonly size: number;
  readonly padded: number;
  readonly views: ReadonlyMap<Region, Floats>;
}

/** Parameters start at multiples of 16 floats (64 bytes, a cache line), so kernels need no remainder loop. */
const ALIGNMENT = 16;
const PAGE_BYTES = 65536;
const MAXIMUM_PAGES = 65535;

/**
 * All trainable parameters with their gradients and optimiser state, laid out once in one WebAssembly memory: one
 * contiguous region per kind, the parameters in the order of the specs in each. The views returned here stay valid
 * for the life of the store; ONNX Runtime reads `value` and writes `gradient` in place.
 *
 * Four regions of four bytes: MiniLM (22.7 M parameters) takes 0.36 GB, BERT-base (110 M) 1.76 GB. The gradient of a
 * `sparseRows` table is zero outside its touched rows, and pages that are never touched take no physical memory. The
 * memory is not shared between threads: ONNX Runtime's Node binding refuses views of shared memory ("Invalid argument"
 * in 1.30), so the kernels run on the calling thread.
 */
export class ParameterStore {
  readonly specs: readonly ParameterSpec[];
  /** Number of trainable scalars. */
  readonly parameterCount: number;
  /** @internal */
  readonly kernels: OptimizerKernels;
  readonly #slots: ReadonlyMap<string, Slot>;
  readonly #regions: ReadonlyMap<Region, Floats>;
  readonly #touched = new Map<string, Set<number>>();

  /** Throws `UsageError` for a duplicate name, an impossible shape, or more than 4 GiB. */
  constructor(specs: readonly ParameterSpec[], options: ParameterStoreOptions = {}) {
    checkSpecs(specs);
    const sizes = specs.map(({ shape }) => shape.reduce((product, length) => product * length, 1));
    const padded = sizes.map((size) => Math.ceil(size / ALIGNMENT) * ALIGNMENT);
    const regionLength = padded.reduce((sum, size) => sum + size, 0);
    const names: Region[] = ['values', 'gradients', 'firstMoments', 'secondMoments'];
    if (options.accumulate === true) names.push('accumulated');
    if (options.average === true) names.push('average');

    const bytes = names.length * regionLength * Float32Array.BYTES_PER_ELEMENT;
    const pages = Math.max(1, Math.ceil(bytes / PAGE_BYTES));
    if (pages > MAXIMUM_PAGES) {
      throw new UsageError(
        `expected parameters and optimiser state of at most 4 GiB, found ${(bytes / 2 ** 30).toFixed(1)} GiB ` +
          `(${names.length} arrays of ${regionLength} floats)`,
      );
    }
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    this.kernels = optimizerKernels(memory);
    const regionStart = (index: number) => index * regionLength * Float32Array.BYTES_PER_ELEMENT;
    this.#regions = new Map(
      names.map((name, index) => [name, new Float32Array(memory.buffer, regionStart(index), regionLength)]),
    );

    const slots = new Map<string, Slot>();
    let offset = 0;
    specs.forEach((spec, k) => {
      const size = sizes[k] ?? 0;
      const start = offset;
      const views = new Map([...this.#regions].map(([name, all]) => [name, all.subarray(start, start + size)]));
      slots.set(spec.name, { spec, offset, size, padded: padded[k] ?? 0, views });
      offset += padded[k] ?? 0;
    });
    this.specs = [...specs];
    this.parameterCount = sizes.reduce((sum, size) => sum + size, 0);
    this.#slots = slots;
  }

  /** The values of a parameter, row-major; a view. */
  value(name: string): Floats {
    return this.view('values', name);
  }

  /** The gradient of a parameter, row-major; a view. */
  gradient(name: string): Floats {
    return this.view('gradients', name);
  }

  /** The parameter's slice of a region, in row-major order of its shape. */
  view(region: Region, name: string): Floats {
    const view = this.#slot(name).views.get(region);
    if (view === undefined) throw new InternalError(`the parameter store was built without '${region}'`);
    return view;
  }

  /** Whether the store was built with a region. */
  has(region: Region): boolean {
    return this.#regions.has(region);
  }

  /** A whole region: every parameter's slice and the padding between them, which stays zero. */
  region(region: Region): Floats {
    const floats = this.#regions.get(region);
    if (floats === undefined) throw new InternalError(`the parameter store was built without '${region}'`);
    return floats;
  }

  /** Where a parameter lies in every region, with the padding that follows it. */
  stretch(name: string): Stretch {
    const { offset, padded } = this.#slot(name);
    return { offset, length: padded };
  }

  /**
   * The byte address of float `offset` of a region, for the kernels.
   * @internal
   */
  address(region: Region, offset: number): number {
    return this.region(region).byteOffset + offset * Float32Array.BYTES_PER_ELEMENT;
  }

  /**
   * Adds `weight` x `rows[k]` to row `ids[k]` of the gradient of a `sparseRows` parameter, for every k; an id may
   * occur several times. `rows` is [n, width]. The rows stay touched until `clearGradientRows`.
   */
  addGradientRows(name: string, ids: Int32Array | BigInt64Array, rows: Float32Array, weight = 1): void {
    const { spec } = this.#slot(name);
    const [height = 0, width = 0] = spec.shape;
    if (spec.sparseRows !== true) throw new InternalError(`parameter '${name}' does not take its gradient as rows`);
    if (rows.length !== ids.length * width) {
      throw new InternalError(`expected ${ids.length} rows of ${width} for '${name}', found ${rows.length} numbers`);
    }
    const gradient = this.gradient(name);
    const touched = this.#touchedSet(name);
    for (let k = 0; k < ids.length; k++) {
      const id = Number(ids[k]);
      if (!(id >= 0 && id < height))
        throw new InternalError(`expected a row of '${name}' below ${height}, found ${id}`);
      touched.add(id);
      const to = id * width;
      const from = k * width;
      for (let column = 0; column < width; column++) {
        gradient[to + column] = (gradient[to + column] ?? 0) + weight * (rows[from + column] ?? 0);
      }
    }
  }

  /** The rows of a `sparseRows` parameter that have a gradient, in rising order. */
  touchedRows(name: string): number[] {
    return [...this.#touchedSet(name)].sort((a, b) => a - b);
  }

  /** Sets the touched rows of every `sparseRows` gradient back to zero. */
  clearGradientRows(): void {
    for (const [name, rows] of this.#touched) {
      const width = this.#slot(name).spec.shape[1] ?? 0;
      const gradient = this.gradient(name);
      for (const row of rows) gradient.fill(0, row * width, (row + 1) * width);
      rows.clear();
    }
  }

  #touchedSet(name: string): Set<number> {
    let touched = this.#touched.get(name);
    if (touched === undefined) {
      touched = new Set();
      this.#touched.set(name, touched);
    }
    return touched;
  }

  #slot(name: string): Slot {
    const slot = this.#slots.get(name);
    if (slot === undefined) throw new InternalError(`there is no parameter '${name}'`);
    return slot;
  }
}

function checkSpecs(specs: readonly ParameterSpec[]): void {
  const names = new Set<string>();
  for (const { name, shape, sparseRows } of specs) {
    if (names.has(name)) throw new UsageError(`expected parameter names that differ, found '${name}' twice`);
    names.add(name);
    if (!shape.every((length) => Number.isInteger(length) && length > 0)) {
      throw new UsageError(`expected positive whole dimensions for parameter '${name}', found [${shape.join(', ')}]`);
    }
    if (sparseRows === true && (shape.length !== 2 || (shape[1] ?? 0) % 8 !== 0)) {
      throw new UsageError(
        `expected '${name}' with sparse rows to be [rows, multiple of 8], found [${shape.join(', ')}]`,
      );
    }
  }
}
