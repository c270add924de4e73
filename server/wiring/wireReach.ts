import type { Logger } from 'pino';
import type { InstanceId, Leader, ServerId } from '../../machines/ports.js';
import type { Lease } from '../cluster/lease.js';
import { PubSubHttp } from '../pubsub/pubSubHttp.js';
import { ReachProbe } from '../pubsub/reachProbe.js';
import type { Leadership } from './wireLeadership.js';
import type { ServerParts } from './wireServers.js';

/** What finding out who reaches the pub-sub servers needs from the rest of the instance. */
export interface ReachWiringNeeds {
  log: Logger;
  servers: ServerParts;
  /** Servers that are configured or remembered. */
  knownServers: () => Promise<readonly ServerId[]>;
  leadership: () => Leadership | undefined;
  /** Another instance that leads. */
  leader: () => Leader | undefined;
  /** This instance leads and reaches no server, and another one does. */
  onOutdone: () => void;
}

/** For an answer of `/health`. */
const maxHealthBytes = 65_536;

/** Creates what tells whether this instance reaches pub-sub servers, and notices if another one does better. */
export function wireReach(needs: ReachWiringNeeds) {
  const { log, leadership, leader, onOutdone } = needs;
  const probe = wireProbe(needs);
  return {
    /** Null: it does not know. */
    get reachesServers(): boolean | null {
      return (leadership()?.reach ?? probe).reachesServers;
    },
    /** Called after each beat. */
    look: ({ instances }: Pick<Lease, 'instances'>, self: InstanceId): void => {
      const reach = leadership()?.reach;
      const leading = instances.find(({ id, isThere }) => isThere && id === leader()?.instance);
      probe.note(!reach && leading?.reachesServers === false);
      if (!reach?.isOutdoneBy(instances, self)) return;
      log.warn('no pub-sub server answers this leader, but another instance reaches them');
      onOutdone();
    },
    close: () => probe.close(),
  };
}

/** Asks some servers for their health, when the leader reaches none. */
function wireProbe({ servers, knownServers }: ReachWiringNeeds): ReachProbe {
  const http = new PubSubHttp(servers.http);
  return new ReachProbe({
    servers: knownServers,
    ask: (server, signal) =>
      http.exchange(server, { method: 'GET', path: '/health', maxBytes: maxHealthBytes }, signal),
  });
}
