import { InputError } from '../errors.js';
import type { Document, Entity } from './document.js';
import type { Loss, WriteOptions } from './format.js';
import { mentionText, quoted } from './mentions.js';

/** Reports what a format cannot express of one document after the other, or refuses it when nobody listens. */
export class LossReport {
  constructor(
    readonly format: string,
    readonly onLoss: WriteOptions['onLoss'],
  ) {}

  /** @throws InputError when there is no listener */
  entity(document: Document, entity: Entity, why: string): void {
    const mention = `${entity.type} ${quoted(mentionText(document.text, entity.spans))}`;
    const message = `${why}: ${mention} at ${entity.spans.map((span) => `${span.start}-${span.end}`).join(', ')}`;
    if (this.onLoss === undefined) {
      throw new InputError(
        `expected entities that the format ${this.format} can express, found one that is ${message} in document ${document.id}`,
      );
    }
    this.#report('entity', document, message);
  }

  detail(document: Document, message: string): void {
    this.#report('detail', document, message);
  }

  /** Details that no format but JSONL keeps, or only some: scores, attributes other than `kept`, other formats' extras. */
  details(
    document: Document,
    kept: { scores?: boolean; attributes: readonly string[]; extras: readonly string[] },
  ): void {
    if (this.onLoss === undefined) return;
    let scores = 0;
    const attributes = new Set<string>();
    for (const entity of document.entities) {
      if (entity.score !== undefined) scores += 1;
      for (const name of Object.keys(entity.attributes ?? {})) {
        if (!kept.attributes.includes(name)) attributes.add(name);
      }
    }
    if (scores > 0 && !kept.scores) this.detail(document, `scores of ${scores} entities`);
    if (attributes.size > 0) this.detail(document, `entity attributes ${[...attributes].join(', ')}`);
    const extras = Object.keys(document.extras ?? {}).filter(
      (name) => name !== 'source' && !kept.extras.includes(name),
    );
    if (extras.length > 0) this.detail(document, `what ${extras.join(', ')} said beyond text and entities`);
  }

  #report(kind: Loss['kind'], document: Document, message: string): void {
    this.onLoss?.({ format: this.format, document: document.id, kind, message });
  }
}
