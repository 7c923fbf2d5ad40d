import type { InputError } from '../errors.js';
import type { OffsetUnit } from './mentions.js';
import type { Document } from './document.js';
import type { TypeMap } from './types.js';

/** A named input, read once: bytes or text in pieces of any size. */
export interface Source {
  /** What messages call it: a path, or `<stdin>`. Document identifiers are made from its stem. */
  readonly name: string;
  readonly chunks: AsyncIterable<Uint8Array | string>;
  /**
   * The input that differs from this one in its extension only (`.ann` beside `.txt`), if there is one. `own` is what
   * counts as this one's extension where that is more than its last (`.abstracts.txt`).
   */
  readonly sibling?: (extension: string, own?: string) => Promise<Source | undefined>;
}

/** A piece of output: text for the one output, or for `file` inside the output folder when the format is a folder. */
export interface Piece {
  readonly text: string;
  /** Name inside the output folder. */
  readonly file?: string;
}

/** Something of a document that a format cannot express. */
export interface Loss {
  readonly format: string;
  readonly document: string;
  /**
   * `entity`: a mention was left out or changed (nested, discontinuous, not at word boundaries);
   * `detail`: something beside the mentions was (scores, identifiers, relations, line breaks).
   */
  readonly kind: 'entity' | 'detail';
  readonly message: string;
}

/** Something in the input that was not as the format asks: put right because an option said so, or kept as it is. */
export interface Repair {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly message: string;
}

/** How documents are read. Every format ignores what does not concern it. */
export interface ReadOptions {
  /** The unit that offsets in the input count; a unit that the input states itself comes first. Default: code points. */
  readonly offsets?: OffsetUnit;
  /** Names of the file to names of this library. Default: `defaultTypes` of types.ts. */
  readonly types?: TypeMap;
  /** Accept offsets that fit their mention only in another unit, and report them. Default: an error. */
  readonly repairOffsets?: boolean;
  /** Accept an `I-` tag that continues nothing as the start of a mention, as conlleval does, and report it. */
  readonly repairTags?: boolean;
  /** Told of each repair. */
  readonly onRepair?: (repair: Repair) => void;
  /**
   * Told of a document that is not as the format asks, which is then left out, or of an input whose rest is (broken
   * XML, damaged gzip). Default: an error.
   */
  readonly onFault?: (fault: InputError, leftOut: 'document' | 'input') => void;
  /** The tag scheme of IOB files: `iob2` (with `S-` and `E-` understood) or `iob1`. Default: `iob2`. */
  readonly scheme?: 'iob2' | 'iob1';
  /** How many sentences of an IOB file without `-DOCSTART-` make a document. Default: 1. */
  readonly sentencesPerDocument?: number;
  /** What the numbers of `ner_tags` mean in `hf` files that have no names: the tag of 0, of 1, and so on. */
  readonly tagNames?: readonly string[];
  /** The column or columns of a table that are the text. Default: `text`, else `title` and `abstract`, and the like. */
  readonly textColumn?: string | readonly string[];
  /** The column of a table that identifies the document. Default: `id`, `pmid` and the like, else `NAME:n`, n the row. */
  readonly idColumn?: string;
  /** Longest line or undivided text accepted, in UTF-8 bytes. Default: 128 MiB. */
  readonly maxBytes?: number;
}

/** How documents are written. Every format ignores what does not concern it. */
export interface WriteOptions {
  /** The unit that offsets in the output count, where the format leaves it open (`jsonl`). Default: code points. */
  readonly offsets?: Extract<OffsetUnit, 'codepoint' | 'utf16'>;
  /**
   * Told of everything that the format cannot express. Without it the loss of an entity is an `InputError`;
   * lost details then pass, as the format's `loses` says.
   */
  readonly onLoss?: (loss: Loss) => void;
}

/** One file format: how its documents are recognised, read and written. Everything streams. */
export interface Format {
  /** What `--from` and `--to` call it. */
  readonly name: string;
  /** A phrase for lists of formats. */
  readonly description: string;
  /** What writing cannot express, in words; empty when it keeps everything. */
  readonly loses: string;
  /** Usual file name extensions, with the dot, the one to write first. */
  readonly extensions: readonly string[];
  /** Whether the beginning of an input (some kilobytes, possibly cut inside a line) looks like this format. */
  readonly matches?: (head: string, fileName: string) => boolean;
  /** @throws InputError naming file and line where the input is not of the format */
  readonly read?: (source: Source, options: ReadOptions) => AsyncGenerator<Document, void>;
  /** @throws InputError when an entity cannot be expressed and nobody listens to losses */
  readonly write?: (
    documents: AsyncIterable<Document> | Iterable<Document>,
    options: WriteOptions,
  ) => AsyncGenerator<Piece, void>;
}
