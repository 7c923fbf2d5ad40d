interface Step {
  readonly to: number;
  readonly probability: number;
}

/** A path of words and the sum of the logarithms of its steps' probabilities. */
export interface Path {
  readonly words: readonly number[];
  readonly logProduct: number;
}

/** Paths through NNW cells, which only lead forwards: a directed acyclic graph over the words of a sentence. */
export class PathFinder {
  readonly #steps = new Map<number, Step[]>();
  readonly #origins = new Map<number, number[]>();
  readonly #reaching = new Map<number, ReadonlySet<number>>();
  #sorted = true;

  /** Adds the step from a word to a later one, once. */
  add(from: number, to: number, probability: number): void {
    push(this.#steps, from, { to, probability });
    push(this.#origins, to, from);
    this.#reaching.clear();
    this.#sorted = false;
  }

  /** At most `most` paths from head to tail, at every word the most probable step (then the nearest word) first. */
  paths(head: number, tail: number, most: number): Path[] {
    if (head === tail) return [{ words: [head], logProduct: 0 }];
    const reaching = this.#wordsThatReach(tail);
    if (!reaching.has(head)) return [];
    this.#sortSteps();
    const found: Path[] = [];
    const path = [head];
    const visit = (word: number, logProduct: number): void => {
      if (word === tail) {
        found.push({ words: [...path], logProduct });
        return;
      }
      for (const { to, probability } of this.#steps.get(word) ?? []) {
        if (found.length >= most) return;
        if (!reaching.has(to)) continue;
        path.push(to);
        visit(to, logProduct + Math.log(probability));
        path.pop();
      }
    };
    visit(head, 0);
    return found;
  }

  #wordsThatReach(tail: number): ReadonlySet<number> {
    const known = this.#reaching.get(tail);
    if (known !== undefined) return known;
    const reaching = new Set([tail]);
    for (const word of reaching) for (const origin of this.#origins.get(word) ?? []) reaching.add(origin);
    this.#reaching.set(tail, reaching);
    return reaching;
  }

  #sortSteps(): void {
    if (this.#sorted) return;
    for (const steps of this.#steps.values()) steps.sort((a, b) => b.probability - a.probability || a.to - b.to);
    this.#sorted = true;
  }
}

function push<T>(lists: Map<number, T[]>, key: number, item: T): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [item]);
  else list.push(item);
}
