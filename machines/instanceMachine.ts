import type { ActorRefFrom } from 'xstate';
import type { ActivationInput } from './activationSetup.js';
import { type InstanceContext, instanceSetup } from './instanceSetup.js';
import { watchActions } from './watchActions.js';
import { WatchedRooms } from './watchedRooms.js';

/** What the activation machine is started with. */
const activationOf = ({ context }: { context: InstanceContext }): ActivationInput => {
  const { timing, servers, limits, term, wasActive } = context;
  const begins = wasActive ? 'lingering' : 'silencing';
  return { timing, servers, begins, ...(limits && { limits }), ...(term && { term }) };
};

/** What follows handing over. Only now is it known which instances are there: others may have just come or gone. */
const handedOver = [
  { guard: 'hasSuccessor', target: 'releasing' },
  {
    guard: 'isShuttingDown',
    target: 'silencing',
    actions: ['resumeRequests', 'shutDownActivation'],
  },
  { target: 'releasing' },
] as const;

/**
 * One instance of the service, the root of all actors. Without a cluster it is `alone`. In a cluster one
 * instance is `leading`: it contacts the pub-sub servers. The others follow it like viewers. Only an instance
 * that is alone or leads has an activation. Watched rooms belong to the instance that has their viewers. See
 * docs/internals/architecture.md.
 */
export const instanceMachine = instanceSetup.extend({ actions: watchActions }).createMachine({
  id: 'instance',
  context: ({ input }) => ({
    ...input,
    rooms: new WatchedRooms(),
    leader: undefined,
    term: undefined,
    wasActive: false,
    isRedisLost: false,
    isFleetUnreachable: false,
    isShuttingDown: false,
  }),
  on: {
    'room.watched': { actions: 'watchRoom' },
    'room.unwatched': { actions: 'unwatchRoom' },
    'room.expired': { actions: 'stopRoom' },
    // If anything else throws, so does this machine: the process ends and is restarted.
    'xstate.error.actor.*': { guard: 'isRoom', actions: ['reportDefect', 'planReplacement'] },
    'replacement.due': { actions: 'replaceRoom' },
  },
  initial: 'starting',
  states: {
    starting: { always: [{ guard: 'isInCluster', target: 'clustered' }, { target: 'alone' }] },
    alone: {
      invoke: { id: 'activation', src: 'activation', input: activationOf, onDone: 'stopped' },
      on: { 'shutdown.requested': { actions: ['noteShutdown', 'shutDownActivation'] } },
    },
    clustered: {
      invoke: { id: 'election', src: 'election' },
      onDone: 'stopped',
      initial: 'following',
      states: {
        /** Another instance leads, or it is not known yet who does. */
        following: {
          entry: 'publishRole',
          on: {
            'leader.seen': { actions: ['noteLeader', 'publishRole'] },
            'leader.gone': 'campaigning',
            'redis.lost': 'isolated',
            'shutdown.requested': 'left',
          },
        },
        /** Nobody leads. */
        campaigning: {
          entry: ['noteLeader', 'campaign', 'publishRole'],
          on: {
            'lease.taken': { target: 'leading', actions: 'noteLease' },
            'leader.seen': { target: 'following', actions: 'noteLeader' },
            'redis.lost': 'isolated',
            'shutdown.requested': 'left',
          },
        },
        /** Redis does not answer. The leader, if one was known, is still followed. */
        isolated: {
          entry: ['noteRedisLost', 'publishRole'],
          exit: 'noteRedisAnswered',
          on: {
            'redis.answered': 'following',
            'leader.seen': { target: 'following', actions: 'noteLeader' },
            'leader.gone': 'campaigning',
            'shutdown.requested': 'left',
          },
        },
        /** This instance contacts the pub-sub servers. */
        leading: {
          invoke: {
            id: 'activation',
            src: 'activation',
            input: activationOf,
            onDone: '.releasing',
          },
          exit: ['closeFleet', 'forgetUnreachable'],
          on: {
            'lease.lost': [
              { guard: 'isShuttingDown', target: 'leaving' },
              { guard: 'isRedisLost', target: 'isolated' },
              { target: 'following' },
            ],
            // Redis may answer again in time. If not, the lease ends.
            'redis.lost': { actions: 'noteRedisLost' },
            'redis.answered': { actions: 'noteRedisAnswered' },
            'shutdown.requested': { actions: 'noteShutdown' },
          },
          initial: 'acting',
          states: {
            acting: {
              entry: 'publishRole',
              on: {
                'fleet.unreachable': { target: 'handingOver', actions: 'noteUnreachable' },
                'shutdown.requested': { target: 'handingOver', actions: 'noteShutdown' },
              },
            },
            /** The next leader may act when every request of this one has ended. Posts are still counted. */
            handingOver: {
              entry: ['holdRequests', 'publishRole'],
              on: { 'requests.ended': handedOver },
              after: { handingOverMs: handedOver },
            },
            /** No other instance is there, so the pub-sub servers are told to stop posting. */
            silencing: { entry: 'publishRole' },
            /** The lease is given back: `lease.lost` follows. */
            releasing: { entry: 'release' },
          },
        },
        /** This instance has led. Its last posts go to the next leader. */
        leaving: {
          entry: 'publishRole',
          on: { 'leader.seen': { actions: ['noteLeader', 'publishRole'] } },
          after: { farewellMs: 'left' },
        },
        left: { type: 'final' },
      },
    },
    stopped: { type: 'final', entry: 'publishRole' },
  },
});

export type InstanceActor = ActorRefFrom<typeof instanceMachine>;
