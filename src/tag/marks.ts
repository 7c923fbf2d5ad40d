import type { WordEntity } from '../scheme/index.js';

/** The entities of a sentence while they are added and taken away; each step costs as much as the entity has words. */
export class Marks {
  readonly #all = new Set<WordEntity>();
  readonly #byWord = new Map<number, Set<WordEntity>>();

  constructor(entities: readonly WordEntity[]) {
    for (const entity of entities) this.add(entity);
  }

  add(entity: WordEntity): void {
    this.#all.add(entity);
    for (const word of entity.words) {
      const there = this.#byWord.get(word) ?? new Set();
      this.#byWord.set(word, there.add(entity));
    }
  }

  remove(entity: WordEntity): void {
    this.#all.delete(entity);
    for (const word of entity.words) this.#byWord.get(word)?.delete(entity);
  }

  /** Those that have any of the words. */
  overlapping(words: readonly number[]): WordEntity[] {
    return [...new Set(words.flatMap((word) => [...(this.#byWord.get(word) ?? [])]))];
  }

  /** The one that has exactly the words. */
  at(words: readonly number[]): WordEntity | undefined {
    const there = this.#byWord.get(words[0] ?? -1) ?? new Set();
    return [...there].find((entity) => entity.words.join() === words.join());
  }

  /** All, by their first words. */
  inOrder(): WordEntity[] {
    return [...this.#all].sort((a, b) => (a.words[0] ?? 0) - (b.words[0] ?? 0));
  }
}
