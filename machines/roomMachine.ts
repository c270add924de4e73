import { roomSetup } from './roomSetup.js';

/**
 * One watched room: its channel first, so that no update is missed; then, in rounds, where it is and
 * what its servers hold. Merging is the document's work, and idempotent: a gap costs one more round.
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
    /** Where updates come from. */
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
        // Whatever was published before this is in the states that are asked for after it.
        subscribed: {
          entry: ['markSubscribed', 'beginChannel', 'demandRound'],
          exit: 'markUnsubscribed',
          initial: 'unproven',
          states: {
            unproven: {
              entry: { type: 'publishChannel', params: { channel: 'subscribed' } },
              on: { 'news.heard': 'followed', 'news.missed': 'doubted' },
            },
            followed: {
              entry: { type: 'publishChannel', params: { channel: 'followed' } },
              on: { 'news.missed': 'doubted' },
            },
            // What a round found may be on its way.
            doubted: {
              on: { 'news.heard': 'followed' },
              after: { graceMs: 'silent' },
            },
            /** Servers do not publish, or not under this name, or not what can be read. */
            silent: {
              entry: ['markSilent', { type: 'publishChannel', params: { channel: 'silent' } }],
              exit: 'unmarkSilent',
              on: { 'news.heard': { target: 'followed', actions: 'demandRound' } },
            },
          },
        },
        lost: {
          entry: ['demandRound', { type: 'publishChannel', params: { channel: 'lost' } }],
        },
        missing: { entry: 'demandRound' },
      },
    },

    /** One round at a time: which servers may hold the room, and what each holds. */
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
        /** The document says what could be read. */
        merging: { entry: 'endRound', on: { 'round.merged': 'pausing' } },
        pausing: { after: { pauseMs: 'resting' } },
      },
    },

    /** What the room is to its viewers. Every state is entered anew when a round has ended. */
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
        /** Servers hold it, and nothing that they answer can be read; what was seen last is still shown. */
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
        /** No server has it any longer; what was seen last is still shown. */
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
