import type { Document, Entity } from '../document.js';
import type { JsonObject } from '../json.js';
import type { LossReport } from '../losses.js';
import { entityKey } from '../mentions.js';
import type { BiocReading } from './bioc.js';
import { annotationOf } from './bioc-annotation.js';
import { FreeIds, offsetsOf, partIds, relationsAbout, reportRelations, unitOf } from './bioc-write.js';

/** How the annotations of a passage, a sentence or a document differ from those in the file. */
export interface BiocChange {
  readonly removed: Set<JsonObject>;
  readonly replaced: Map<JsonObject, JsonObject>;
  readonly added: JsonObject[];
}

/** How the annotations of a document differ from those in its file. */
export interface BiocUpdate {
  readonly changes: ReadonlyMap<JsonObject, BiocChange>;
  /** Relations about annotations that are gone. */
  readonly goneRelations: ReadonlySet<JsonObject>;
}

/**
 * What to change in a file's document so that it has the entities that its document has now: annotations that are the
 * same stay, one of the same identifier is replaced, others are removed or added after the last. Undefined when the text
 * is another, so that the document has to be written anew.
 * @param bioc the file's document, as `reading` was read from it with unchanged types
 */
export function updateBioc(
  document: Document,
  bioc: JsonObject,
  reading: BiocReading,
  losses: LossReport,
): BiocUpdate | undefined {
  const { document: before, layout, origins } = reading;
  if (before.text !== document.text || before.id !== document.id) return undefined;
  const { fresh, stale } = differing(before.entities, document.entities);
  const changes = new Map<JsonObject, BiocChange>();
  const changeOf = (container: JsonObject): BiocChange => {
    const change = changes.get(container) ?? { removed: new Set(), replaced: new Map(), added: [] };
    changes.set(container, change);
    return change;
  };
  const staleIds = new Set([...stale].map((k) => before.entities[k]?.id));
  const ids = new FreeIds([...partIds(bioc), ...fresh.map(({ id }) => id)]);
  for (const id of partIds(bioc)) if (!staleIds.has(id)) ids.take(id);
  const offset = offsetsOf(layout.text, layout.units);
  for (const entity of fresh) {
    const unit = unitOf(entity, layout.units);
    const annotation = annotationOf(document.text, entity, ids.take(entity.id), offset(unit));
    const container = unit?.container ?? bioc;
    const same = [...stale].find((k) => annotation['id'] === before.entities[k]?.id);
    const origin = same === undefined ? undefined : origins[same];
    if (same !== undefined && origin?.container === container) {
      stale.delete(same);
      changeOf(container).replaced.set(origin.annotation, annotation);
    } else {
      changeOf(container).added.push(annotation);
    }
  }
  for (const k of stale) {
    const origin = origins[k];
    if (origin !== undefined) changeOf(origin.container).removed.add(origin.annotation);
  }
  const goneRelations = relationsAbout(bioc, (id) => staleIds.has(id) && !ids.has(id));
  reportRelations(document, goneRelations.size, losses);
  return { changes, goneRelations };
}

/** The entities that are new, and the indices of those that are gone. */
function differing(before: readonly Entity[], after: readonly Entity[]): { fresh: Entity[]; stale: Set<number> } {
  const places = new Map<string, number[]>();
  before.forEach((entity, k) => {
    const key = entityKey(entity);
    places.set(key, [...(places.get(key) ?? []), k]);
  });
  const fresh = after.filter((entity) => places.get(entityKey(entity))?.shift() === undefined);
  return { fresh, stale: new Set([...places.values()].flat()) };
}
