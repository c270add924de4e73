import { assign, type EventObject, type SnapshotFrom } from 'xstate';
import { activationMachine } from '../../machines/activationMachine.js';
import { modelOf } from './modelOf.js';
import { modelInput } from './pubSubServerModel.js';

/** What the model knows of what is around the root. */
interface Facts {
  /** Whether its one server has done as wished. */
  isSettled: boolean;
  room: 'unwatched' | 'watched' | 'left';
  isUpdatesWatched: boolean;
  isStrangerKnown: boolean;
}

type Model = typeof activationMachine;
export type RootSnapshot = SnapshotFrom<Model>;
type Context = RootSnapshot['context'] & Facts;

const know = (facts: Partial<Facts>) => assign(facts as object) as never;
const nothing = () => {};
const isSettled = ({ context }: { context: unknown }) => (context as Context).isSettled === true;

/** The model of the root with one server: the roster and the tally made facts. */
export const activationModel = modelOf(activationMachine).provide({
  guards: {
    isSettled,
    isShutDown: ({ context }) => context.isShuttingDown && isSettled({ context }),
  },
  actions: {
    publish: nothing,
    restartFeed: nothing,
    reportDefect: nothing,
    clearTally: nothing,
    beginDiscovery: nothing,
    endDiscovery: nothing,
    broadcastWish: know({ isSettled: false }),
    tellSlice: nothing,
    recordDeltas: nothing,
    refuseDeltas: nothing,
    welcomePosters: nothing,
    forwardEvidence: nothing,
    welcomeServers: know({ isStrangerKnown: true }),
    displaceCandidates: nothing,
    noteAnswer: nothing,
    noteReport: know({ isSettled: true }),
    noteUpdateViewer: assign(({ event }) => ({
      isUpdatesWatched: event.type === 'updates.watched',
    })) as never,
    watchRoom: know({ room: 'watched' }),
    unwatchRoom: know({ room: 'left' }),
    stopRoom: know({ room: 'unwatched' }),
  },
});

export const rootInput = { timing: modelInput.timing, servers: [] };

/** States that are the same to what can happen next. */
export function rootKeyOf({ value, context }: RootSnapshot): string {
  const { viewers, isShuttingDown, room, isStrangerKnown } = context as Context;
  return JSON.stringify([
    value,
    viewers,
    isShuttingDown,
    isSettled({ context }),
    room,
    isStrangerKnown,
  ]);
}

/** What can really happen next, one happening after the other. */
export function rootEventsAt(snapshot: RootSnapshot): EventObject[] {
  const {
    viewers,
    isShuttingDown,
    room = 'unwatched',
    isStrangerKnown,
  } = snapshot.context as Context;
  if (isShuttingDown || snapshot.status !== 'active')
    return isSettled(snapshot) ? [] : [{ type: 'server.reported' }];
  const isLingering = snapshot.matches({ active: 'lingering' });
  const isOffered: [boolean, string][] = [
    [viewers < 2, 'viewer.connected'],
    [viewers > 0, 'viewer.disconnected'],
    [!isSettled(snapshot), 'server.reported'],
    [isLingering, 'after.lingerMs'],
    [true, 'shutdown.requested'],
    [true, 'deltas.received'],
    [true, 'evidence.found'],
    [true, 'startup.answered'],
    [!isStrangerKnown, 'servers.found'],
    [room !== 'watched', 'room.watched'],
    [room === 'watched', 'room.unwatched'],
    [room === 'left' && !isLingering, 'room.expired'],
  ];
  return isOffered.filter(([isPossible]) => isPossible).map(([, type]) => ({ type }));
}
