import { InputError } from '../errors.js';
import { labelSpace, type ModelConfig } from '../model/index.js';
import { inputsOf, type Runtime, type Session, type Value, type Values } from '../runtime/index.js';
import type { WordPieceTokenizer } from '../text/index.js';
import { MODEL_FILES, readModelFolder, readModelGraph, type ModelFolder } from '../weights/index.js';

/**
 * Trained models whose mean label probabilities a student learns beside the labels of the corpora (Hinton et al. 2015).
 * They read each batch as it is trained on, without dropout, in their 8-bit graphs as `tag` has them.
 */
export class Teachers {
  private constructor(
    private readonly sessions: readonly Session[],
    /** SHA-256 of each teacher's graph, in the order of the folders. */
    readonly digests: readonly string[],
  ) {}

  /**
   * @param student what the student is to be: a teacher has the same labels, and reads the same inputs
   * @throws InputError for a folder that is no model's, and for a teacher of another kind
   */
  static async load(
    folders: readonly string[],
    student: ModelConfig,
    tokenizer: WordPieceTokenizer,
    runtime: Runtime,
    threads?: number,
  ): Promise<Teachers> {
    const models: ModelFolder[] = [];
    for (const folder of folders) {
      const model = await readModelFolder(folder);
      requireSameTask(model, student, tokenizer);
      models.push(model);
    }
    const sessions: Session[] = [];
    for (const model of models) {
      const graph = await readModelGraph(model, MODEL_FILES.quantized);
      sessions.push(await runtime.load(graph, threads === undefined ? {} : { threads }));
    }
    const digests = models.map(({ config }) => config.files[MODEL_FILES.quantized] ?? '');
    return new Teachers(sessions, digests);
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

/** A teacher's probabilities are of the student's labels, and its inputs the student's, or it is refused. */
function requireSameTask(teacher: ModelFolder, student: ModelConfig, tokenizer: WordPieceTokenizer): void {
  const { model } = teacher.config;
  const at = { file: teacher.folder };
  const [expected, found] = [taskOf(student), taskOf(model)];
  if (expected !== found) throw new InputError(`expected a teacher for ${expected}, found one for ${found}`, at);
  if (JSON.stringify(teacher.tokenizer.json) !== JSON.stringify(tokenizer.json)) {
    throw new InputError("expected a teacher with the student's word pieces, found others", at);
  }
  const [limit, given] = [model.characters?.limit, student.characters?.limit];
  if (limit !== undefined && limit !== given) {
    const has = given === undefined ? 'a student without them' : `${given} for the student`;
    throw new InputError(
      `expected the student to have the teacher's spelling features (limit ${limit}), found ${has}`,
      at,
    );
  }
}

function taskOf(config: ModelConfig): string {
  const { heads } = labelSpace(config);
  const labels = config.kind === 'sequence' ? `${config.scheme} labels` : 'word pairs';
  return `${labels} of ${config.types.join(', ')} (${heads === 1 ? 'joint' : 'typed'})`;
}
