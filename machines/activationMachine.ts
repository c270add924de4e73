import type { ActorRefFrom } from 'xstate';
import { activationSetup, enrol } from './activationSetup.js';
import { Roster } from './roster.js';
import { Tally } from './tally.js';
import { WatchedRooms } from './watchedRooms.js';

/**
 * The service: it has the pub-sub servers post their connections exactly while somebody looks.
 * The counts are in the tally; which servers there are, and how far they are, is in the roster; the
 * work with one server is its own actor's. See docs/internals/architecture.md.
 */
export const activationMachine = activationSetup.createMachine({
  id: 'activation',
  context: ({ input: { timing, servers, limits }, spawn }) => {
    const held = {
      tally: new Tally(limits),
      roster: new Roster(),
      rooms: new WatchedRooms(),
      timing,
      updateViewers: 0,
    };
    for (const server of servers)
      enrol(held, (options) => spawn('pubSubServer', options), { server, standing: 'configured' });
    return { ...held, viewers: 0, isShuttingDown: false };
  },
  invoke: { id: 'discovery', src: 'discovery' },
  // These change what is known. The states below follow from that.
  on: {
    'viewer.connected': { actions: 'addViewer' },
    'viewer.disconnected': { actions: 'removeViewer' },
    'shutdown.requested': { actions: 'markShuttingDown' },
    'deltas.received': [
      { guard: 'isCounting', actions: ['recordDeltas', 'welcomePosters', 'publish'] },
      { actions: ['refuseDeltas', 'welcomePosters'] },
    ],
    'evidence.found': { actions: 'forwardEvidence' },
    // Its evidence before its wish: whoever has just asked is not told before it has applied the answer.
    'startup.answered': {
      actions: ['welcomeServers', 'displaceCandidates', 'forwardEvidence', 'tellSlice', 'publish'],
    },
    'servers.found': { actions: ['welcomeServers', 'displaceCandidates', 'tellSlice', 'publish'] },
    'servers.discovered': { actions: ['welcomeServers', 'letGoVanished', 'tellSlice', 'publish'] },
    'server.reported': { actions: ['noteReport', 'publish'] },
    'server.answered': { actions: ['noteAnswer', 'publish'] },
    'server.lost': { actions: ['noteLoss', 'publish'] },
    'updates.watched': { actions: 'noteUpdateViewer' },
    'updates.unwatched': { actions: 'noteUpdateViewer' },
    'room.watched': { actions: 'watchRoom' },
    'room.unwatched': { actions: 'unwatchRoom' },
    'room.expired': { actions: 'stopRoom' },
    'slice.due': { actions: 'tellSlice' },
    'xstate.error.actor.*': { actions: ['reportDefect', 'noteFailed', 'publish'] },
    'replacement.due': { actions: ['replaceFailed', 'tellSlice', 'publish'] },
  },
  // An earlier run may have left servers active, so all are silenced first.
  initial: 'deactivating',
  states: {
    /** Nobody watches, and every server is silent. */
    inactive: {
      entry: 'publish',
      always: [
        { guard: 'isWatched', target: 'activating' },
        { guard: 'isShutdownComplete', target: 'stopped' },
      ],
    },
    /** Somebody watches. Some servers have neither answered nor failed yet. */
    activating: {
      entry: ['activateFleet', 'publish'],
      always: [
        { guard: 'isShuttingDown', target: 'deactivating' },
        { guard: 'isUnwatched', target: 'active.lingering' },
        { guard: 'isSettled', target: 'active' },
      ],
    },
    active: {
      initial: 'watched',
      always: { guard: 'isShuttingDown', target: 'deactivating' },
      onDone: [{ guard: 'isWatched', target: 'activating' }, { target: 'deactivating' }],
      states: {
        watched: {
          entry: 'publish',
          always: { guard: 'isUnwatched', target: 'lingering' },
        },
        /** The last viewer left. Another one may come in time: then no server is told anything. */
        lingering: {
          entry: 'publish',
          always: { guard: 'isWatched', target: 'over' },
          after: { lingerMs: 'over' },
        },
        over: { type: 'final' },
      },
    },
    /** Servers are being silenced. */
    deactivating: {
      entry: ['endDiscovery', 'clearTally', 'restartFeed', 'silenceFleet', 'publish'],
      always: [
        { guard: 'isWatched', target: 'activating' },
        { guard: 'isShutdownComplete', target: 'stopped' },
        { guard: 'isSettled', target: 'inactive' },
      ],
    },
    stopped: { type: 'final' },
  },
});

export type ActivationActor = ActorRefFrom<typeof activationMachine>;
