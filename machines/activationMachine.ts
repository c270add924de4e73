import type { ActorRefFrom } from 'xstate';
import { activationSetup } from './activationSetup.js';
import { failureActions } from './failureActions.js';
import { addServer, fleetActions } from './fleetActions.js';
import { postActions } from './postActions.js';
import { Roster } from './roster.js';
import { Tally } from './tally.js';

const actions = { ...fleetActions, ...postActions, ...failureActions };

/**
 * Counts the fleet. It keeps pub-sub servers posting their connections while somebody watches, and silent
 * otherwise. The tally holds the counts, and the roster the known servers. Each server has an actor of
 * its own. See docs/internals/architecture.md.
 */
export const activationMachine = activationSetup.extend({ actions }).createMachine({
  id: 'activation',
  context: ({ input: { timing, servers, limits, begins = 'silencing', term }, spawn }) => {
    const held = {
      tally: new Tally(limits),
      roster: new Roster(),
      timing,
      begins,
      isSuccessor: term !== undefined,
      updateViewers: 0,
    };
    for (const server of servers)
      addServer(held, (options) => spawn('pubSubServer', options), {
        server,
        standing: 'configured',
      });
    return { ...held, viewers: 0, isShuttingDown: false };
  },
  invoke: { id: 'discovery', src: 'discovery' },
  // These change what is known. The states below follow from that.
  on: {
    'viewer.connected': { actions: 'addViewer' },
    'viewer.disconnected': { actions: 'removeViewer' },
    'shutdown.requested': { actions: 'markShuttingDown' },
    'deltas.received': [
      { guard: 'isCounting', actions: ['recordDeltas', 'addUnknownPosters', 'publish'] },
      { actions: ['refuseDeltas', 'addUnknownPosters'] },
    ],
    'evidence.found': { actions: 'forwardEvidence' },
    // Evidence goes first: a server that has just asked is given time to apply the answer.
    'startup.answered': {
      actions: ['addServers', 'removeExcessCandidates', 'forwardEvidence', 'tellBatch'],
    },
    'servers.found': { actions: ['addServers', 'removeExcessCandidates', 'tellBatch', 'publish'] },
    'servers.discovered': { actions: ['addServers', 'removeVanished', 'tellBatch', 'publish'] },
    'server.reported': { actions: ['noteReport', 'publish'] },
    'server.answered': { actions: ['noteAnswer', 'publish'] },
    'server.lost': { actions: ['removeLost', 'publish'] },
    'updates.watched': { actions: 'countUpdateViewers' },
    'updates.unwatched': { actions: 'countUpdateViewers' },
    'batch.due': { actions: 'tellBatch' },
    'xstate.error.actor.*': { actions: ['reportDefect', 'noteFailure', 'publish'] },
    'replacement.due': { actions: ['replaceFailed', 'tellBatch', 'publish'] },
  },
  initial: 'starting',
  states: {
    starting: {
      entry: 'distrustServers',
      always: [
        // Viewers of another instance saw counts until now. They have the linger time to come here.
        { guard: 'isTakeover', target: 'activating' },
        // An earlier run may have left servers active, so all are silenced first.
        { target: 'deactivating' },
      ],
    },
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
