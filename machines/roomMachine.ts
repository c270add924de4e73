import { roomSetup } from './roomSetup.js';

/**
 * One watched room. It subscribes to the channel first, to miss no update. Then it works in rounds: find
 * the servers of the room, and merge their states. Merging twice is harmless, so a gap costs one more round.
 */
export const roomMachine = roomSetup.createMachine({
  id: 'room',
  context: ({ input }) => ({
    ...input,
    isSubscribed: false,
    isSilent: false,
    followedRounds: 0,
    isRoundDue: false,
    holders: 0,
    failures: 0,
    bytes: 0,
  }),
  invoke: [
    { id: 'roomDocument', src: 'roomDocument', input: ({ context }) => ({ room: context.room }) },
    { id: 'roomSources', src: 'roomSources', input: ({ context }) => ({ room: context.room }) },
    { id: 'roomChannel', src: 'roomChannel', input: ({ context }) => ({ room: context.room }) },
  ],
  type: 'parallel',
  states: {
    /** Does the channel bring updates? */
    channel: {
      initial: 'subscribing',
      on: {
        'update.received': { actions: 'applyUpdate' },
        'channel.subscribed': '.subscribed',
        'channel.lost': '.lost',
        'channel.missing': {
          target: '.missing',
          actions: { type: 'publishChannel', params: { channel: 'none' } },
        },
      },
      states: {
        subscribing: {
          entry: { type: 'publishChannel', params: { channel: 'connecting' } },
          after: { subscribingMs: 'missing' },
        },
        // States that are requested from now on contain all updates published before.
        subscribed: {
          entry: ['markSubscribed', 'beginChannel', 'demandRound'],
          exit: 'markUnsubscribed',
          initial: 'unproven',
          states: {
            unproven: {
              entry: { type: 'publishChannel', params: { channel: 'subscribed' } },
              on: { 'changes.delivered': 'followed', 'changes.undelivered': 'doubted' },
            },
            followed: {
              entry: { type: 'publishChannel', params: { channel: 'followed' } },
              on: { 'changes.undelivered': 'doubted' },
            },
            // The channel may still bring what a round has found.
            doubted: {
              on: { 'changes.delivered': 'followed' },
              after: { graceMs: 'silent' },
            },
            /** Servers do not publish, use another channel name, or publish something unreadable. */
            silent: {
              entry: ['markSilent', { type: 'publishChannel', params: { channel: 'silent' } }],
              exit: 'unmarkSilent',
              on: { 'changes.delivered': { target: 'followed', actions: 'demandRound' } },
            },
          },
        },
        lost: {
          entry: ['demandRound', { type: 'publishChannel', params: { channel: 'lost' } }],
        },
        missing: { entry: 'demandRound' },
      },
    },

    /** How far is the current round? It finds the servers of the room and merges their states. */
    round: {
      initial: 'resting',
      on: {
        'update.refused': { actions: 'demandRound' },
        'document.lost': { actions: ['demandRound', 'forgetRounds'] },
      },
      states: {
        resting: { always: { guard: 'isRoundDue', target: 'locating' } },
        locating: {
          entry: ['beginRound', 'requestLocation'],
          on: {
            'servers.located': [
              { guard: 'isNowhere', target: 'merging' },
              { target: 'collecting', actions: 'requestStates' },
            ],
          },
        },
        collecting: {
          on: {
            'state.received': { actions: ['countBytes', 'mergeState'] },
            'states.completed': { target: 'merging', actions: 'noteHolders' },
          },
        },
        /** The document reports how many states could be read. */
        merging: { entry: 'endRound', on: { 'round.merged': 'pausing' } },
        pausing: { after: { pauseMs: 'resting' } },
      },
    },

    /** What do viewers see? Every state is entered again when a round has ended. */
    standing: {
      initial: 'locating',
      states: {
        locating: {
          entry: { type: 'publishStanding', params: { standing: 'locating' } },
          on: {
            'servers.located': [{ guard: 'isNowhere', target: 'waiting' }, { target: 'merging' }],
          },
        },
        merging: {
          entry: { type: 'publishStanding', params: { standing: 'merging' } },
          on: {
            'round.merged': [
              { guard: 'isFollowed', target: 'known.live' },
              { guard: 'isRead', target: 'known.polling' },
              { guard: 'isUnreadable', target: 'unreadable' },
              { target: 'waiting' },
            ],
            'document.lost': 'locating',
          },
        },
        /** Its content is shown. */
        known: {
          initial: 'polling',
          on: {
            'servers.located': { guard: 'isNowhere', target: 'gone' },
            'round.merged': [
              { guard: 'isFollowed', target: '.live' },
              { guard: 'isUnreadable', target: 'unreadable' },
              { guard: 'isHeldByNobody', target: 'gone' },
              { target: '.polling' },
            ],
            'document.lost': 'locating',
          },
          states: {
            live: {
              entry: { type: 'publishStanding', params: { standing: 'live' } },
              on: { 'channel.lost': 'polling' },
              always: { guard: 'isSilent', target: 'polling' },
              after: { checkMs: { actions: 'demandRound' } },
            },
            polling: {
              entry: { type: 'publishStanding', params: { standing: 'polling' } },
              after: { pollMs: { actions: 'demandRound' } },
            },
          },
        },
        /** Servers hold it, but none of their states can be read. The last content is still shown. */
        unreadable: {
          entry: { type: 'publishStanding', params: { standing: 'unreadable' } },
          on: {
            'update.received': { actions: 'demandRound' },
            'round.merged': [
              { guard: 'isFollowed', target: 'known.live' },
              { guard: 'isRead', target: 'known.polling' },
              { guard: 'isHeldByNobody', target: 'gone' },
              { target: 'unreadable', reenter: true },
            ],
          },
          after: { waitMs: { actions: 'demandRound' } },
        },
        /** No server has it yet. */
        waiting: {
          entry: { type: 'publishStanding', params: { standing: 'waiting' } },
          on: {
            'update.received': { actions: 'demandRound' },
            'round.merged': [
              { guard: 'isFollowed', target: 'known.live' },
              { guard: 'isRead', target: 'known.polling' },
              { guard: 'isUnreadable', target: 'unreadable' },
              { target: 'waiting', reenter: true },
            ],
          },
          after: { waitMs: { actions: 'demandRound' } },
        },
        /** No server has it any longer. The last content is still shown. */
        gone: {
          entry: { type: 'publishStanding', params: { standing: 'gone' } },
          on: {
            'update.received': { actions: 'demandRound' },
            'round.merged': [
              { guard: 'isFollowed', target: 'known.live' },
              { guard: 'isRead', target: 'known.polling' },
              { guard: 'isUnreadable', target: 'unreadable' },
              { target: 'gone', reenter: true },
            ],
          },
          after: { waitMs: { actions: 'demandRound' } },
        },
      },
    },
  },
});
