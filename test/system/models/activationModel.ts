import { assign, type EventObject, enqueueActions, type SnapshotFrom } from 'xstate';
import { activationMachine } from '../../../machines/activationMachine.js';
import { modelOf } from './modelOf.js';
import { modelInput } from './pubSubServerModel.js';

/** What the model knows of what is around the root. */
interface Facts {
  /** Whether its one server has done as wished, and need not do so again. */
  isSettled: boolean;
  wish: 'activity' | 'silence';
  /** The one viewer of updates, who is among the viewers. */
  isUpdatesWatched: boolean;
  isStrangerKnown: boolean;
  /** Whether the server may be at a request, or may not be set right again yet. */
  isStirred: boolean;
  /** Whether it has not answered for so long that it would be let go, were it not configured. */
  isLost: boolean;
  /** Whether its actor threw, and has not been replaced. */
  isFailed: boolean;
}

type Model = typeof activationMachine;
export type RootSnapshot = SnapshotFrom<Model>;
type Context = RootSnapshot['context'] & Facts;

const know = (facts: Partial<Facts>) => assign(facts as object) as never;
const nothing = () => {};
const wished = (wish: Facts['wish']) => ({ wish, isSettled: false, isLost: false });
/** A server that is to be silent is told so again, if it was not set right before. */
const stir = assign(({ context }) => {
  const { isStirred, wish, isSettled } = context as unknown as Facts;
  return { isStirred: true, isSettled: isSettled && (isStirred || wish === 'activity') } as object;
}) as never;
const isSettled = ({ context }: { context: unknown }) => (context as Context).isSettled === true;

/** The model of the root with one server: the roster and the tally made facts. */
export const activationModel = modelOf(activationMachine).provide({
  guards: {
    isSettled,
    isCounting: ({ context }) => (context as Context).wish === 'activity',
    isShutdownComplete: ({ context }) => context.isShuttingDown && isSettled({ context }),
  },
  actions: {
    publish: nothing,
    restartFeed: nothing,
    reportDefect: nothing,
    clearTally: nothing,
    endDiscovery: nothing,
    activateFleet: assign(({ context }) => {
      return (context as Context).wish === 'activity' ? {} : wished('activity');
    }) as never,
    silenceFleet: know(wished('silence')),
    tellBatch: nothing,
    recordDeltas: stir,
    refuseDeltas: stir,
    addUnknownPosters: nothing,
    forwardEvidence: stir,
    addServers: know({ isStrangerKnown: true }),
    removeExcessCandidates: nothing,
    noteAnswer: nothing,
    noteReport: know({ isSettled: true }),
    removeLost: know({ isSettled: true, isLost: true }),
    noteFailure: know({ isFailed: true }),
    replaceFailed: know({ isSettled: false, isFailed: false, isLost: false }),
    // Whoever watches updates comes as a viewer, and goes as one.
    countUpdateViewers: enqueueActions(({ event, enqueue }) => {
      const isUpdatesWatched = event.type === 'updates.watched';
      enqueue.assign({ isUpdatesWatched, isStirred: true } as object);
      enqueue.raise({ type: isUpdatesWatched ? 'viewer.connected' : 'viewer.disconnected' });
    }) as never,
    distrustServers: nothing,
  },
});

export const rootInput = { timing: modelInput.timing, servers: [] };

/** An event of XState has the name of the actor that threw at its end. */
export const failure = 'xstate.error.actor.server';

/** States that are the same to what can happen next. */
function rootKeyOf({ value, context }: RootSnapshot): string {
  const {
    tally: _t,
    roster: _o,
    begins: _b,
    timing: _i,
    updateViewers: _u,
    ...facts
  } = context as Context;
  const { isShuttingDown, viewers, ...others } = facts;
  const sorted = Object.entries(others).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([value, viewers, isShuttingDown, sorted]);
}

/** What can really happen next, one happening after the other. */
function rootEventsAt(snapshot: RootSnapshot): EventObject[] {
  const facts = snapshot.context as Context;
  const { viewers, isShuttingDown, isStrangerKnown, isLost } = facts;
  // Until it is replaced nothing can be said to it, nor by it.
  if (facts.isFailed) return [{ type: 'replacement.due' }];
  if (isShuttingDown || snapshot.status !== 'active')
    return isSettled(snapshot) ? [] : [{ type: 'server.reported' }];
  const isLingering = snapshot.matches({ active: 'lingering' });
  const isWatched = snapshot.matches('activating') || snapshot.matches('active');
  const others = viewers - (facts.isUpdatesWatched ? 1 : 0);
  const isOffered: [boolean, string][] = [
    [viewers < 2, 'viewer.connected'],
    [others > 0, 'viewer.disconnected'],
    [viewers < 2 && !facts.isUpdatesWatched, 'updates.watched'],
    [facts.isUpdatesWatched, 'updates.unwatched'],
    [!isSettled(snapshot), 'server.reported'],
    [isWatched && !isLost, 'server.lost'],
    [isSettled(snapshot) && !facts.isStirred && !isLost, failure],
    [isLingering, 'after.lingerMs'],
    [true, 'shutdown.requested'],
    [true, 'deltas.received'],
    [true, 'evidence.found'],
    [isWatched, 'startup.answered'],
    [!isStrangerKnown, 'servers.found'],
  ];
  return isOffered.filter(([isPossible]) => isPossible).map(([, type]) => ({ type }));
}

const rare = ['updates.watched', 'updates.unwatched', 'server.lost', failure, 'replacement.due'];
const withRare = [...rare, 'viewer.connected', 'server.reported'];

/** Without what is rare, and without what never goes with it: together they would be too many. */
export const rootWalks = [
  { maxSteps: 6, isTaken: (type: string) => !rare.includes(type) },
  { maxSteps: 5, isTaken: (type: string) => withRare.includes(type) },
].map(({ maxSteps, isTaken }) => ({
  input: rootInput,
  keyOf: rootKeyOf,
  maxSteps,
  eventsAt: (snapshot: RootSnapshot) => rootEventsAt(snapshot).filter(({ type }) => isTaken(type)),
}));
