import type { Check } from './check.js';
import { agentHeader } from './checks/agentHeader.js';
import { badInput } from './checks/badInput.js';
import { basics } from './checks/basics.js';
import { bodies } from './checks/bodies.js';
import { deltas } from './checks/deltas.js';
import { documents } from './checks/documents.js';
import { failingPosts, postTimeouts } from './checks/failingPosts.js';
import { forgottenUrls } from './checks/forgottenUrl.js';
import { instant } from './checks/instant.js';
import { names } from './checks/names.js';
import { refusals } from './checks/refusals.js';
import { signatures } from './checks/signatures.js';
import { silence, silenceAtTheEnd } from './checks/silence.js';
import { startup } from './checks/startup.js';
import { watchedRooms } from './checks/watchedRooms.js';

/** Every check, in the order in which they run. */
export const allChecks: readonly Check[] = [
  ...basics,
  ...agentHeader,
  ...deltas,
  ...failingPosts,
  ...instant,
  ...silence,
  ...forgottenUrls,
  ...names,
  ...documents,
  ...watchedRooms,
  ...signatures,
  ...refusals,
  ...startup,
  ...postTimeouts,
  ...bodies,
  ...silenceAtTheEnd,
  // The server may not survive it.
  ...badInput,
];
