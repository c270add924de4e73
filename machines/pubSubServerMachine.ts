import type { SnapshotReason } from './ports.js';
import { pubSubServerSetup } from './pubSubServerSetup.js';

/** Transition for any answer. Each kind of request has its own, and each request is answered once. */
const answered = { target: 'resting', actions: 'clearFailures' } as const;

/** A request is due: a snapshot while the server is engaged, else silence. */
const demand = (reason: SnapshotReason) => ({ type: 'demandRequest', params: { reason } }) as const;

/**
 * One pub-sub server. Each region answers one question about it, which its comment states. Regions
 * tell each other by raised events. See docs/internals/architecture.md.
 */
export const pubSubServerMachine = pubSubServerSetup.createMachine({
  id: 'pubSubServer',
  context: ({ input }) => ({
    isUpdatesWished: false,
    ...input,
    isRequestDue: false,
    reason: 'activation',
    isProbeDue: false,
    failures: 0,
    lastFailure: null,
    recurrences: 0,
    missed: 0,
  }),
  invoke: {
    id: 'serverRequests',
    src: 'serverRequests',
    input: ({ context }) => ({ server: context.server }),
  },
  type: 'parallel',
  states: {
    /** Which request is open? There is one at a time: what becomes due meanwhile waits for its end. */
    request: {
      initial: 'resting',
      on: {
        'updates.wished': { actions: 'wishUpdates' },
        'updates.unwished': { actions: 'unwishUpdates' },
      },
      states: {
        resting: {
          always: [
            { guard: 'isSilenceDue', target: 'open.silencing' },
            { guard: 'isSnapshotDue', target: 'open.activating' },
            { guard: 'isProbeDue', target: 'open.probing' },
          ],
        },
        open: {
          entry: 'clearDue',
          initial: 'silencing',
          on: {
            'silence.confirmed': answered,
            'snapshot.received': answered,
            'probe.answered': answered,
            'request.failed': { target: 'waiting', actions: 'countFailure' },
          },
          states: {
            silencing: { entry: 'requestSilence' },
            activating: { entry: 'requestActivity' },
            probing: { entry: 'requestProbe' },
          },
        },
        /** Until the retry. */
        waiting: {
          // A new wish clears the failures, and does not wait for the retry of the old one.
          always: { guard: 'hasNoFailures', target: 'resting' },
          // A server that gives evidence can be reached.
          on: { 'correction.due': 'resting' },
          after: { retryMs: 'resting' },
        },
      },
    },

    /** What is the server to this service? */
    standing: {
      initial: 'unknown',
      on: { 'activation.requested': '.engaged' },
      states: {
        unknown: {
          entry: { type: 'report', params: { status: 'unknown' } },
          on: { 'deactivation.requested': 'silencing', 'correction.due': 'silencing' },
        },
        silent: {
          entry: { type: 'report', params: { status: 'silent' } },
          on: {
            'deactivation.requested': { target: 'silent', reenter: true },
            'correction.due': 'silencing',
          },
        },
        silencing: {
          entry: ['startOver', { type: 'report', params: { status: 'silencing' } }],
          always: { guard: 'hasGivenUp', target: 'unknown' },
          on: {
            'correction.due': { actions: demand('evidence') },
            'silence.confirmed': [
              { guard: 'isRequestDue', actions: 'announceAnswer' },
              { target: 'silent', actions: 'announceAnswer' },
            ],
          },
        },
        /** It has to post to this service, which has to know its counts. */
        engaged: {
          entry: 'startOver',
          // All counts are cleared when a deactivation begins. A snapshot may have been merged since.
          exit: 'forgetCounts',
          initial: 'activating',
          on: {
            'activation.requested': { target: '.activating', actions: 'startOver' },
            'deactivation.requested': 'silencing',
            'correction.due': { actions: demand('evidence') },
            'updates.wished': { actions: demand('updates') },
            'updates.unwished': { actions: demand('updates') },
            // The counts may have been cleared since the probe was sent.
            'probe.answered': { guard: 'hasBase', target: '.heard' },
            'snapshot.received': [
              {
                guard: 'isSnapshotUsable',
                target: '.heard',
                actions: ['mergeSnapshot', 'announceAnswer'],
              },
              { actions: demand('overtaken') },
            ],
          },
          states: {
            activating: {
              entry: { type: 'report', params: { status: 'activating' } },
              on: {
                'request.failed': { actions: { type: 'report', params: { status: 'activating' } } },
              },
              after: { overdueMs: 'unreachable' },
            },
            /** Entered again with every answer, so `overdueMs` runs from the last one. */
            heard: {
              initial: 'live',
              after: { overdueMs: 'unreachable' },
              states: {
                live: {
                  entry: 'reportHeard',
                  on: {
                    'request.failed': 'stale',
                    'deafness.changed': { actions: 'reportHeard' },
                  },
                  after: {
                    probeMs: [
                      // If posts are missing, only a snapshot tells what has changed.
                      { guard: 'hasMissed', actions: demand('missed_posts') },
                      { actions: 'demandProbe' },
                    ],
                  },
                },
                stale: { entry: { type: 'report', params: { status: 'stale' } } },
              },
            },
            unreachable: {
              entry: ['forgetCounts', { type: 'report', params: { status: 'unreachable' } }],
              on: {
                // The service removes a candidate after some failures.
                'request.failed': {
                  actions: { type: 'report', params: { status: 'unreachable' } },
                },
              },
              after: { removeAfterMs: { actions: 'announceLoss' } },
            },
          },
        },
      },
    },

    /**
     * Does the next snapshot need a confirmation? It does if a request that was not acknowledged may
     * still be applied. Then the snapshot is provisional: it counts, and another one follows.
     */
    confirmation: {
      initial: 'unneeded',
      on: {
        'request.failed': { guard: 'isCommandOpen', target: '.needed' },
        'startup.answered': { guard: 'isQueryHeeded', target: '.needed' },
        'predecessor.failed': '.needed',
      },
      states: {
        unneeded: { on: { 'confirmation.needed': 'needed' } },
        needed: { on: { 'snapshot.merged': 'planned' } },
        planned: {
          on: {
            'snapshot.merged': { target: 'planned', reenter: true },
            'activation.requested': 'needed',
            'deactivation.requested': 'needed',
          },
          after: { confirmationMs: { target: 'unneeded', actions: demand('confirmation') } },
        },
      },
    },

    /** Is a resync planned? It finds what nothing else does, such as a lost post. */
    resync: {
      initial: 'unplanned',
      on: {
        'snapshot.merged': [{ guard: 'isConfirmed', target: '.planned' }, { target: '.unplanned' }],
        'activation.requested': '.unplanned',
        'deactivation.requested': '.unplanned',
      },
      states: {
        unplanned: {},
        planned: { after: { resyncMs: { target: 'unplanned', actions: demand('regular') } } },
      },
    },

    /** Do its posts arrive? They do not if snapshots change and no post says so. */
    posts: {
      initial: 'plausible',
      on: { 'post.received': { target: '.plausible', actions: 'clearMissed' } },
      states: {
        plausible: {
          on: { 'post.missed': { target: 'unexplained', actions: 'countMissed' } },
        },
        unexplained: {
          initial: 'missing',
          on: {
            'post.missed': { target: '.missing', actions: 'countMissed' },
            'startup.answered': { target: 'plausible', actions: 'clearMissed' },
            'deactivation.requested': { target: 'plausible', actions: 'clearMissed' },
          },
          onDone: 'deaf',
          states: {
            /** The post may be on its way. */
            missing: {
              // The wait does not start again: snapshots may come faster than it ends.
              on: { 'post.missed': { actions: 'countMissed' } },
              after: {
                postGraceMs: [{ guard: 'isUnheard', target: 'unheard' }, { target: 'suspected' }],
              },
            },
            /** One post was lost, or all are. Snapshots are requested in place of probes. */
            suspected: {},
            unheard: { type: 'final' },
          },
        },
        /** No post arrives: its URL does not lead here, or something in between takes the posts. */
        deaf: {
          entry: 'tellDeafness',
          exit: 'tellDeafness',
          // Its misses stay counted: in the next activation one more is enough.
          on: { 'deactivation.requested': 'plausible' },
        },
      },
    },

    /** May the answer to a start-up query still be on its way? Then no request may overtake it. */
    startup: {
      initial: 'idle',
      states: {
        idle: { on: { 'startup.answered': 'applying' } },
        applying: {
          after: {
            startupGraceMs: [
              { guard: 'isFirstTryDue', target: 'idle' },
              { target: 'idle', actions: 'findEvidence' },
            ],
          },
        },
      },
    },

    /** Is a room below zero? A late +1 may lift it. If it lasts, its count is wrong. */
    dips: {
      initial: 'none',
      states: {
        none: {
          on: { 'doubt.raised': { guard: 'hasDip', target: 'watched' }, 'dip.remained': 'watched' },
        },
        watched: { after: { dipsMs: { target: 'none', actions: 'lookAtDips' } } },
      },
    },

    /** Are its numbers wrong? Then it is corrected at once, but not again before `correctionMs`. */
    evidence: {
      initial: 'none',
      states: {
        none: { on: { 'doubt.raised': 'doubtful', 'evidence.found': 'cooling' } },
        doubtful: {
          on: { 'evidence.found': 'cooling' },
          after: { doubtMs: [{ guard: 'isDoubtful', target: 'cooling' }, { target: 'none' }] },
        },
        cooling: {
          entry: 'allowCorrection',
          after: {
            correctionMs: [
              {
                guard: 'isEvidenceStanding',
                target: 'cooling',
                reenter: true,
                actions: 'countRecurrence',
              },
              { target: 'none', actions: 'clearRecurrences' },
            ],
          },
          type: 'parallel',
          states: {
            recurrence: {
              initial: 'none',
              states: { none: { on: { 'evidence.found': 'found' } }, found: {} },
            },
            /** Confirmed only later: else endless queries would have endless confirmations. */
            query: {
              initial: 'none',
              states: {
                none: { on: { 'startup.answered': { guard: 'isQueryNew', target: 'answered' } } },
                answered: { exit: 'needConfirmation' },
              },
            },
          },
        },
      },
    },
  },
});
