import { EntitySummary, type Document, type EntityGroup } from '../../corpus/index.js';
import { print } from '../io.js';
import { columns } from '../style.js';

export interface SummarySettings {
  /** A summary for each document instead of one for all. */
  readonly perDocument: boolean;
  readonly offsets: 'codepoint' | 'utf16';
  /** A table instead of JSON lines. */
  readonly isTable: boolean;
  /** Called before anything is printed. */
  readonly onPrint: () => void;
}

/** Passes documents on and prints what is in them: at their end, or document by document. */
export async function* summarised(
  documents: AsyncIterable<Document>,
  settings: SummarySettings,
): AsyncGenerator<Document> {
  const { perDocument, offsets } = settings;
  let summary = new EntitySummary(offsets);
  for await (const document of documents) {
    summary.add(document);
    yield document;
    if (!perDocument) continue;
    await printGroups(summary.groups(), settings, document.id);
    summary = new EntitySummary(offsets);
  }
  if (!perDocument) await printGroups(summary.groups(), settings);
}

async function printGroups(groups: readonly EntityGroup[], settings: SummarySettings, id?: string): Promise<void> {
  settings.onPrint();
  if (settings.isTable) {
    await print(`${id === undefined ? '' : `${id}\n`}${groups.length === 0 ? 'no entities\n' : table(groups)}\n`);
    return;
  }
  for (const { type, name, mentions, documents, forms, first } of groups) {
    const counts = id === undefined ? { mentions, documents } : { document: id, mentions };
    const unit = { offsets: settings.offsets };
    await print(`${JSON.stringify({ type, name, ...counts, forms: Object.fromEntries(forms), first, ...unit })}\n`);
  }
}

function table(groups: readonly EntityGroup[]): string {
  return columns([
    ['name', 'type', 'mentions', 'documents', 'first', 'also'],
    ...groups.map(({ type, name, mentions, documents, forms, first }) => [
      shortened(name),
      type,
      String(mentions),
      String(documents),
      `${first.document} ${first.start}-${first.end}`,
      shortened([...forms.keys()].filter((form) => form !== name).join(', ')),
    ]),
  ]);
}

function shortened(text: string): string {
  return text.length > 48 ? `${text.slice(0, 47)}…` : text;
}
