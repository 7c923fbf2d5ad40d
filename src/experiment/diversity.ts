/** An attention map: rows are the pieces that look, columns the prefix and then the pieces that are looked at. */
export type AttentionMap = readonly (readonly number[])[];

/** Where the heads of a layer look, and how alike: numbers from 0 to 1, means over sentences. */
export interface LayerDiversity {
  /** Mean cosine between the attention vectors of two heads, over the prefix and the pieces (p of eq. 6). */
  readonly cosineP: number;
  /** The same over the pieces alone (o of eq. 6). */
  readonly cosineO: number;
  /** By head: share of the attention that goes to a piece itself and the pieces beside it. */
  readonly diagonal: number[];
  /** By head: share of the attention that goes to [CLS] and [SEP]. */
  readonly special: number[];
  /** By head: share of the attention that goes to the prefix. */
  readonly prefix: number[];
}

/**
 * Attention that each column receives: the sum over the rows, of length 1 (eq. 6 of Guan and Zhou 2023, as docs/paper.md
 * reads it).
 * @param from first column that counts: 0 for p, the length of the prefix for o
 */
export function attentionVector(map: AttentionMap, from = 0): number[] {
  const columns = (map[0]?.length ?? from) - from;
  const sums = Array.from({ length: columns }, (_, column) =>
    map.reduce((sum, row) => sum + (row[from + column] ?? 0), 0),
  );
  const length = Math.hypot(...sums);
  return sums.map((value) => value / length);
}

/** Mean cosine over all pairs of vectors of length 1: (|sum|² - n) / (n (n - 1)). */
export function meanPairwiseCosine(vectors: readonly (readonly number[])[]): number {
  const n = vectors.length;
  if (n < 2) throw new RangeError(`expected two vectors or more, found ${n}`);
  const columns = vectors[0]?.length ?? 0;
  let square = 0;
  for (let column = 0; column < columns; column++) {
    square += vectors.reduce((sum, vector) => sum + (vector[column] ?? 0), 0) ** 2;
  }
  return (square - n) / (n * (n - 1));
}

/** Shares of a head's attention, means over the rows. */
export function attentionShares(map: AttentionMap, prefix: number): Record<'diagonal' | 'special' | 'prefix', number> {
  const pieces = map.length;
  const shares = { diagonal: 0, special: 0, prefix: 0 };
  for (const [row, values] of map.entries()) {
    for (const [column, value] of values.entries()) {
      const piece = column - prefix;
      if (piece < 0) shares.prefix += value / pieces;
      else {
        if (Math.abs(piece - row) <= 1) shares.diagonal += value / pieces;
        if (piece === 0 || piece === pieces - 1) shares.special += value / pieces;
      }
    }
  }
  return shares;
}

/** Means over sentences, of each layer by itself and over all maps of the guided layers together. */
export class DiversityMeter {
  #sentences = 0;
  readonly #layers: { cosineP: number; cosineO: number; diagonal: number[]; special: number[]; prefix: number[] }[] =
    [];
  #guidedP = 0;
  #guidedO = 0;

  /**
   * @param prefix columns before those of the pieces
   * @param guided layers, from 0, whose maps are compared together
   */
  constructor(
    private readonly prefix: number,
    private readonly guided: readonly number[],
  ) {}

  /** @param attention maps of a sentence, [layers][heads] */
  add(attention: readonly (readonly AttentionMap[])[]): void {
    this.#sentences++;
    const vectors = attention.map((maps) => maps.map((map) => attentionVector(map)));
    const ofPieces = attention.map((maps) => maps.map((map) => attentionVector(map, this.prefix)));
    for (const [layer, maps] of attention.entries()) {
      const zeros = (): number[] => maps.map(() => 0);
      const sums = (this.#layers[layer] ??= {
        cosineP: 0,
        cosineO: 0,
        diagonal: zeros(),
        special: zeros(),
        prefix: zeros(),
      });
      sums.cosineP += meanPairwiseCosine(vectors[layer] ?? []);
      sums.cosineO += meanPairwiseCosine(ofPieces[layer] ?? []);
      for (const [head, map] of maps.entries()) {
        const shares = attentionShares(map, this.prefix);
        for (const name of ['diagonal', 'special', 'prefix'] as const) {
          sums[name][head] = (sums[name][head] ?? 0) + shares[name];
        }
      }
    }
    this.#guidedP += meanPairwiseCosine(this.guided.flatMap((layer) => vectors[layer] ?? []));
    this.#guidedO += meanPairwiseCosine(this.guided.flatMap((layer) => ofPieces[layer] ?? []));
  }

  /** Rounded to four digits. */
  result(): { layers: LayerDiversity[]; guided: { cosineP: number; cosineO: number } } {
    const mean = (sum: number): number => Number((sum / this.#sentences).toFixed(4));
    return {
      layers: this.#layers.map(({ cosineP, cosineO, diagonal, special, prefix }) => ({
        cosineP: mean(cosineP),
        cosineO: mean(cosineO),
        diagonal: diagonal.map(mean),
        special: special.map(mean),
        prefix: prefix.map(mean),
      })),
      guided: { cosineP: mean(this.#guidedP), cosineO: mean(this.#guidedO) },
    };
  }
}
