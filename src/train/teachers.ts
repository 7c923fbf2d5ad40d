import { isDeepStrictEqual } from 'node:util';
import { join } from 'node:path';
import { InputError, UsageError } from '../errors.js';
import { labelSpace, type ModelConfig } from '../model/index.js';
import { inputsOf, type Runtime, type Session, type Value, type Values } from '../runtime/index.js';
import type { Gazetteer, WordPieceTokenizer } from '../text/index.js';
import { graphFile, graphLoadError, readModelFolder, readModelGraph, type ModelFolder } from '../weights/index.js';

/** What is to learn from teachers. */
export interface Student {
  readonly model: ModelConfig;
  readonly tokenizer: WordPieceTokenizer;
  readonly gazetteer?: Gazetteer | undefined;
  /** Pieces of its longest window, special ones included. */
  readonly maxPieces: number;
}

/** One of the teachers. */
export interface Teacher {
  readonly folder: string;
  /** SHA-256 of its graph. */
  readonly digest: string;
  /** Whether it was trained on devel splits, so that a student's scores on them say too much. */
  readonly mergeDevel: boolean;
}

/**
 * Trained models whose mean label probabilities a student learns beside the labels of the corpora (Hinton et al. 2015).
 * They read each batch as it is trained on, without dropout, in the graphs that `tag` takes: 8-bit where there is one.
 */
export class Teachers {
  private constructor(
    private readonly sessions: readonly Session[],
    /** In the order of the folders. */
    readonly all: readonly Teacher[],
  ) {}

  /**
   * @param folders one model folder or more, whose models have the labels of the student and read the same inputs
   * @throws InputError for a folder that is no model's, and for a teacher of another kind; UsageError for no folder
   */
  static async load(
    folders: readonly string[],
    student: Student,
    runtime: Runtime,
    threads?: number,
  ): Promise<Teachers> {
    if (folders.length === 0) throw new UsageError('expected teachers, found none');
    const models: ModelFolder[] = [];
    for (const folder of folders) {
      const model = await readModelFolder(folder);
      requireSameTask(model, student);
      models.push(model);
    }
    const sessions: Session[] = [];
    try {
      for (const model of models) sessions.push(await loadGraph(model, runtime, threads));
    } catch (error) {
      for (const session of sessions) await session.release();
      throw error;
    }
    return new Teachers(
      sessions,
      models.map(({ folder, config }) => ({
        folder,
        digest: config.files[graphFile({ folder, config })] ?? '',
        mergeDevel: sawDevel(config.training),
      })),
    );
  }

  /** Mean of the teachers' label probabilities for a batch, of the shape of the student's. */
  async probabilities(inputs: Values): Promise<Value> {
    let dims: readonly number[] = [];
    let mean = new Float32Array();
    for (const session of this.sessions) {
      const { probabilities } = await session.run(inputsOf(session, inputs), {}, ['probabilities']);
      if (probabilities?.type !== 'float32') throw new RangeError('expected float32 probabilities of a teacher');
      const { data } = probabilities;
      if (mean.length === 0) mean = new Float32Array(data.length);
      for (let k = 0; k < mean.length; k++) mean[k] = (mean[k] ?? 0) + (data[k] ?? 0) / this.sessions.length;
      dims = probabilities.dims;
    }
    return { type: 'float32', dims, data: mean };
  }

  /** Frees the native sessions. */
  async release(): Promise<void> {
    for (const session of this.sessions) await session.release();
  }
}

async function loadGraph(model: ModelFolder, runtime: Runtime, threads: number | undefined): Promise<Session> {
  const name = graphFile(model);
  const graph = await readModelGraph(model, name);
  try {
    return await runtime.load(graph, threads === undefined ? {} : { threads });
  } catch (cause) {
    throw graphLoadError(join(model.folder, name), cause);
  }
}

/** Whether a model's provenance, or that of a model that it is the mean of, says so. */
function sawDevel(training: unknown): boolean {
  if (typeof training !== 'object' || training === null) return false;
  return Object.entries(training).some(([key, value]) => (key === 'mergeDevel' && value === true) || sawDevel(value));
}

/** A teacher's probabilities are of the student's labels, and its inputs the student's, or it is refused. */
function requireSameTask(teacher: ModelFolder, { model, tokenizer, gazetteer, maxPieces }: Student): void {
  const given = teacher.config.model;
  const mismatch = (expected: string, found: string): InputError =>
    new InputError(`expected a teacher ${expected}, found ${found}`, { file: teacher.folder });
  const [task, taught] = [taskOf(model), taskOf(given)];
  if (task !== taught) throw mismatch(`for ${task}`, `one for ${taught}`);
  if (!isDeepStrictEqual(piecesOf(teacher.tokenizer), piecesOf(tokenizer))) {
    throw mismatch("with the student's word pieces", 'others');
  }
  if (given.context !== model.context) {
    throw mismatch(`with the student's context of ${model.context} pieces`, String(given.context));
  }
  if (given.gazetteer !== null && !isDeepStrictEqual(teacher.gazetteer?.toBytes(), gazetteer?.toBytes())) {
    throw mismatch("with the student's gazetteer, or none", gazetteer === undefined ? 'one' : 'another');
  }
  const longest = given.encoder?.max_position_embeddings ?? Infinity;
  if (longest < Math.min(maxPieces, model.encoder?.max_position_embeddings ?? Infinity)) {
    throw mismatch(`that reads windows of ${maxPieces} pieces ("maxPieces")`, `one for ${longest}`);
  }
  const [limit, own] = [given.characters?.limit, model.characters?.limit];
  if (limit !== undefined && limit !== own) {
    const expected = own === undefined ? 'without spelling features' : `with spelling features of ${own} characters`;
    throw mismatch(`${expected} as the student`, `one of ${limit}`);
  }
}

function taskOf(config: ModelConfig): string {
  const { heads } = labelSpace(config);
  const labels = config.kind === 'sequence' ? `${config.scheme} labels` : 'word pairs';
  return `${labels} of ${config.types.join(', ')} (${heads === 1 ? 'joint' : 'typed'})`;
}

/** What decides how words become pieces, and their numbers. */
function piecesOf({ json: { model, normalizer, added_tokens } }: WordPieceTokenizer): unknown {
  return { vocabulary: model.vocab, normalizer, added: added_tokens.map(({ id, content }) => ({ id, content })) };
}
