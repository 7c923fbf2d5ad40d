import type { Document, Entity } from '../../corpus/index.js';
import type { Engine, Text } from './engine.js';
import type { Journal } from './journal.js';

/**
 * Characters of the documents that go through a model together. Groups follow from the documents alone, so that the
 * same bits come out whatever the number of workers and wherever a run was interrupted.
 */
const GROUP_CHARACTERS = 1 << 15;

/** What is known of a run while it goes on. */
export interface Progress {
  readonly documents: number;
  /** Sentences that went through the model in this run. */
  readonly sentences: number;
  /** What `position` gave when the last of these documents was read. */
  readonly position: number;
}

export interface RunSettings {
  readonly journal?: Journal | undefined;
  /** How much of the input is read. */
  readonly position?: () => number;
  readonly onProgress?: (progress: Progress) => void;
}

interface Group {
  readonly documents: readonly Document[];
  readonly position: number;
}

interface Tagged extends Group {
  readonly entities: readonly (readonly Entity[])[];
  readonly sentences: number;
  readonly isKnown: boolean;
}

/** The documents with what an engine finds in them instead of their entities, in order; memory stays bounded. */
export async function* taggedDocuments(
  documents: AsyncIterable<Document>,
  engine: Engine,
  settings: RunSettings = {},
): AsyncGenerator<Document> {
  const { journal, onProgress } = settings;
  const waiting: Promise<Tagged>[] = [];
  let done = 0;
  let sentences = 0;
  async function* finish(most: number): AsyncGenerator<Document> {
    while (waiting.length > most) {
      const group = await waiting.shift();
      if (group === undefined) return;
      if (!group.isKnown) await journal?.append(group.documents, group.entities);
      done += group.documents.length;
      sentences += group.sentences;
      for (const [k, document] of group.documents.entries()) yield { ...document, entities: group.entities[k] ?? [] };
      onProgress?.({ documents: done, sentences, position: group.position });
    }
  }
  for await (const group of groups(documents, settings.position ?? (() => 0))) {
    const known = await journal?.known(group.documents);
    const tagged = known === undefined ? tag(engine, group) : Promise.resolve(recovered(group, known));
    tagged.catch(() => undefined);
    waiting.push(tagged);
    yield* finish(engine.width);
  }
  yield* finish(0);
}

async function tag(engine: Engine, group: Group): Promise<Tagged> {
  const found = await engine.tag(group.documents.map(textOf));
  return { ...group, ...found, isKnown: false };
}

function recovered(group: Group, entities: Tagged['entities']): Tagged {
  return { ...group, entities, sentences: 0, isKnown: true };
}

function textOf({ text, passages, sentences, continues }: Document): Text {
  return {
    text,
    ...(passages === undefined ? {} : { passages }),
    ...(sentences === undefined ? {} : { sentences }),
    ...(continues === undefined ? {} : { continues }),
  };
}

/** Consecutive documents that go through the model together. */
async function* groups(documents: AsyncIterable<Document>, position: () => number): AsyncGenerator<Group> {
  let group: Document[] = [];
  let size = 0;
  for await (const document of documents) {
    group.push(document);
    size += document.text.length;
    if (size < GROUP_CHARACTERS) continue;
    yield { documents: group, position: position() };
    group = [];
    size = 0;
  }
  if (group.length > 0) yield { documents: group, position: position() };
}
