import { pubSubServerSetup } from './pubSubServerSetup.js';

/** One pub-sub server: what it is to us, the one request to it, and when it must be set right. */
export const pubSubServerMachine = pubSubServerSetup.createMachine({
  id: 'pubSubServer',
  context: ({ input }) => ({
    isUpdatesWished: false,
    isUnconfirmed: false,
    ...input,
    wish: 'nothing',
    isRequestDue: false,
    isProbeDue: false,
    failures: 0,
    lastFailure: null,
    isStartupAwaited: false,
    isStartupNoted: false,
    isEvidenceNoted: false,
    isLookPlanned: false,
    recurrences: 0,
    missed: 0,
    isDeaf: false,
  }),
  invoke: {
    id: 'serverRequests',
    src: 'serverRequests',
    input: ({ context }) => ({ server: context.server }),
  },
  type: 'parallel',
  states: {
    /** The one request to the server. A wish that comes meanwhile is looked at when it has ended. */
    request: {
      initial: 'resting',
      on: {
        'updates.wished': { actions: 'wishUpdates' },
        'updates.unwished': { actions: 'unwishUpdates' },
      },
      states: {
        resting: {
          always: [
            { guard: 'isSilenceDue', target: 'silencing' },
            { guard: 'isSnapshotDue', target: 'activating' },
            { guard: 'isProbeDue', target: 'probing' },
          ],
        },
        silencing: {
          entry: ['clearDue', 'requestSilence'],
          on: {
            'silence.confirmed': { target: 'resting', actions: 'clearFailures' },
            'request.failed': { target: 'waiting', actions: ['countFailure', 'markUnconfirmed'] },
          },
        },
        activating: {
          entry: ['clearDue', 'requestActivity'],
          on: {
            'snapshot.received': { target: 'resting', actions: 'clearFailures' },
            'request.failed': { target: 'waiting', actions: ['countFailure', 'markUnconfirmed'] },
          },
        },
        probing: {
          entry: ['clearDue', 'requestProbe'],
          on: {
            'probe.answered': { target: 'resting', actions: 'clearFailures' },
            'request.failed': { target: 'waiting', actions: 'countFailure' },
          },
        },
        waiting: {
          // A new wish starts with no failures, and does not wait for the retry of the old one.
          always: { guard: 'hasNoFailures', target: 'resting' },
          // Whoever gives evidence is there.
          on: { 'correction.due': 'resting' },
          after: { retryMs: 'resting' },
        },
      },
    },

    /** What the server is to us. */
    standing: {
      initial: 'unknown',
      states: {
        unknown: {
          entry: ['wishNothing', { type: 'report', params: { status: 'unknown' } }],
          on: {
            'activation.requested': 'engaged',
            'deactivation.requested': 'silencing',
            'correction.due': 'silencing',
          },
        },
        silent: {
          entry: ['wishNothing', { type: 'report', params: { status: 'silent' } }],
          on: {
            'activation.requested': 'engaged',
            'deactivation.requested': { target: 'silent', reenter: true },
            'correction.due': 'silencing',
          },
        },
        silencing: {
          entry: ['wishSilence', { type: 'report', params: { status: 'silencing' } }],
          always: { guard: 'hasGivenUp', target: 'unknown' },
          on: {
            'activation.requested': 'engaged',
            'correction.due': { actions: 'demandRequest' },
            'silence.confirmed': [
              { guard: 'isRequestDue', actions: 'announceAnswer' },
              { target: 'silent', actions: 'announceAnswer' },
            ],
          },
        },
        /** It is to post to us, and we are to know its counts. */
        engaged: {
          entry: 'wishActivity',
          // All counts are cleared when a deactivation begins; this one may have been merged since.
          exit: ['cancelResync', 'forgetCounts'],
          initial: 'activating',
          on: {
            // What was planned for the counts before is not to follow the snapshot that is asked for now.
            'activation.requested': {
              target: '.activating',
              actions: ['cancelResync', 'wishActivity'],
            },
            'deactivation.requested': 'silencing',
            'correction.due': { actions: 'demandRequest' },
            'resync.due': { actions: 'demandRequest' },
            'confirmation.due': { actions: ['clearUnconfirmed', 'demandRequest'] },
            'updates.wished': { actions: 'demandRequest' },
            'updates.unwished': { actions: 'demandRequest' },
            // A probe may be answered when the counts that it was sent for are cleared already.
            'probe.answered': { guard: 'hasBase', target: '.heard', actions: 'announceAnswer' },
            'snapshot.received': [
              {
                guard: 'isSnapshotProvisional',
                target: '.heard',
                actions: ['mergeSnapshot', 'announceAnswer', 'scheduleConfirmation'],
              },
              {
                guard: 'isSnapshotUsable',
                target: '.heard',
                actions: ['mergeSnapshot', 'announceAnswer', 'scheduleResync'],
              },
              { actions: 'demandRequest' },
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
            /** Entered anew with every answer, so that its time runs from the last one. */
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
                      // Where posts are missing only snapshots tell what has changed.
                      { guard: 'hasMissed', actions: 'demandRequest' },
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
                // Candidates are counted by it.
                'request.failed': {
                  actions: { type: 'report', params: { status: 'unreachable' } },
                },
              },
              after: { letGoMs: { actions: 'announceLoss' } },
            },
          },
        },
      },
    },

    /** Whether its posts arrive, as far as snapshots tell: they must not say what no post did. */
    posts: {
      initial: 'plausible',
      states: {
        plausible: {
          on: {
            'post.missed': { target: 'missing', actions: 'countMissed' },
            'post.received': { actions: 'clearMissed' },
          },
        },
        /** One may be on its way. */
        missing: {
          on: {
            // The one before has its time, and no more: snapshots may come faster than that.
            'post.missed': { actions: 'countMissed' },
            'post.received': { target: 'plausible', actions: 'clearMissed' },
            'startup.answered': { target: 'plausible', actions: 'clearMissed' },
            'deactivation.requested': { target: 'plausible', actions: 'clearMissed' },
          },
          after: { lateMs: [{ guard: 'isUnheard', target: 'deaf' }, { target: 'suspected' }] },
        },
        /** One was lost, or all are. It is asked for snapshots in place of probes. */
        suspected: {
          on: {
            'post.missed': { target: 'missing', actions: 'countMissed' },
            'post.received': { target: 'plausible', actions: 'clearMissed' },
            'startup.answered': { target: 'plausible', actions: 'clearMissed' },
            'deactivation.requested': { target: 'plausible', actions: 'clearMissed' },
          },
        },
        /** None arrives: its URL does not lead here, or something between takes them. */
        deaf: {
          entry: 'markDeaf',
          exit: 'unmarkDeaf',
          on: {
            'post.received': { target: 'plausible', actions: 'clearMissed' },
            'deactivation.requested': { target: 'plausible', actions: 'recallMissed' },
          },
        },
      },
    },

    /** What speaks against its numbers, and how often it may be set right for that. */
    evidence: {
      initial: 'none',
      on: {
        'startup.answered': {
          guard: 'isStartupNew',
          actions: ['markUnconfirmed', 'awaitStartupApplied'],
        },
        'startup.applied': { actions: 'noteStartupApplied' },
        'doubt.raised': { actions: 'planLook' },
        'dips.due': { actions: 'lookAtDips' },
      },
      states: {
        none: {
          on: {
            'doubt.raised': { target: 'doubtful', actions: 'planLook' },
            'evidence.found': { target: 'cooling', actions: 'allowCorrection' },
          },
        },
        doubtful: {
          on: { 'evidence.found': { target: 'cooling', actions: 'allowCorrection' } },
          after: {
            doubtMs: [
              { guard: 'isDoubtful', target: 'cooling', actions: 'allowCorrection' },
              { target: 'none' },
            ],
          },
        },
        cooling: {
          on: {
            'evidence.found': { actions: 'noteEvidence' },
            // Were it confirmed at once, queries without end would have confirmations without end.
            'startup.answered': {
              guard: 'isStartupNew',
              actions: ['noteStartup', 'awaitStartupApplied'],
            },
          },
          after: {
            correctionMs: [
              {
                guard: 'isEvidenceStanding',
                target: 'cooling',
                reenter: true,
                actions: ['countRecurrence', 'heedStartup', 'allowCorrection'],
              },
              { target: 'none', actions: ['clearRecurrences', 'heedStartup'] },
            ],
          },
        },
      },
    },
  },
});
