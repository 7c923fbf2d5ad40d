/**
 * Sizes of tensor axes. A size is a number, or a polynomial with integer coefficients in named symbols
 * (`batch`, `pieces`, `words`), so that one graph and one session serve every batch shape.
 */
export type Dim = number | SymbolicDim;
export type Shape = readonly Dim[];

/** A polynomial such as `batch*pieces` or `pieces+11`; `key` is its canonical text, equal for equal polynomials. */
export class SymbolicDim {
  readonly key: string;

  /** @param terms coefficient of each product of symbols (symbols sorted, joined by `*`; the empty product is `''`). */
  constructor(readonly terms: ReadonlyMap<string, number>) {
    this.key = [...terms]
      .sort(([a], [b]) => (a < b ? 1 : -1))
      .map(([product, c]) => (product === '' ? String(c) : c === 1 ? product : `${c}*${product}`))
      .join('+');
  }

  toString(): string {
    return this.key;
  }
}

/** The size named `name`, positive and known only when the graph runs. */
export function symbol(name: string): SymbolicDim {
  return new SymbolicDim(new Map([[name, 1]]));
}

export function dimKey(dim: Dim): string {
  return typeof dim === 'number' ? String(dim) : dim.key;
}

export function shapeKey(shape: Shape): string {
  return `[${shape.map(dimKey).join(', ')}]`;
}

export function sameDim(a: Dim, b: Dim): boolean {
  return dimKey(a) === dimKey(b);
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, k) => sameDim(dim, at(b, k)));
}

function termsOf(dim: Dim): ReadonlyMap<string, number> {
  return typeof dim === 'number' ? new Map([['', dim]]) : dim.terms;
}

function fromTerms(terms: Map<string, number>): Dim {
  for (const [product, c] of terms) if (c === 0) terms.delete(product);
  if (terms.size === 0) return 0;
  const constant = terms.get('');
  if (terms.size === 1 && constant !== undefined) return constant;
  return new SymbolicDim(terms);
}

export function addDims(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return a + b;
  const sum = new Map(termsOf(a));
  for (const [product, c] of termsOf(b)) sum.set(product, (sum.get(product) ?? 0) + c);
  return fromTerms(sum);
}

export function multiplyDims(...dims: Dim[]): Dim {
  return dims.reduce((a, b) => {
    if (typeof a === 'number' && typeof b === 'number') return a * b;
    const result = new Map<string, number>();
    for (const [p, c] of termsOf(a)) {
      for (const [q, d] of termsOf(b)) {
        const product = [...p.split('*'), ...q.split('*')].filter(Boolean).sort().join('*');
        result.set(product, (result.get(product) ?? 0) + c * d);
      }
    }
    return fromTerms(result);
  }, 1);
}

export function sizeOf(shape: Shape): Dim {
  return multiplyDims(...shape);
}

/** The value of `dim` where each symbol has the size that `sizes` gives it. */
export function evaluateDim(dim: Dim, sizes: ReadonlyMap<string, number>): number {
  if (typeof dim === 'number') return dim;
  let total = 0;
  for (const [product, c] of dim.terms) {
    let value = c;
    for (const name of product.split('*').filter(Boolean)) {
      const size = sizes.get(name);
      if (size === undefined) throw new RangeError(`expected a size for ${name}, found none`);
      value *= size;
    }
    total += value;
  }
  return total;
}

/** `shape[axis]`, negative axes counting from the end; throws a RangeError outside the shape. */
export function at(shape: Shape, axis: number): Dim {
  const dim = shape.at(axis);
  if (dim === undefined) throw new RangeError(`expected an axis of ${shapeKey(shape)}, found ${axis}`);
  return dim;
}

/** Numpy broadcasting of two shapes; a symbolic size matches itself and 1. */
export function broadcastShapes(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, k) => {
    const x = a[k - rank + a.length] ?? 1;
    const y = b[k - rank + b.length] ?? 1;
    if (sameDim(x, y) || y === 1) return x;
    if (x === 1) return y;
    throw new RangeError(`expected shapes that broadcast, found ${shapeKey(a)} and ${shapeKey(b)}`);
  });
}
