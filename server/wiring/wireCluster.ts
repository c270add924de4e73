import { randomBytes } from 'node:crypto';
import type Router from '@koa/router';
import type { Logger } from 'pino';
import type { InstanceContext, InstanceEvent } from '../../machines/instanceSetup.js';
import type { Leader } from '../../machines/ports.js';
import type { InstanceInfo } from '../cluster/clusterStore.js';
import type { ClusterConnection } from '../cluster/connect.js';
import { createElection } from '../cluster/election.js';
import { ElectionLog } from '../cluster/electionLog.js';
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
import { instanceEventRoutes } from '../http/routes/instanceEvents.js';
import { instancePostRoutes } from '../http/routes/instancePosts.js';
import { instanceQueryRoutes } from '../http/routes/instanceQueries.js';
import { InstanceCallbacks } from '../pubsub/instanceCallbacks.js';
import { PassedPosts } from '../pubsub/passedPosts.js';
import { PassedQueries } from '../pubsub/passedQueries.js';
import { PubSubHttp } from '../pubsub/pubSubHttp.js';
import { ReachProbe } from '../pubsub/reachProbe.js';
import { serviceVersion } from '../serviceVersion.js';
import type { ServersTable } from '../store/store.js';
import { AtMostEvery } from '../timing/atMostEvery.js';
import { systemClock } from '../timing/clock.js';
import type { InstanceView } from '../wire/instanceView.js';
import type { Fleet } from './wireFleet.js';
import { type Leadership, leadingFeed } from './wireLeadership.js';
import type { ServerParts } from './wireServers.js';

/** What connects an instance with the others needs from the rest of it. */
export interface ClusterWiringNeeds {
  config: Config;
  log: Logger;
  /** Its owner closes it. */
  connection: ClusterConnection;
  ownPort: number;
  servers: ServerParts;
  remembered: ServersTable;
  /** The fleet of this instance while it leads, and what connects it with the lease. */
  fleet: () => Fleet | undefined;
  leadership: () => Leadership | undefined;
  /** Viewers of this instance, apart from those of the relay. */
  otherViewers: () => number;
  isDraining: () => boolean;
  /** Tells the instance's machine. */
  tell: (event: InstanceEvent) => void;
  /** Another instance leads than before, or none. */
  onLeader: (leader: Leader | undefined) => void;
  bodyLimits: { maxBodyBytes: number; bodyTimeoutMs: number };
  /** Adds the routes about rooms for other instances. */
  addRoomRoutes: (router: Router) => void;
}

/** Pub-sub servers wait for an answer. Without one of the leader, this instance gives its own. */
const queryTimeoutMs = 1000;
/** Version of what instances say to each other. */
const protocol = 1;
const streamLogMs = 10_000;

/** The parts that connect an instance with the others. */
export type ClusterParts = ReturnType<typeof wireCluster>;

/** Creates what connects an instance with the others of its cluster. */
export function wireCluster(needs: ClusterWiringNeeds) {
  const { config, log, connection, servers, fleet, tell } = needs;
  const self = randomBytes(9).toString('base64url');
  const startedAtMs = Date.now();
  const version = serviceVersion();
  const url = peerUrlFor(config, needs.ownPort);
  const { clusterBeatMs: beatMs, clusterLeaseMs: leaseMs, clusterSecret = '' } = config;
  const signatures = new InstanceSignatures(clusterSecret, self);
  const requests = new InstanceRequests(signatures);
  const probe = wireProbe(needs);
  const info = (): InstanceInfo => ({
    id: self,
    url,
    serversUrl: servers.urls.fixedBase,
    version,
    protocol,
    viewers: relay.viewers + needs.otherViewers(),
    startedAtMs,
    reachesServers: (needs.leadership()?.reach ?? probe).reachesServers,
  });
  // It is opened again every second.
  const streamLogs = new AtMostEvery(streamLogMs);
  const store = new RedisClusterStore(connection, { deadlineMs: beatMs });
  const lease = new Lease({ store, clock: systemClock, self, info, leaseMs, beatMs });
  const relay = new Relay({
    clock: systemClock,
    frameIntervalMs: config.frameIntervalMs,
    lingerMs: config.lingerMs,
    onUpstreamEnded: (cause) => {
      if (streamLogs.allows('')) log.warn({ cause }, 'the stream of the leader has ended');
    },
  });
  let leader: Leader | undefined;
  let hasKnownLeader = false;
  const follow = (next: Leader | undefined) => {
    if (!isOther(leader, next)) {
      leader = next;
      return;
    }
    leader = next;
    hasKnownLeader ||= next !== undefined;
    relay.follow(next && httpUpstream({ leader: next, requests }), 'no instance leads');
    needs.onLeader(next);
  };
  const others = () => lease.instances.filter(({ id, isThere }) => id !== self && isThere);
  const inbox = new InboxWriter({ push: (entries, done) => lease.pushInbox(entries, done) });
  const callbacks = wireCallbacks(needs, { inbox, requests, leader: () => leader });
  lease.onBeat(({ inboxLength }) => {
    const leadership = needs.leadership();
    if (!leadership) {
      const leading = others().find(({ id }) => id === leader?.instance);
      return probe.note(leading?.reachesServers === false);
    }
    if (inboxLength > 0) leadership.noteInbox();
    if (!leadership.reach.isOutdoneBy(lease.instances, self)) return;
    log.warn('no pub-sub server answers this leader, but another instance reaches them');
    tell({ type: 'fleet.unreachable' });
  });
  const shared = sharedAuth(connection, clusterSecret);
  const http: ClusterNeeds = {
    ...shared,
    signatures,
    forwarding: new Forwarding({
      requests,
      isLeading: () => fleet() !== undefined,
      leader: () => leader,
    }),
    others: new OtherInstances(requests, () =>
      others().map(({ id, url }) => ({ instance: id, url })),
    ),
    isStarting: () => !hasKnownLeader,
    addRoutes: (router: Router) => {
      const leading = () => {
        const led = fleet();
        return led && leadingFeed(led, lease);
      };
      instanceEventRoutes(router, { leading, clock: systemClock });
      const takePassed = callbacks.takePassed.bind(callbacks);
      instancePostRoutes(router, { takePassed, bodyLimits: needs.bodyLimits });
      needs.addRoomRoutes(router);
      const answerPassed = callbacks.answerPassed.bind(callbacks);
      instanceQueryRoutes(router, { answerPassed, bodyLimits: needs.bodyLimits });
    },
  };
  const electionLog = new ElectionLog(log);
  return {
    lease,
    election: createElection(lease, (event) => electionLog.note(event)),
    relay,
    requests,
    callbacks,
    inbox,
    http,
    hasSuccessor: () => others().length > 0,
    /** Viewers of all instances. */
    viewers: () =>
      lease.instances.reduce(
        (sum, { id, isThere, viewers }) => sum + (isThere && id !== self ? viewers : 0),
        info().viewers,
      ),
    instances: (): InstanceView[] =>
      instanceViews({
        self: info(),
        instances: lease.instances,
        leader: lease.leader,
        isConnected: !lease.isRedisLost,
      }),
    /** The slot `publishRole`. */
    publishRole: (context: InstanceContext) => {
      if (!fleet()) follow(context.leader);
    },
    /** A leadership of this instance begins. */
    lead: (led: Fleet) => {
      leader = undefined;
      hasKnownLeader = true;
      relay.follow(localUpstream(leadingFeed(led, lease), systemClock));
    },
    /** Its fleet is about to be closed. */
    stopLeading: () => {
      relay.follow(undefined, 'this instance no longer leads');
      needs.onLeader(undefined);
    },
    /** The others learn at once that this instance goes. Resolves when Redis knows, or does not answer. */
    leave: () => {
      lease.release();
      return new Promise<void>((resolve) => lease.leave(() => resolve()));
    },
    close: () => {
      relay.close();
      lease.close();
      shared.signOuts.close();
      inbox.close();
      probe.close();
      requests.close();
      store.close();
    },
  };
}

/** Whether it is another leadership than before. */
const isOther = (one: Leader | undefined, other: Leader | undefined): boolean =>
  one?.instance !== other?.instance || one?.term !== other?.term || one?.url !== other?.url;

/** Finds out whether servers can be reached from here, when the leader reaches none. */
function wireProbe({ config, servers, remembered }: ClusterWiringNeeds): ReachProbe {
  const http = new PubSubHttp(servers.http);
  return new ReachProbe({
    servers: async () => {
      const items = await remembered.list().catch(() => []);
      return [...config.pubSubServers, ...items.map(({ server }) => server)];
    },
    ask: (server, signal) =>
      http.exchange(server, { method: 'GET', path: '/health', maxBytes: 65_536 }, signal),
  });
}

function wireCallbacks(
  { config, servers, fleet, isDraining }: ClusterWiringNeeds,
  cluster: { inbox: InboxWriter; requests: InstanceRequests; leader: () => Leader | undefined },
): InstanceCallbacks {
  const { inbox, requests, leader } = cluster;
  const headers = { 'content-type': 'application/json' };
  const ask = (to: Leader, path: string, body: string, timeoutMs?: number) =>
    requests.ask(to, path, { method: 'POST', body, headers, ...(timeoutMs && { timeoutMs }) });
  const passed = new PassedPosts({ ask });
  const passedQueries = new PassedQueries({
    ask: (to, path, body) => ask(to, path, body, queryTimeoutMs),
  });
  return new InstanceCallbacks({
    receiver: () => fleet()?.receiver,
    leader,
    tokens: servers.tokens,
    passed,
    passedQueries,
    inbox,
    urls: servers.urls,
    book: servers.book,
    pubSubPort: config.pubSubPort,
    isLeaving: isDraining,
  });
}
