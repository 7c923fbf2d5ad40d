import { existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { readExperiments, type Experiment } from '../experiment/index.js';

/** Where experiments are defined, and what takes the place of their own. */
export interface Definitions {
  /** Folder of the definitions. */
  readonly experiments: string;
  readonly protocol?: string;
  readonly encoder?: string;
}

/** The experiments, under the protocol and over the encoder of the command line. */
export function definitions({ experiments, protocol, encoder }: Definitions): Promise<Experiment[]> {
  return readExperiments(experiments, {
    ...(protocol === undefined ? {} : { protocol }),
    ...(encoder === undefined ? {} : { encoder: encoderName(encoder) }),
  });
}

/** What results call an encoder that the command line names: the name of its folder, or its Hugging Face id. */
function encoderName(encoder: string): string {
  return existsSync(encoder) ? basename(resolve(encoder)) : encoder;
}
