/** Runs beside every test file. */

import { afterAll } from '@jest/globals';
import { storeOpenings } from './storeOpenings.js';

afterAll(() => Promise.allSettled(storeOpenings));
