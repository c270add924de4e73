import { assertEvent } from 'xstate';
import { activationSetup } from './activationSetup.js';
import { addServer } from './fleetActions.js';
import type { RoomName, ServerId } from './ports.js';
import type { Member } from './roster.js';
import type { WatchedRoom } from './watchedRooms.js';

const { enqueueActions } = activationSetup;

/** A bug may strike again at once. Without a pause the service would do nothing but replace actors. */
const replacementMs = 1000;

/** An actor's id starts with its kind, because the rest may be any text: a room can be named like a server. */
const serverOf = (actorId: string) => afterPrefix(actorId, 'server:') as ServerId | undefined;
const roomOf = (actorId: string): RoomName | undefined => afterPrefix(actorId, 'room:');

function afterPrefix(text: string, prefix: string): string | undefined {
  return text.startsWith(prefix) ? text.slice(prefix.length) : undefined;
}

function hasFailed<T extends Pick<Member, 'ref'> | Pick<WatchedRoom, 'ref'>>(
  held: T | undefined,
): held is T {
  return held?.ref.getSnapshot().status === 'error';
}

/** Actions about actors that threw: each is replaced after a pause. */
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
  replaceFailed: enqueueActions(({ context: { rooms, roster, ...held }, event, enqueue }) => {
    assertEvent(event, 'replacement.due');
    const room = roomOf(event.actorId);
    const watched = room === undefined ? undefined : rooms.get(room);
    if (room !== undefined && hasFailed(watched)) {
      enqueue.raise({ type: 'room.expired', room });
      for (let i = 0; i < watched.viewers; i += 1) enqueue.raise({ type: 'room.watched', room });
    }
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
