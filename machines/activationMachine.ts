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
  on: {
    'viewer.connected': { actions: 'addViewer' },
    'viewer.disconnected': { actions: 'removeViewer' },
    'deltas.received': { actions: ['refuseDeltas', 'welcomePosters'] },
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
  /** An earlier run may have left servers active: the first thing is to tell all to be silent. */
  initial: 'deactivating',
  states: {
    inactive: {
      entry: 'publish',
      always: { guard: 'isShutDown', target: 'stopped' },
      on: {
        'viewer.connected': {
          guard: 'isServing',
          target: 'activating',
          actions: [
            'addViewer',
            'beginDiscovery',
            { type: 'broadcastWish', params: { wish: 'activity' } },
          ],
        },
        // A server that was found since, or is being set right, may not be silent yet.
        'shutdown.requested': { actions: 'markShuttingDown' },
      },
    },
    activating: {
      entry: 'publish',
      always: { guard: 'isSettled', target: 'active' },
      on: {
        'viewer.disconnected': [
          { guard: 'isLastViewer', target: 'active.lingering', actions: 'removeViewer' },
          { actions: 'removeViewer' },
        ],
        'deltas.received': { actions: ['recordDeltas', 'welcomePosters', 'publish'] },
        'shutdown.requested': { target: 'deactivating', actions: 'markShuttingDown' },
      },
    },
    active: {
      initial: 'watched',
      on: {
        'deltas.received': { actions: ['recordDeltas', 'welcomePosters', 'publish'] },
        'shutdown.requested': { target: 'deactivating', actions: 'markShuttingDown' },
      },
      states: {
        watched: {
          entry: 'publish',
          on: {
            'viewer.disconnected': [
              { guard: 'isLastViewer', target: 'lingering', actions: 'removeViewer' },
              { actions: 'removeViewer' },
            ],
          },
        },
        lingering: {
          entry: 'publish',
          after: { lingerMs: '#activation.deactivating' },
          on: {
            // Servers that have not answered yet are still being waited for; none is told again.
            'viewer.connected': { target: '#activation.activating', actions: 'addViewer' },
          },
        },
      },
    },
    deactivating: {
      entry: [
        'endDiscovery',
        'clearTally',
        'restartFeed',
        { type: 'broadcastWish', params: { wish: 'silence' } },
        'publish',
      ],
      always: [
        { guard: 'isShutDown', target: 'stopped' },
        { guard: 'isSettled', target: 'inactive' },
      ],
      on: {
        'viewer.connected': {
          guard: 'isServing',
          target: 'activating',
          actions: [
            'addViewer',
            'beginDiscovery',
            { type: 'broadcastWish', params: { wish: 'activity' } },
          ],
        },
        'shutdown.requested': { actions: 'markShuttingDown' },
      },
    },
    stopped: { type: 'final' },
  },
});

export type ActivationActor = ActorRefFrom<typeof activationMachine>;
