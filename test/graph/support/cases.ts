import { arrayCases } from './array-cases.js';
import type { Cases } from './case.js';
import { elementwiseCases } from './elementwise-cases.js';
import { layerCases } from './layer-cases.js';

/** Applications of every primitive; one without a case does not compile. */
export const cases: Cases = { ...elementwiseCases, ...arrayCases, ...layerCases };
