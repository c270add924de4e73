import type { Logger } from 'pino';
import type { ActivationActor } from '../../machines/activationMachine.js';
import type { Term } from '../../machines/ports.js';
import { FreshRenewal } from '../cluster/freshRenewal.js';
import { InboxReader } from '../cluster/inboxReader.js';
import type { InboxWriter } from '../cluster/inboxWriter.js';
import type { Lease } from '../cluster/lease.js';
import type { LeadingFeed } from '../cluster/relay/beats.js';
import type { Feed } from '../fleet/feed.js';
import type { CallbackReceiver } from '../pubsub/callbackReceiver.js';
import { queryEntry, takeInboxEntry } from '../pubsub/inboxEntries.js';
import type { PubSubServersNeeds } from '../pubsub/pubSubServers.js';
import { Reach } from '../pubsub/reach.js';
import type { RequestPacer } from '../pubsub/requestPacer.js';
import type { StartupQuery } from '../pubsub/startupQuery.js';
import { sendIfActive } from '../sendIfActive.js';
import { systemClock } from '../timing/clock.js';

/** Within this time others that shut down too have told Redis that they leave. */
const leavingMs = 500;

/** What a leadership needs from the rest of the instance. */
export interface LeadershipNeeds {
  lease: Lease;
  inbox: Pick<InboxWriter, 'write'>;
  log: Logger;
  activation: ActivationActor;
  /** The viewers of the live counts at all instances. */
  viewers: () => number;
}

/** What connects a fleet with the lease, for one term. */
export interface Leadership {
  readonly requests: Pick<PubSubServersNeeds, 'mayAct' | 'renewLease' | 'reach'>;
  readonly reach: Reach;
  /** The viewers of all instances. All viewers of updates together are one, as for the activation. */
  readonly viewers: () => number;
  /** A start-up query is not from a known server. If this leader dies, the next one must ask its sender. */
  readonly noteNewcomer: (query: StartupQuery) => void;
  /** Whether the inbox has been read. Until then there may be servers that asked while nobody led. */
  hasReadInbox(): boolean;
  /** The fleet is complete, and its activation is about to run. `publish`: what viewers see may have changed. */
  begin(fleet: { receiver: CallbackReceiver; pacer: RequestPacer; publish: () => void }): void;
  /**
   * Starts no request any more, and leaves the inbox to the next leader. `onPrepared`: no request is open, and
   * the lease knows who is there now.
   */
  prepareHandingOver(onPrepared: () => void): void;
  /** There is nobody to hand over to. */
  goOn(): void;
  /** There is something in the inbox. */
  noteInbox(): void;
  close(): void;
}

/** Creates what connects a fleet with the lease. */
export function wireLeadership({
  lease,
  inbox,
  log,
  activation,
  viewers,
}: LeadershipNeeds): Leadership {
  const roster = () => activation.getSnapshot().context.roster;
  const reach = new Reach({
    clock: systemClock,
    isKnown: (server) => (roster().get(server)?.standing ?? 'candidate') !== 'candidate',
    knowsServers: () => roster().size > 0,
  });
  const renewal = new FreshRenewal({ clock: systemClock, renew: (done) => lease.renew(done) });
  let reader: InboxReader | undefined;
  let hasReadInbox = false;
  let pacer: RequestPacer | undefined;
  let timer: NodeJS.Timeout | undefined;
  const requests = {
    mayAct: () => lease.isHeldNow(),
    renewLease: () => renewal.confirm(),
    reach,
  };
  return {
    requests,
    reach,
    viewers: () => viewers() + activation.getSnapshot().context.updateViewers,
    noteNewcomer: (query) => inbox.write(queryEntry(query, lease.current().term)),
    hasReadInbox: () => hasReadInbox,
    begin: ({ receiver, publish, ...fleet }) => {
      pacer = fleet.pacer;
      tellWhetherActive(activation, lease);
      reader = new InboxReader({
        take: (done) => lease.takeInbox(done),
        handle: (entry) => takeInboxEntry(receiver, entry),
        onUnreadable: (count) =>
          log.warn({ count }, 'entries of the inbox of the cluster could not be read'),
        onRead: () => {
          if (hasReadInbox) return;
          hasReadInbox = true;
          publish();
        },
      });
      // Takes what the last leader left in the inbox, once this activation runs.
      setImmediate(() => reader?.note());
    },
    prepareHandingOver: (onPrepared) => {
      reader?.close();
      let [areRequestsOpen, isPresenceKnown] = [true, false];
      const check = () => {
        if (!areRequestsOpen && isPresenceKnown) onPrepared();
      };
      pacer?.hold(() => {
        areRequestsOpen = false;
        check();
      });
      // All instances may be told to stop at once. Their leaving is known by then.
      timer = setTimeout(() => {
        lease.renew(() => {
          isPresenceKnown = true;
          check();
        });
      }, leavingMs);
    },
    goOn: () => pacer?.resume(),
    noteInbox: () => reader?.note(),
    close: () => {
      clearTimeout(timer);
      reader?.close();
    },
  };
}

/** Tells the lease whether servers post: the next leader goes on with an active fleet, and silences any other. */
function tellWhetherActive(activation: ActivationActor, lease: Lease): void {
  activation.subscribe({
    next: (snapshot) =>
      lease.setActive(snapshot.matches('activating') || snapshot.matches('active')),
    // The instance's machine fails with it.
    error: () => {},
  });
}

/** The feed of a leader as the relays of all instances read it. */
export function leadingFeed(
  {
    activation,
    feed,
    term = 0,
  }: { activation: ActivationActor; feed: Feed; term: Term | undefined },
  lease: Lease,
): LeadingFeed {
  return {
    term,
    feed,
    isHeld: () => lease.isHeldNow(),
    viewerConnected: () => activation.send({ type: 'viewer.connected' }),
    viewerDisconnected: () => sendIfActive(activation, { type: 'viewer.disconnected' }),
  };
}
