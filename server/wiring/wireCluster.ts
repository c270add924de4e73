import { randomBytes } from 'node:crypto';
import type Router from '@koa/router';
import type { Logger } from 'pino';
import type { InstanceContext, InstanceEvent } from '../../machines/instanceSetup.js';
import type { ElectionEvent, InstanceId, Leader, ServerId } from '../../machines/ports.js';
import type { Activity } from '../activity/activity.js';
import type { InstanceInfo } from '../cluster/clusterStore.js';
import type { ClusterConnection } from '../cluster/connect.js';
import { createElection } from '../cluster/election.js';
import { ElectionLog } from '../cluster/electionLog.js';
import { FollowedLeader } from '../cluster/followedLeader.js';
import { Forwarding } from '../cluster/forwarding.js';
import { InboxWriter } from '../cluster/inboxWriter.js';
import { InstanceRequests } from '../cluster/instanceRequests.js';
import { InstanceSignatures } from '../cluster/instanceSignatures.js';
import { instanceViews } from '../cluster/instanceViews.js';
import { Lease } from '../cluster/lease.js';
import { OtherInstances } from '../cluster/otherInstances.js';
import { RedisClusterStore } from '../cluster/redisClusterStore.js';
import { httpUpstream } from '../cluster/relay/httpUpstream.js';
import { localUpstream } from '../cluster/relay/localUpstream.js';
import { Relay } from '../cluster/relay/relay.js';
import { sharedAuth } from '../cluster/sharedAuth.js';
import type { Config } from '../config/config.js';
import { peerUrlFor } from '../config/peerUrlFor.js';
import type { ClusterNeeds } from '../http/app.js';
import type { BodyLimits } from '../http/guards/body.js';
import { instanceEventRoutes } from '../http/routes/instanceEvents.js';
import { serviceVersion } from '../serviceVersion.js';
import { AtMostEvery } from '../timing/atMostEvery.js';
import { systemClock } from '../timing/clock.js';
import type { InstanceView } from '../wire/instanceView.js';
import { wireClusterActivity } from './wireClusterActivity.js';
import type { Fleet } from './wireFleet.js';
import { addCallbackRoutes, wireInstanceCallbacks } from './wireInstanceCallbacks.js';
import { type Leadership, leadingFeed } from './wireLeadership.js';
import type { MetricsParts } from './wireMetrics.js';
import { wireReach } from './wireReach.js';
import type { ServerParts } from './wireServers.js';

/** What connects an instance with the others needs from the rest of it. */
export interface ClusterWiringNeeds {
  config: Config;
  log: Logger;
  /** Its owner closes it. */
  connection: ClusterConnection;
  ownPort: number;
  servers: ServerParts;
  /** Servers that are configured or remembered. */
  knownServers: () => Promise<readonly ServerId[]>;
  /** The fleet of this instance while it leads, and what connects it with the lease. */
  fleet: () => Fleet | undefined;
  leadership: () => Leadership | undefined;
  isDraining: () => boolean;
  counts: MetricsParts['counts'];
  /** Tells the instance's machine. */
  tell: (event: InstanceEvent) => void;
  /** Another instance leads than before, or none. */
  onLeader: (leader: Leader | undefined) => void;
  /** What happens at this instance. */
  activity: Activity;
  /** What the election tells the instance's machine. */
  onElection: (event: ElectionEvent) => void;
}

/** Version of what instances say to each other. */
const protocol = 1;
const streamLogMs = 10_000;

/** The parts that connect an instance with the others. */
export type ClusterParts = ReturnType<typeof wireCluster>;

/** Creates what connects an instance with the others of its cluster. */
export function wireCluster(needs: ClusterWiringNeeds) {
  const { config, log, connection, fleet, tell } = needs;
  const self = randomBytes(9).toString('base64url');
  const { clusterBeatMs: beatMs, clusterLeaseMs: leaseMs, clusterSecret = '' } = config;
  const signatures = new InstanceSignatures(clusterSecret, self);
  const requests = new InstanceRequests(signatures);
  const leader = () => followed.now;
  const onOutdone = () => tell({ type: 'fleet.unreachable' });
  const reach = wireReach({ ...needs, leader, onOutdone });
  const viewers = () => relay.viewers;
  const info = infoOf(self, needs, { viewers, reach });
  const store = new RedisClusterStore(connection, { deadlineMs: beatMs });
  const lease = new Lease({ store, clock: systemClock, self, info, leaseMs, beatMs });
  // The leader may have released the lease. A beat finds that out within milliseconds.
  const relay = wireRelay(needs, () => lease.beatNow());
  const followed = new FollowedLeader({
    relay,
    upstreamOf: (other) => httpUpstream({ leader: other, requests }),
    onChanged: needs.onLeader,
  });
  const others = () => lease.instances.filter(({ id, isThere }) => id !== self && isThere);
  const inbox = new InboxWriter({ push: (entries, done) => lease.pushInbox(entries, done) });
  const receiver = () => fleet()?.receiver;
  const callbacks = wireInstanceCallbacks({ ...needs, inbox, requests, leader, receiver });
  lease.onBeat(({ inboxLength }) => {
    if (inboxLength > 0) needs.leadership()?.noteInbox();
    reach.look(lease, self);
  });
  const shared = sharedAuth(connection, clusterSecret);
  const isLeading = () => fleet() !== undefined;
  const peers = () => others().map(({ id, url }) => ({ instance: id, url }));
  const http: Omit<ClusterNeeds, 'addRoutes'> = {
    ...shared,
    signatures,
    forwarding: new Forwarding({ requests, isLeading, leader }),
    others: new OtherInstances(requests, peers),
    isStarting: () => followed.isStarting,
  };
  const activity = wireClusterActivity({ ...needs, requests, isLeading, leader });
  const electionLog = new ElectionLog(log);
  return {
    lease,
    election: createElection(lease, (event) => {
      electionLog.note(event);
      needs.onElection(event);
    }),
    relay,
    requests,
    callbacks,
    inbox,
    http,
    /** Adds the routes for other instances: the leader's stream, and posts and start-up queries that are passed on. */
    addRoutes: (router: Router, bodyLimits: BodyLimits) => {
      const leading = () => {
        const led = fleet();
        return led && leadingFeed(led, lease);
      };
      instanceEventRoutes(router, { leading, clock: systemClock });
      addCallbackRoutes(router, callbacks, bodyLimits);
      activity.addRoutes(router, bodyLimits.bodyTimeoutMs);
    },
    hasSuccessor: () => others().length > 0,
    /** Viewers of the live counts at all instances. */
    viewers: () => others().reduce((sum, other) => sum + other.viewers, viewers()),
    instances: (): InstanceView[] => {
      const { instances, leader: leading, isRedisLost } = lease;
      return instanceViews({
        self: info(),
        instances,
        leader: leading,
        isConnected: !isRedisLost,
      });
    },
    /** The slot `publishRole`. */
    publishRole: (context: InstanceContext) => {
      if (!fleet()) followed.note(context.leader);
    },
    /** A leadership of this instance begins. */
    lead: (led: Fleet) => {
      followed.lead(localUpstream(leadingFeed(led, lease), systemClock));
      activity.lead();
    },
    /** Its fleet is about to be closed. */
    stopLeading: () => {
      activity.stopLeading();
      followed.stopLeading();
    },
    /** The others learn at once that this instance goes. Resolves when Redis knows, or does not answer. */
    leave: () => {
      lease.release();
      return new Promise<void>((resolve) => lease.leave(() => resolve()));
    },
    /** Nothing arrives any more. Resolves when the leader will find what did, or Redis does not take it. */
    endInbox: () => new Promise<void>((resolve) => inbox.end(resolve)),
    close: () => {
      relay.close();
      lease.close();
      shared.signOuts.close();
      inbox.close();
      activity.close();
      reach.close();
      requests.close();
      store.close();
    },
  };
}

/** Makes what this instance tells about itself with each beat. */
function infoOf(
  id: InstanceId,
  { config, ownPort, servers }: ClusterWiringNeeds,
  now: { viewers: () => number; reach: { reachesServers: boolean | null } },
): () => InstanceInfo {
  const lasting = {
    id,
    url: peerUrlFor(config, ownPort),
    serversUrl: servers.urls.fixedBase,
    version: serviceVersion(),
    protocol,
    startedAtMs: Date.now(),
  };
  return () => ({
    ...lasting,
    viewers: now.viewers(),
    reachesServers: now.reach.reachesServers,
  });
}

function wireRelay({ config, log, counts }: ClusterWiringNeeds, onEnded: () => void): Relay {
  // A stream that ends is opened again every second.
  const logs = new AtMostEvery(streamLogMs);
  return new Relay({
    clock: systemClock,
    frameIntervalMs: config.frameIntervalMs,
    lingerMs: config.lingerMs,
    resumes: counts.resumes,
    onUpstreamEnded: (cause) => {
      counts.gaps += 1;
      onEnded();
      if (logs.allows('')) log.warn({ cause }, 'the stream of the leader has ended');
    },
  });
}
