import { assertEvent } from 'xstate';
import { activationSetup } from './activationSetup.js';
import { addServer } from './fleetActions.js';
import type { ServerId } from './ports.js';
import { hasFailed, replacementMs } from './replacement.js';

const { enqueueActions } = activationSetup;

/** The server that an actor is for; undefined: it is for something else. */
const serverOf = (actorId: string): ServerId | undefined =>
  actorId.startsWith('server:') ? (actorId.slice('server:'.length) as ServerId) : undefined;

/** Actions about actors of servers that threw: each is replaced after a pause. */
export const failureActions = {
  noteFailure: enqueueActions(({ context: { roster, tally, timing }, event, enqueue }) => {
    if (!('actorId' in event)) return;
    const { actorId } = event;
    const server = serverOf(actorId);
    let delay = replacementMs;
    if (server !== undefined) {
      tally.drop(server);
      roster.report(server, 'unreachable', 1);
      // The request of the failed actor has ended by then. The new actor confirms its first snapshot.
      delay = Math.max(replacementMs, timing.requestTimeoutMs);
    }
    // Without an id, XState draws a random one: a simulated world would not be the same each time.
    const timer = { id: `replacement:${actorId}`, delay };
    enqueue.raise({ type: 'replacement.due', actorId }, timer);
  }),
  replaceFailed: enqueueActions(({ context: { roster, ...held }, event, enqueue }) => {
    assertEvent(event, 'replacement.due');
    const failed = serverOf(event.actorId);
    const member = failed === undefined ? undefined : roster.get(failed);
    if (!hasFailed(member)) return;
    const { server, standing, isProven } = member;
    enqueue.stopChild(member.ref);
    enqueue.assign(({ spawn }) => {
      const about = { server, standing, isProven };
      addServer({ ...held, roster }, (options) => spawn('pubSubServer', options), about);
      return {};
    });
    enqueue.sendTo(event.actorId, { type: 'predecessor.failed' });
  }),
};
