/** Saves checkpoints whose weights all equal the step, until it is killed: `save-forever.ts FOLDER [STEPS]`. */
import { CheckpointFolder } from '../../../src/train/checkpoint.js';
import { ParameterStore } from '../../../src/train/parameters.js';
import { saveSpecs, stateAt } from './checkpoint-state.js';

const [folder = '', steps = 'Infinity'] = process.argv.slice(2);
const store = new ParameterStore(saveSpecs);
const checkpoints = new CheckpointFolder(folder);
for (let step = 1; step <= Number(steps); step++) {
  store.region('values').fill(step);
  await checkpoints.saveLast(store, stateAt(step));
  process.stdout.write('.');
}
